#ifndef CURL_CURL_H
#define CURL_CURL_H
char *curl_version(void);
#endif
