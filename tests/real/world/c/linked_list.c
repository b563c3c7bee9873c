#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

struct node { int value; struct node *next; };
int main(void) {
    struct node *head = NULL;
    for (int i = 0; i < 5; i++) { struct node *n = malloc(sizeof *n); n->value = i; n->next = head; head = n; }
    int sum = 0;
    for (struct node *n = head; n; n = n->next) sum = sum * 10 + n->value;
    printf("%d\n", sum);
    return 0;
}
