#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; unsigned a = 1, b = 2; printf("%d %u\n", a - b > 0, a - b); return 0; }
