#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; printf("%d %d %d %d\n", 6 & 3, 6 | 3, 6 ^ 3, ~6); return 0; }
