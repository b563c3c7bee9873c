#include <stdio.h>

int main(void)
{
    printf("tally-about %s: counts lines, words and bytes\n", VERSION);
    return 0;
}
