#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; FILE *f = fopen("nope", "r"); if (!f) { perror("nope"); return 3; } return 0; }
