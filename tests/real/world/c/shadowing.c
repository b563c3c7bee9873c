#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

int x = 1;
int main(void) { int x = 2; { int x = 3; x++; { extern int x; printf("%d ", x); } } printf("%d\n", x); return 0; }
