#ifndef NGX_CORE_H
#define NGX_CORE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ngx_auto_config.h"

#define NGINX_VERSION  "1.24.0"
#define NGINX_VER      "nginx/" NGINX_VERSION

#define NGX_OK      0
#define NGX_ERROR  -1

typedef struct {
    int          show_version;
    int          show_configure;
    int          show_help;
    int          test_config;
    const char  *prefix;
    const char  *conf_file;
    const char  *conf_params;
} ngx_options_t;

int ngx_get_options(ngx_options_t *options, int argc, char **argv);
char *ngx_join(const char *first, const char *second);

#endif
