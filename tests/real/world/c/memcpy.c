#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; char a[8] = "12345"; char b[8]; memcpy(b, a, 6); memset(a, 'x', 3); memmove(b + 1, b, 4); printf("%s %s %d\n", a, b, memcmp("a", "b", 1) < 0); return 0; }
