#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int a[3] = {1, 2, 3}; int *p = a; p++; *p = 9; printf("%d %d %ld %d\n", a[1], p[1], (long)(&a[2] - p), *(a + 2)); return 0; }
