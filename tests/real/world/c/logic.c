#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int n = 0; (n++ && n++); (n || ++n); printf("%d %d\n", n, !n); return 0; }
