#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; printf("%d %d %d %d\n", 7 / 2, -7 / 2, -7 % 3, 7 % -3); return 0; }
