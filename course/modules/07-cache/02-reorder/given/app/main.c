#include <stdio.h>

int greeting(void);

int main(void)
{
	printf("%d\n", greeting());
	return 0;
}
