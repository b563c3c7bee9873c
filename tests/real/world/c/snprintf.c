#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; char b[6]; int n = snprintf(b, sizeof b, "%d-%s", 12, "long"); printf("%s %d\n", b, n); return 0; }
