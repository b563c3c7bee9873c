#ifndef ZLIB_H
#define ZLIB_H
#define ZLIB_VERSION "1.3.1"
const char *zlibVersion(void);
unsigned long crc32(unsigned long crc, const unsigned char *bytes, unsigned int size);
unsigned long adler32(unsigned long adler, const unsigned char *bytes, unsigned int size);
int deflateInit_(void *stream, int level, const char *version, int size);
int deflate(void *stream, int flush);
int inflate(void *stream, int flush);
#endif
