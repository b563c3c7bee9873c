#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int a = 8; a += 2; a -= 1; a *= 4; a /= 3; a %= 7; a <<= 3; a |= 1; a ^= 2; printf("%d\n", a); return 0; }
