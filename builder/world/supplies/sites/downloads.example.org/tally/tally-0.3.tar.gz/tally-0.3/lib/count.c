#include <ctype.h>
#include <tally.h>

void tally_file(struct tally *counts, FILE *file)
{
    int c, inside = 0;

    while ((c = fgetc(file)) != EOF) {
        counts->bytes++;
        if (c == '\n')
            counts->lines++;
        if (isspace(c)) {
            inside = 0;
        } else if (!inside) {
            inside = 1;
            counts->words++;
        }
    }
}
