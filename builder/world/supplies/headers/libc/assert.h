#ifndef _ASSERT_H
#define _ASSERT_H
int fprintf(struct _FILE *stream, const char *format, ...);
struct _FILE *__stream(int descriptor);
void abort(void);
#ifdef NDEBUG
#define assert(test) ((void)0)
#else
#define assert(test) ((test) ? (void)0 : (fprintf(__stream(2), "Assertion failed: %s (%s: %d)\n", #test, __FILE__, __LINE__), abort()))
#endif
#endif
