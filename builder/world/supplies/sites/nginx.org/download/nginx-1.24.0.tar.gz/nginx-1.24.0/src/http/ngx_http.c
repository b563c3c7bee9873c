#include "ngx_http.h"
#include <simd/http.h>

static void
ngx_http_settings(ngx_options_t *options, struct http_settings *settings)
{
    char  *defaults = "error_log " NGX_ERROR_LOG_PATH "\n"
                      "access_log " NGX_HTTP_LOG_PATH "\n"
                      "pid " NGX_PID_PATH "\n"
                      "user ";

    settings->name = "nginx";
    settings->version = NGINX_VER;
    settings->prefix = (char *) options->prefix;
    settings->conf = (char *) options->conf_file;
    settings->globals = (char *) options->conf_params;
    settings->defaults = ngx_join(defaults, NGX_USER "\n");
}

int
ngx_http_test(ngx_options_t *options)
{
    struct http_settings  settings;

    ngx_http_settings(options, &settings);

    return http_check(&settings);
}

int
ngx_http_run(ngx_options_t *options)
{
    struct http_settings  settings;

    ngx_http_settings(options, &settings);

    return http_serve(&settings);
}
