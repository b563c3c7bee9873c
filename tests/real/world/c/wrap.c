#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; unsigned char c = 250; c += 10; int i = 2147483647; unsigned u = i; u++; printf("%d %u\n", c, u); return 0; }
