"""Which proxy is used for which host: as curl decides, but for this machine, which needs none."""

from __future__ import annotations

import http.client
import http.server
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from registry_served import host, served

from builder.transport.registry.endpoint import Origin
from builder.transport.registry.http import Proxies


class Proxy(http.server.ThreadingHTTPServer):
    """A proxy that passes plain requests to one server, whatever host they name, and keeps the addresses."""

    daemon_threads = True

    def __init__(self, target: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Proxy

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(502)

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if not self.server.target:
            self.send_response(204)
            self.end_headers()
            return
        connection = http.client.HTTPConnection(self.server.target)
        path = "/" + self.path.split("/", 3)[3]
        connection.request(self.command, path, headers={"Accept": self.headers.get("Accept", "*/*")})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name in ("Content-Type", "Docker-Content-Digest"):
            if value := answer.headers.get(name):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def started() -> Iterator[Callable[[str], Proxy]]:
    proxies: list[Proxy] = []

    def start(target: str = "") -> Proxy:
        proxy = Proxy(target)
        proxies.append(proxy)
        threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
        return proxy

    yield start
    for proxy in proxies:
        proxy.shutdown()
        proxy.server_close()


CASES = [
    ({}, "http://a.test/"),
    ({"http_proxy": "P"}, "http://a.test/"),
    ({"http_proxy": "P"}, "https://a.test/"),
    ({"HTTP_PROXY": "P"}, "http://a.test/"),
    ({"https_proxy": "P"}, "https://a.test/"),
    ({"HTTPS_PROXY": "P"}, "https://a.test/"),
    ({"https_proxy": "P"}, "http://a.test/"),
    ({"all_proxy": "P"}, "http://a.test/"),
    ({"ALL_PROXY": "P"}, "https://a.test/"),
    ({"http_proxy": "P", "no_proxy": "a.test"}, "http://a.test/"),
    ({"http_proxy": "P", "NO_PROXY": "a.test"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": "A.TEST"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": "test"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": ".test"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": "est"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": "b.test, a.test"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": "b.test a.test"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": "a.test"}, "http://b.a.test/"),
    ({"http_proxy": "P", "no_proxy": "b.a.test"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": "*"}, "http://a.test/"),
    ({"http_proxy": "P", "no_proxy": "192.0.2.0/24"}, "http://192.0.2.7/"),
    ({"http_proxy": "P", "no_proxy": "192.0.2.0/24"}, "http://198.51.100.7/"),
    ({"http_proxy": "P", "no_proxy": "192.0.2.7"}, "http://192.0.2.7/"),
    ({"http_proxy": "P", "no_proxy": "192.0.2"}, "http://192.0.2.7/"),
]


@pytest.mark.tools("curl")
@pytest.mark.parametrize(("env", "url"), CASES)
def test_a_proxy_is_used_where_curl_uses_one(
    started: Callable[[], Proxy], env: dict[str, str], url: str
) -> None:
    proxy = started()
    given = {name: proxy.url if value == "P" else value for name, value in env.items()}
    subprocess.run(
        ["curl", "-s", "-o", os.devnull, "--connect-timeout", "0.2", "--max-time", "2", url],
        env={"PATH": os.environ["PATH"], **given},
        check=False,
    )

    chosen = Proxies.of(given).for_(Origin.of(url))

    assert (chosen is not None) == bool(proxy.asked)


@pytest.mark.parametrize("url", ["http://localhost:5000/", "https://127.0.0.1/", "http://[::1]:5000/"])
def test_this_machine_is_reached_without_a_proxy(url: str) -> None:
    given = dict.fromkeys(("http_proxy", "https_proxy"), "http://gateway.invalid:3128")

    assert Proxies.of(given).for_(Origin.of(url)) is None


def test_a_pull_goes_through_the_proxy(
    started: Callable[[str], Proxy],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture,
) -> None:
    from course.cli import run

    for name in ("all_proxy", "no_proxy", "NO_PROXY", "LAYERLAB_MIRRORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "here"))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nLABEL a=b\nCOPY Dockerfile /\n")
    (tmp_path / ".dockerignore").write_text("*\n!Dockerfile\n")
    with served(tmp_path / "registry") as server:
        assert run(["build", "-q", "-t", f"{host(server)}/web:1", "--push", str(tmp_path)]) == 0
        proxy = started(host(server))
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "there"))
        words = ["pull", "--insecure-registry", "registry.test", "registry.test/web:1"]

        through = run(words)
        monkeypatch.setenv("no_proxy", "registry.test")
        monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "nowhere"))
        around = run(words)

    assert (through, around) == (0, 1)
    assert "http://registry.test/v2/web/manifests/1" in proxy.asked
    assert "registry.test" in capfd.readouterr().err
