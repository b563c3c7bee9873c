#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; for (int i = 0; i < 3; i++) for (int j = 0; j < 3; j++) { if (j == 2) break; printf("%d%d ", i, j); } return 0; }
