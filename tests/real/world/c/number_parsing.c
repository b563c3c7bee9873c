#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; char *end; long v = strtol("0x1fz", &end, 0); printf("%ld %s %d %d\n", v, end, atoi(" -42x"), atoi("z")); return 0; }
