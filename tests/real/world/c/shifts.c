#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; printf("%d %u %d\n", 1 << 10, 0xF0000000u >> 28, -16 >> 2); return 0; }
