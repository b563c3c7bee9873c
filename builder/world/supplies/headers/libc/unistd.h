#ifndef _UNISTD_H
#define _UNISTD_H
#include <stddef.h>
#define F_OK 0
#define R_OK 4
#define W_OK 2
#define X_OK 1
int access(const char *path, int mode);
int unlink(const char *path);
unsigned sleep(unsigned seconds);
int getpid(void);
unsigned getuid(void);
unsigned geteuid(void);
void _exit(int status);
#endif
