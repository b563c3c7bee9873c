"""The web server: its configuration, what it answers, and what it refuses."""

from __future__ import annotations

import pytest

CONF = """events {{}}
http {{
  types {{ text/html html; text/css css; }}
  server {{
    listen 80;
    root /srv;
{}
  }}
}}
"""
START = "nginx -c /t.conf -g 'daemon off;'"


@pytest.fixture
def server(machine):
    """An image with a server, files below /srv, and a way to write its configuration."""
    here = machine("nginx:1.24")
    here.run("mkdir -p /srv/sub /srv/empty; cd /srv; echo home > index.html; echo css > a.css")
    here.run("echo in > /srv/sub/index.html")

    def with_lines(*lines: str):
        here.fs.write_bytes("/t.conf", CONF.format("\n".join(lines)).encode())
        return here

    return with_lines


def test_a_file_is_answered_with_its_type(server):
    answer = server().get(START, "/a.css")

    assert (answer.status, answer.body) == (200, b"css\n")
    assert answer.headers["Content-Type"] == "text/css"
    assert answer.headers["Content-Length"] == "4"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 200),
        ("/index.html", 200),
        ("/none", 404),
        ("/empty/", 403),
        ("/sub", 301),
        ("/sub/", 200),
        ("/sub/../a.css", 200),
        ("/../etc/passwd", 400),
        ("/%2e%2e/etc/passwd", 400),
        ("/a.css/", 404),
        ("/a%2ecss", 200),
        ("/%00", 400),
        ("/a.css?query=1", 200),
    ],
)
def test_every_kind_of_path_has_its_status(server, target, status):
    assert server().get(START, target).status == status


def test_a_later_change_of_the_page_changes_the_answer(server):
    here = server()
    here.fs.write_bytes("/srv/index.html", b"changed")
    assert here.get(START).body == b"changed"

    here.fs.unlink("/srv/index.html")
    assert here.get(START, "/index.html").status == 404
    assert here.get(START, "/").status == 403


def test_a_page_that_the_worker_may_not_read_is_forbidden(server):
    here = server()
    here.fs.chmod("/srv/a.css", 0o600)

    assert here.get(START, "/a.css").status == 403


@pytest.mark.parametrize(
    ("lines", "target", "status", "body"),
    [
        (["location /x { return 200 'hi $uri'; }"], "/x/y", 200, b"hi /x/y"),
        (["location = /x { return 204; }"], "/x", 204, b""),
        (["location /old { return 301 /new; }"], "/old", 301, None),
        (["location ~ \\.css$ { return 418; }"], "/a.css", 418, None),
        (["location ^~ /a { root /srv; }", "location ~ css { return 418; }"], "/a.css", 200, b"css\n"),
        (["location / { try_files $uri $uri/ /index.html; }"], "/app/route", 200, b"home\n"),
        (["location / { try_files $uri =404; }"], "/app", 404, None),
        (["location /files/ { alias /srv/sub/; }"], "/files/index.html", 200, b"in\n"),
        (["error_page 404 /a.css;"], "/none", 404, b"css\n"),
        (["error_page 404 =200 /a.css;"], "/none", 200, b"css\n"),
        (["location = /a.css { internal; }"], "/a.css", 404, None),
        (["index a.css;"], "/", 200, b"css\n"),
        (
            ["location / { try_files $uri @else; }", "location @else { return 200 named; }"],
            "/q",
            200,
            b"named",
        ),
    ],
)
def test_directives_decide_what_is_answered(server, lines, target, status, body):
    answer = server(*lines).get(START, target)

    assert answer.status == status
    if body is not None:
        assert answer.body == body


def test_the_host_chooses_the_server(server):
    here = server("server_name one.example;")
    text = here.fs.read_bytes("/t.conf").decode()
    other = "server { listen 80; server_name *.two.example; return 200 two; }\n}\n"
    here.fs.write_bytes("/t.conf", (text.rstrip().removesuffix("}") + other).encode())

    assert here.get(START, host="a.two.example").body == b"two"
    assert here.get(START, host="one.example").body == b"home\n"
    assert here.get(START, host="unknown").body == b"home\n"


def test_added_headers_are_sent(server):
    answer = server("add_header X-Layer top;").get(START)

    assert answer.headers["X-Layer"] == "top"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("events {}\nhttp {\n  bogus on;\n}\n", 'unknown directive "bogus" in /t.conf:3'),
        ("events {}\nhttp {\n", 'unexpected end of file, expecting "}" in /t.conf:2'),
        ("events {}\nhttp {\n  server {\n    listen 80\n  }\n}\n", 'unexpected "}" in /t.conf:5'),
        ("events {}\nlisten 80;\n", '"listen" directive is not allowed here in /t.conf:2'),
        ("events {}\n}\n", 'unexpected "}" in /t.conf:2'),
        ("events;\n", 'directive "events" has no opening "{" in /t.conf:1'),
        ("events {}\nuser root {}\n", 'directive "user" is not terminated by ";" in /t.conf:2'),
        (
            "events {}\nworker_processes 1 2;\n",
            'invalid number of arguments in "worker_processes" directive in /t.conf:2',
        ),
        ("http {}\n", 'no "events" section in configuration'),
        ("events {}\nuser nobody_here;\nhttp {}\n", 'getpwnam("nobody_here") failed in /t.conf:2'),
        (
            "events {}\ninclude /missing;\n",
            'open() "/missing" failed (2: No such file or directory) in /t.conf:2',
        ),
        (
            "events {}\nhttp { server { listen x:y; } }\n",
            'invalid port in "x:y" of the "listen" directive in /t.conf:2',
        ),
        (
            "events {}\nhttp { server { location / { proxy_pass http://x; } } }\n",
            'not simulated: directive "proxy_pass"',
        ),
        ("events {}\nuser a;\nuser b;\nhttp {}\n", '"user" directive is duplicate in /t.conf:3'),
        ("events {}\nerror_log '/x\n", "unexpected end of file"),
        ("include /t.conf;\n", "blocks are nested too deeply"),
    ],
)
def test_a_broken_configuration_names_its_line(server, text, message):
    here = server()
    here.fs.write_bytes("/t.conf", text.encode())

    status, output = here.run(START)

    assert status == 1
    assert f"nginx: [emerg] {message}" in output


def test_t_tells_that_a_configuration_is_good(server):
    status, output = server().run("nginx -t -c /t.conf")

    assert status == 0
    assert "the configuration file /t.conf syntax is ok" in output


def test_a_daemon_lets_its_starter_end(server):
    assert server().run("nginx -c /t.conf; echo after") == (0, "after\n")


def test_a_missing_log_directory_stops_the_server(server):
    here = server()

    status, output = here.run("nginx -c /t.conf -g 'error_log /no/such/dir/e.log; daemon off;'")

    assert status == 1
    assert 'open() "/no/such/dir/e.log" failed (2: No such file or directory)' in output


def test_two_servers_cannot_share_a_port(server):
    status, output = server().run("nginx -c /t.conf; nginx -c /t.conf")

    assert status == 1
    assert "bind() to 0.0.0.0:80 failed (98: Address already in use)" in output


def test_a_client_in_the_same_container_is_answered(machine):
    here = machine("nginx:alpine")

    assert here.run("nginx > /dev/null; wget -q -O - http://localhost/ | head -n 1") == (
        0,
        "<!DOCTYPE html>\n",
    )
