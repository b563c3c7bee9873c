#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
int main(int argc, char **argv) { (void)argc; (void)argv; printf("[%5d|%-5d|%05d|%+d|%x|%X|%#x|%o|%c|%%|%10s|%-4s|%.2s|%*d]\n", 42, 42, 42, 42, 255, 255, 255, 8, 'x', "right", "l", "cut", 4, 7); printf("%ld %lu %lld %hhd\n", 1L << 40, 5ul, -3LL, 300); return 0; }
