#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; FILE *f = fopen("t.txt", "w"); fprintf(f, "a %d\nb\n", 1); fputs("c", f); fclose(f); f = fopen("t.txt", "r"); char l[20]; while (fgets(l, sizeof l, f)) printf("<%s>", l); fclose(f); return remove("t.txt"); }
