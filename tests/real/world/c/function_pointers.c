#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

static int twice(int x) { return 2 * x; }
static int square(int x) { return x * x; }
static int apply(int (*f)(int), int x) { return f(x); }
struct entry { const char *name; int (*run)(int); };
static const struct entry table[] = { { "twice", twice }, { "square", square }, { NULL, NULL } };
int main(void) {
    for (const struct entry *e = table; e->name; e++) printf("%s %d\n", e->name, e->run(7));
    return apply(&twice, 4) + apply(square, 3);
}
