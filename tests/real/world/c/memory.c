#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int *p = malloc(10 * sizeof(int)); for (int i = 0; i < 10; i++) p[i] = i * i; p = realloc(p, 80); int *q = calloc(2, 4); printf("%d %d\n", p[9], q[1]); free(p); free(q); return 0; }
