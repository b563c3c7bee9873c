#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    int (*check)(const char *);
    unsigned flags;
} rule;

static int is_short(const char *s) { return strlen(s) < 4; }
static int has_dot(const char *s) { return strchr(s, '.') != NULL; }

static const rule rules[] = {
    { "short", is_short, 1 << 0 },
    { .name = "dot", .check = has_dot, .flags = 1 << 1 },
};

static unsigned apply(const char *word)
{
    unsigned found = 0;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].check(word))
            found |= rules[i].flags;
    return found;
}

int main(void)
{
    static const char *const words[] = { "a.c", "main.c", "abc", "longer", 0 };
    const char *const *w;
    for (w = words; *w; ++w)
        printf("%s=%u ", *w, apply(*w));
    putchar('\n');
    return 0;
}
