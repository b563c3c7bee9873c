#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

static int counter; int shared = 3; static const char *names[] = { "a", "b" };
int next(void) { static int calls = 10; counter++; return ++calls; }
int main(void) { next(); next(); printf("%d %d %d %s\n", counter, counter, shared, names[1]); return 0; }
