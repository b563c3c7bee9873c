#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

static void sort(int *a, int n) {
    for (int i = 1; i < n; i++) { int v = a[i], j = i; while (j > 0 && a[j - 1] > v) { a[j] = a[j - 1]; j--; } a[j] = v; }
}
int main(void) { int a[] = { 5, 2, 9, 1, 5, 6 }; sort(a, 6); for (int i = 0; i < 6; i++) printf("%d ", a[i]); puts(""); return 0; }
