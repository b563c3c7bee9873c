#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; for (int i = 1; i < argc; i++) printf("%s;", argv[i]); printf("%d\n", argc); return 0; }
