#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; const char *s = "a" "b\tc\x41\102"; printf("%s %lu\n", s, sizeof "abc"); return 0; }
