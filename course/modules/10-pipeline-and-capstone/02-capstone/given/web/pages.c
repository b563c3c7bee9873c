#include <stdio.h>

int main(void)
{
	printf("<!doctype html>\n");
	printf("<title>layers</title>\n");
	printf("<h1>What a container sees</h1>\n");
	return 0;
}
