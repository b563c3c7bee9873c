#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

enum color { RED, GREEN = 5, BLUE };
union both { int i; unsigned char b[4]; };
int main(void) { union both u; u.i = 0x01020304; printf("%d %d %lu\n", u.b[0], BLUE, sizeof u); return RED; }
