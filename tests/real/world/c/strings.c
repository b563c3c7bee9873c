#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; char b[32] = "abc"; strcat(b, "def"); b[0] = toupper(b[0]); printf("%s %lu %d %s\n", b, strlen(b), strcmp(b, "Abd") < 0, strchr(b, 'd')); return 0; }
