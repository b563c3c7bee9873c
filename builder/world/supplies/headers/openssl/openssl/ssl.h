#ifndef OPENSSL_SSL_H
#define OPENSSL_SSL_H
#include <stddef.h>
const char *OpenSSL_version(int type);
int OPENSSL_init_ssl(unsigned long options, const void *settings);
#endif
