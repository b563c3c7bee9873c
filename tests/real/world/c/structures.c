#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

struct point { int x, y; };
typedef struct { char name[8]; struct point at; struct point *next; } item;
static struct point add(struct point a, struct point b) { struct point c = { a.x + b.x, a.y + b.y }; return c; }
int main(void) {
    struct point p = { 1, 2 }, q = { .y = 5 };
    item i = { "it", { 3, 4 }, &p };
    struct point r = add(p, add(q, i.at));
    item copy = i;
    copy.at.x = 99;
    i.next->y = 7;
    printf("%d %d %d %d %s %lu %d\n", r.x, r.y, i.at.x, p.y, copy.name, sizeof(item), copy.at.x);
    return 0;
}
