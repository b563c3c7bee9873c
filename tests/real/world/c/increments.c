#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int a = 1; int b = a++; b += ++a; int c = a--; c -= --a; printf("%d %d %d\n", a, b, c); return 0; }
