"""wget and curl on the toy internet and inside the container."""

from __future__ import annotations

import pytest

from builder.world.supplies.internet import NO_INTERNET


@pytest.mark.parametrize(
    ("script", "status", "output"),
    [
        ("wget -q -O - https://example.com/ | head -n 1", 0, "<!doctype html>\n"),
        ("wget -q https://example.com/index.html && ls index.html", 0, "index.html\n"),
        ("wget -q -P /d https://example.com/index.html; ls /d", 0, "index.html\n"),
        ("wget -q https://example.com/none", 1, "wget: server returned error: HTTP/1.1 404 Not Found\n"),
        (
            "wget -q http://localhost:9/",
            1,
            "wget: can't connect to remote host (localhost): Connection refused\n",
        ),
    ],
)
def test_wget(machine, script, status, output):
    here = machine("alpine:3.19")
    here.fs.mkdir("/d")

    assert here.run(script) == (status, output)


def test_an_unknown_host_names_the_known_ones(machine):
    status, output = machine("alpine:3.19").run("wget https://unknown.example/x")

    assert status == 1
    assert "wget: bad address 'unknown.example'" in output
    assert "nginx.org" in output


def test_without_a_network_no_host_has_an_address(machine):
    status, output = machine("alpine:3.19", internet=NO_INTERNET).run("wget https://example.com/")

    assert status == 1
    assert "there is no network" in output


@pytest.mark.parametrize(
    ("script", "status", "output"),
    [
        ("curl -fsSL https://example.com/ | head -n 1", 0, "<!doctype html>\n"),
        ("curl -f https://example.com/none", 22, "curl: (22) The requested URL returned error: 404\n"),
        ("curl -sf https://example.com/none", 22, ""),
        ("curl -sO https://example.com/index.html && ls index.html", 0, "index.html\n"),
        ("curl -s -o /tmp/x -w '%{http_code}\\n' https://example.com/", 0, "200\n"),
        ("curl http://localhost/", 7, "curl: (7) Failed to connect to localhost: Connection refused\n"),
        ("curl --nonsense https://example.com/", 2, None),
    ],
)
def test_curl(machine, script, status, output):
    found = machine("gcc:12").run(script)

    if output is None:
        assert found[0] != 0
    else:
        assert found == (status, output)


def test_a_checksum_from_the_server_fits_the_archive(machine):
    script = (
        "wget -q https://downloads.example.org/tally/tally-0.3.tar.gz "
        "https://downloads.example.org/tally/tally-0.3.tar.gz.sha256 && sha256sum -c tally-0.3.tar.gz.sha256"
    )

    assert machine("alpine:3.19").run(script) == (0, "tally-0.3.tar.gz: OK\n")
