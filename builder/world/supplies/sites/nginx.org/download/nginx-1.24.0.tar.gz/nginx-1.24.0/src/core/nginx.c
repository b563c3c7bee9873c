#include "ngx_core.h"
#include "ngx_http.h"

#ifdef NGX_ZLIB
#include <zlib.h>
#endif

#ifdef NGX_PCRE
#include <pcre.h>
#endif

static void ngx_show_version_info(ngx_options_t *options);

int
main(int argc, char **argv)
{
    ngx_options_t  options;

    memset(&options, 0, sizeof(ngx_options_t));

    options.prefix = NGX_PREFIX;
    options.conf_file = NGX_CONF_PATH;
    options.conf_params = "";

    if (ngx_get_options(&options, argc, argv) != NGX_OK) {
        return 1;
    }

    if (options.show_version) {
        ngx_show_version_info(&options);
        return 0;
    }

    if (options.test_config) {
        return ngx_http_test(&options);
    }

    return ngx_http_run(&options);
}

static void
ngx_show_version_info(ngx_options_t *options)
{
    fprintf(stderr, "nginx version: %s\n", NGINX_VER);

    if (options->show_help) {
        fprintf(stderr,
            "Usage: nginx [-?hvVtq] [-p prefix] [-c filename] [-g directives]\n"
            "\n"
            "Options:\n"
            "  -?,-h         : this help\n"
            "  -v            : show version and exit\n"
            "  -V            : show version and configure options then exit\n"
            "  -t            : test configuration and exit\n"
            "  -p prefix     : set prefix path (default: %s)\n"
            "  -c filename   : set configuration file (default: %s)\n"
            "  -g directives : set global directives out of configuration file\n",
            NGX_PREFIX, NGX_CONF_PATH);
    }

    if (options->show_configure) {
#ifdef NGX_PCRE
        fprintf(stderr, "built with PCRE %s\n", pcre_version());
#endif
#ifdef NGX_ZLIB
        fprintf(stderr, "built with zlib %s\n", zlibVersion());
#endif
        fprintf(stderr, "configure arguments:%s\n", NGX_CONFIGURE);
    }
}
