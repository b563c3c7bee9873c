#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int a = -1; unsigned b = 1; printf("%d\n", a < b); return 0; }
