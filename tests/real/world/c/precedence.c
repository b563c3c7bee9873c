#include <stdio.h>

int main(void)
{
    int a = 1, b = 2, c = 3;
    unsigned u = 7;
    int *p = &a;
    printf("%d %d %d %d\n", a + b * c, (a + b) * c, a << b + c, a < b == c > b);
    printf("%d %d %d\n", a & b == 2, !a == b, -a + +b);
    printf("%d %d %d\n", a ? b : c ? 4 : 5, a == 1 || b++ && c++, b);
    printf("%u %u %u\n", u / 2, u % 4, -u / 2);
    printf("%d %d\n", *p++ == 1, sizeof a + 1 == 5);
    printf("%d\n", a = b = c);
    printf("%ld %ld\n", 1L << 33, (long)1 ? 2L : 3L);
    return (a, b, c);
}
