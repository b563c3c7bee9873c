#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; int a = (1, 2, 3); printf("%d %s\n", a, a > 2 ? "big" : "small"); return 0; }
