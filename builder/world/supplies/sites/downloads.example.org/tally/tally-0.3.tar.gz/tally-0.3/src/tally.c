#include <string.h>
#include "tally.h"

static int count(const char *name, struct tally *total)
{
    struct tally one = { 0, 0, 0 };
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");

    if (file == NULL) {
        perror(name);
        return 1;
    }
    tally_file(&one, file);
    if (file != stdin)
        fclose(file);
    printf("%ld %ld %ld%s%s\n", one.lines, one.words, one.bytes,
           file == stdin ? "" : " ", file == stdin ? "" : name);
    total->lines += one.lines;
    total->words += one.words;
    total->bytes += one.bytes;
    return 0;
}

int main(int argc, char *argv[])
{
    struct tally total = { .bytes = 0 };
    int status = 0;

    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("tally " VERSION);
        return 0;
    }
    if (argc < 2)
        return count("-", &total);
    for (int i = 1; i < argc; i++)
        status = tally_max(status, count(argv[i], &total));
    if (argc > 2)
        printf("%ld %ld %ld total\n", total.lines, total.words, total.bytes);
    return status;
}
