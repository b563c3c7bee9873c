#include "ngx_core.h"

int
ngx_get_options(ngx_options_t *options, int argc, char **argv)
{
    int    i;
    char  *p;

    for (i = 1; i < argc; i++) {

        p = argv[i];

        if (*p++ != '-') {
            fprintf(stderr, "nginx: invalid option: \"%s\"\n", argv[i]);
            return NGX_ERROR;
        }

        while (*p) {

            switch (*p++) {

            case '?':
            case 'h':
                options->show_version = 1;
                options->show_help = 1;
                break;

            case 'v':
                options->show_version = 1;
                break;

            case 'V':
                options->show_version = 1;
                options->show_configure = 1;
                break;

            case 't':
                options->test_config = 1;
                break;

            case 'q':
                break;

            case 'p':
            case 'c':
            case 'g': {
                char         letter = p[-1];
                const char  *value = *p ? p : i + 1 < argc ? argv[++i] : NULL;

                if (value == NULL) {
                    fprintf(stderr, "nginx: option \"-%c\" requires parameter\n", letter);
                    return NGX_ERROR;
                }

                if (letter == 'p') {
                    options->prefix = value;
                } else if (letter == 'c') {
                    options->conf_file = value;
                } else {
                    options->conf_params = value;
                }

                p = "";
                break;
            }

            default:
                fprintf(stderr, "nginx: invalid option: \"%c\"\n", p[-1]);
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}
