#include "ngx_core.h"

/* A new string that holds both, one behind the other. */
char *
ngx_join(const char *first, const char *second)
{
    size_t  n = strlen(first);
    char   *p = malloc(n + strlen(second) + 1);

    if (p == NULL) {
        return NULL;
    }

    strcpy(p, first);
    strcpy(p + n, second);

    return p;
}
