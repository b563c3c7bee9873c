#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; for (int i = 0; i < 5; i++) switch (i) { case 1: printf("one "); case 2: printf("two "); break; case 3: continue; default: printf("other "); } puts(""); return 0; }
