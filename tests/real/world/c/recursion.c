#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int even(int n); int odd(int n) { return n == 0 ? 0 : even(n - 1); }
int even(int n) { return n == 0 ? 1 : odd(n - 1); }
int main(void) { printf("%d %d\n", fib(12), even(10)); return 0; }
