#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int a[] = {3, 1, 2}; int b[5] = {1}; int s = 0; for (unsigned i = 0; i < sizeof a / sizeof a[0]; i++) s += a[i]; printf("%d %d %lu\n", s, b[4], sizeof b); return 0; }
