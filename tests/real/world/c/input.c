#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int c, n = 0; while ((c = getchar()) != EOF) n += c == '\n'; printf("%d\n", n); return 0; }
