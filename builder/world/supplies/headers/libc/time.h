#ifndef _TIME_H
#define _TIME_H
typedef long time_t;
time_t time(time_t *seconds);
#endif
