#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define NAME "x" "y"
#define STR(x) #x
#define XSTR(x) STR(x)
#define CAT(a, b) a##b
#define LONG 1 + \
    2
#if defined(MISSING) || (LONG == 3 && !defined MISSING)
#define CHOSEN 1
#elif 1
#define CHOSEN 2
#else
#error no
#endif
#ifndef CHOSEN
broken
#endif
#undef NAME
#ifdef NAME
also broken
#endif
int main(void) {
    int xy = 5; /* a comment
    over lines */ int line = __LINE__; // and this
    printf("%d %s %s %d %d %d\n", MAX(3, 4), STR(a b), XSTR(CHOSEN), CAT(x, y), CHOSEN, line);
    return 0;
}
