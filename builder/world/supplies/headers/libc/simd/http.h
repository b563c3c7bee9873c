/* How a program of the simulated world serves HTTP: see the documentation of the simulated compiler. */
#ifndef _SIMD_HTTP_H
#define _SIMD_HTTP_H
struct http_settings {
    char *name;      /* how messages begin */
    char *version;   /* what the Server header says */
    char *prefix;    /* where relative paths of the configuration begin */
    char *conf;      /* the configuration file, in nginx's grammar */
    char *globals;   /* directives that stand before it */
    char *defaults;  /* lines of "directive value": what counts where it says nothing */
};
int http_check(struct http_settings *settings);
int http_serve(struct http_settings *settings);
#endif
