#ifndef _PCRE_H
#define _PCRE_H
#define PCRE_MAJOR 8
#define PCRE_MINOR 45
const char *pcre_version(void);
void *pcre_compile(const char *pattern, int options, const char **error, int *offset, const unsigned char *tables);
int pcre_exec(const void *code, const void *extra, const char *subject, int length, int start, int options, int *vector, int size);
#endif
