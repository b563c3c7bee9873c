#ifndef _STRING_H
#define _STRING_H
#include <stddef.h>
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
int strcasecmp(const char *a, const char *b);
char *strcpy(char *to, const char *from);
char *strncpy(char *to, const char *from, size_t size);
char *strcat(char *to, const char *from);
char *strncat(char *to, const char *from, size_t size);
char *strdup(const char *text);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
char *strstr(const char *text, const char *part);
char *strtok(char *text, const char *signs);
size_t strspn(const char *text, const char *signs);
size_t strcspn(const char *text, const char *signs);
void *memchr(const void *from, int c, size_t size);
char *strerror(int number);
void *memset(void *to, int c, size_t size);
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
#endif
