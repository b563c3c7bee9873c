#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int x = 300; printf("%d %d %lu\n", (char)x, (unsigned char)-1, (unsigned long)-1); return 0; }
