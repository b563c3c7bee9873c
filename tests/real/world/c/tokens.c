#include <ctype.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    char line[] = "  one, two,,three ";
    for (char *word = strtok(line, " ,"); word; word = strtok(NULL, " ,"))
        printf("[%s]", word);
    printf("\n%lu %lu %s\n", strspn("aab", "a"), strcspn("hello", "l"), (char *)memchr("abc", 'b', 3));
    int counts[4] = { 0 };
    for (const char *p = "aF3! \n"; *p; p++) {
        counts[0] += !!isxdigit(*p);
        counts[1] += !!isprint(*p);
        counts[2] += !!ispunct(*p);
        counts[3] += !!isspace(*p);
    }
    printf("%d %d %d %d\n", counts[0], counts[1], counts[2], counts[3]);
    return 0;
}
