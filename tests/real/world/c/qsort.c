#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair { int key; char name[8]; };

static int by_key(const void *a, const void *b)
{
    return ((const struct pair *)a)->key - ((const struct pair *)b)->key;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char **)a, *(const char **)b);
}

int main(void)
{
    struct pair pairs[] = { { 3, "c" }, { -1, "a" }, { 2, "b" } };
    const char *words[] = { "pear", "apple", "fig" };

    qsort(pairs, 3, sizeof pairs[0], by_key);
    qsort(words, 3, sizeof(char *), by_text);
    for (int i = 0; i < 3; i++)
        printf("%d %s %s\n", pairs[i].key, pairs[i].name, words[i]);
    return 0;
}
