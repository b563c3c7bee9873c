#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int m[2][3] = {{1, 2, 3}, {4, 5, 6}}; printf("%d %d %lu\n", m[1][2], *(*(m + 1) + 1), sizeof m); return 0; }
