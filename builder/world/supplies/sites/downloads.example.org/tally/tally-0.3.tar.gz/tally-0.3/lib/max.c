#include "tally.h"

long tally_max(long a, long b)
{
    return a > b ? a : b;
}
