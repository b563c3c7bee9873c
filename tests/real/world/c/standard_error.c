#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; fprintf(stderr, "to %s\n", "stderr"); exit(4); }
