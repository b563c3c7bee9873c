#ifndef TALLY_H
#define TALLY_H

#include <stdio.h>

struct tally {
    long lines;
    long words;
    long bytes;
};

/* Add what can be read from file to counts. */
void tally_file(struct tally *counts, FILE *file);

/* The larger of two numbers. */
long tally_max(long a, long b);

#endif
