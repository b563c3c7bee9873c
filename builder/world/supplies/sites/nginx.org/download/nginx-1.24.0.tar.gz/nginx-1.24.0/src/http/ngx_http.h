#ifndef NGX_HTTP_H
#define NGX_HTTP_H

#include "ngx_core.h"

int ngx_http_test(ngx_options_t *options);
int ngx_http_run(ngx_options_t *options);

#endif
