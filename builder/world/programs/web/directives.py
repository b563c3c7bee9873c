"""The directives that the simulated web server knows: where each may stand and how many words it takes.

A directive that nginx has and that is not in this table is an unknown directive here; a few that change
what is answered and are not simulated are refused by name (``REFUSED``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """Where a directive may stand (contexts), how many arguments it takes, and which block it opens."""

    contexts: str
    least: int
    most: int
    opens: str


_EVERYWHERE: Final = "http server location"


def _plain(contexts: str, least: int, most: int, names: str) -> dict[str, Rule]:
    return {name: Rule(contexts, least, most, "") for name in names.split()}


DIRECTIVES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "events": Rule("main", 0, 0, "events"),
        "http": Rule("main", 0, 0, "http"),
        "server": Rule("http", 0, 0, "server"),
        "location": Rule("server location", 1, 2, "location"),
        "types": Rule(_EVERYWHERE, 0, 0, "types"),
        "user": Rule("main", 1, 2, ""),
        "error_log": Rule("main http server location", 1, 2, ""),
        "listen": Rule("server", 1, 9, ""),
        "server_name": Rule("server", 1, 99, ""),
        "root": Rule(_EVERYWHERE, 1, 1, ""),
        "alias": Rule("location", 1, 1, ""),
        "index": Rule(_EVERYWHERE, 1, 99, ""),
        "try_files": Rule("server location", 2, 99, ""),
        "return": Rule("server location", 1, 2, ""),
        "error_page": Rule(_EVERYWHERE, 2, 99, ""),
        "add_header": Rule(_EVERYWHERE, 2, 3, ""),
        "log_format": Rule("http", 2, 99, ""),
        "access_log": Rule(_EVERYWHERE, 1, 9, ""),
        "internal": Rule("location", 0, 0, ""),
        "rewrite": Rule("server location", 2, 3, ""),
        "proxy_pass": Rule("location", 1, 1, ""),
        "fastcgi_pass": Rule("location", 1, 1, ""),
        "if": Rule("server location", 1, 9, "location"),
        "upstream": Rule("http", 1, 1, "upstream"),
        "map": Rule("http", 2, 2, "types"),
        "expires": Rule(_EVERYWHERE, 1, 2, ""),
        "gzip_types": Rule(_EVERYWHERE, 1, 99, ""),
        "keepalive_timeout": Rule(_EVERYWHERE, 1, 2, ""),
        **_plain(
            "main", 1, 1, "worker_processes daemon master_process pid worker_rlimit_nofile load_module env"
        ),
        **_plain("main", 1, 1, "worker_shutdown_timeout pcre_jit"),
        **_plain("events", 1, 1, "worker_connections use multi_accept accept_mutex"),
        **_plain(_EVERYWHERE, 1, 1, "default_type sendfile tcp_nopush tcp_nodelay charset server_tokens"),
        **_plain(_EVERYWHERE, 1, 1, "client_max_body_size autoindex absolute_redirect etag gzip gzip_vary"),
        **_plain(_EVERYWHERE, 1, 1, "gzip_proxied gzip_comp_level gzip_min_length gzip_static log_not_found"),
        **_plain(_EVERYWHERE, 1, 1, "client_body_temp_path proxy_temp_path send_timeout port_in_redirect"),
        **_plain(_EVERYWHERE, 1, 1, "types_hash_max_size server_names_hash_bucket_size client_body_timeout"),
        **_plain(_EVERYWHERE, 1, 1, "fastcgi_temp_path uwsgi_temp_path scgi_temp_path client_header_timeout"),
    }
)

REFUSED: Final = ("rewrite", "if", "map", "upstream", "proxy_pass", "fastcgi_pass", "load_module")
"""Directives that would change the answer and are not simulated: saying so beats pretending."""

REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Moved Temporarily",
        303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Authorization Required", 403: "Forbidden", 404: "Not Found",
        405: "Not Allowed", 410: "Gone", 418: "I'm a teapot", 429: "Too Many Requests",
        500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable",
        504: "Gateway Time-out",
    }
)  # fmt: skip
"""The words that nginx puts behind a status (ngx_http_special_response.c)."""
