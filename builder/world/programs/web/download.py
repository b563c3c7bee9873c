"""wget and curl: fetching from the toy internet, or from a server inside the simulated container."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from builder.world.machine.network import HttpRequest
from builder.world.machine.process import Process
from builder.world.supplies.internet import Internet, UnreachableError
from builder.world.utilities.commandline import Options, parse

_LOCAL: Final = frozenset(("localhost", "127.0.0.1", "0.0.0.0", "::1"))
_WGET_USAGE: Final = "Usage: wget [-cqS] [-O FILE] [-P DIR] [-U AGENT] [-T SEC] [--spider] URL..."
_CURL_USAGE: Final = "curl: try 'curl --help' for more information"
WGET_SPEC: Final = "cqSO:P:T:U:nvt:o:Y:"
_WGET_LONG: Final = {
    "output-document": "O", "directory-prefix": "P", "timeout": "T", "quiet": "q", "continue": "c",
    "spider": "1",
    "no-check-certificate": "2", "tries": "t", "no-verbose": "3", "header": "4:", "post-data": "5:",
    "user-agent": "U", "progress": "6:", "show-progress": "7", "https-only": "8", "max-redirect": "9:",
}  # fmt: skip
_CURL_SPEC: Final = "fsSLo:OkIvH:A:m:d:X:u:ie:C:w:x:#46"
_CURL_LONG: Final = {
    "fail": "f", "silent": "s", "show-error": "S", "location": "L", "output": "o", "remote-name": "O",
    "insecure": "k", "head": "I", "verbose": "v", "header": "H", "user-agent": "A", "max-time": "m",
    "retry": "1:", "connect-timeout": "2:", "create-dirs": "3", "proto": "4:", "tlsv1.2": "5",
    "write-out": "w",
    "request": "X", "data": "d", "retry-delay": "6:", "include": "i", "compressed": "7", "progress-bar": "#",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """What a URL answered."""

    status: int
    reason: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class NoAnswerError(Exception):
    """Nobody answered; ``host`` was not found unless ``is_refused``."""

    def __init__(self, what: str, host: str, *, is_refused: bool, hint: str = "") -> None:
        super().__init__(what)
        self.host = host
        self.is_refused = is_refused
        self.hint = hint


def fetch(process: Process, url: str) -> Page:
    """What ``url`` answers, inside the container or in the toy internet; NoAnswerError if nobody does."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise NoAnswerError(str(error), url, is_refused=False) from error
    if host in _LOCAL:
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            answer = process.machine.network.request(port, HttpRequest("GET", target, parts.netloc))
        except ConnectionRefusedError as error:
            raise NoAnswerError("Connection refused", host, is_refused=True) from error
        return Page(answer.status, answer.reason, answer.body, tuple(answer.headers.items()))
    internet = process.machine.internet
    if not isinstance(internet, Internet):
        raise NoAnswerError("no network", host, is_refused=False, hint="this command has no network")
    try:
        response = internet.fetch(url)
    except UnreachableError as error:
        names = ", ".join(error.hosts) or "none: there is no network"
        raise NoAnswerError(
            str(error), host, is_refused=False, hint=f"hosts of the toy internet: {names}"
        ) from error
    return Page(response.status, response.reason, response.body)


def wget(process: Process) -> int:
    """Fetch URLs into files as busybox's wget does; 1 if one cannot be had."""
    options = parse(process.argv[1:], WGET_SPEC, _WGET_LONG, usage=_WGET_USAGE)
    if not options.operands:
        process.stderr.write(f"{_WGET_USAGE}\n".encode("utf-8", "surrogateescape"))
        return 1
    status = 0
    for url in options.operands:
        status = max(status, _wget_one(process, options, url))
    return status


def _wget_one(process: Process, options: Options, url: str) -> int:
    def say(text: str) -> None:
        if "q" not in options:
            process.stderr.write(f"{text}\n".encode("utf-8", "surrogateescape"))

    try:
        page = fetch(process, url)
    except NoAnswerError as error:
        if error.is_refused:
            process.complain(f"can't connect to remote host ({error.host}): Connection refused")
        else:
            process.complain(f"bad address '{error.host}'")
        if error.hint:
            process.stderr.write(f"({error.hint})\n".encode("utf-8", "surrogateescape"))
        return 1
    say(f"Connecting to {urlsplit(url if '://' in url else f'http://{url}').netloc}")
    if page.status >= 400:
        process.complain(f"server returned error: HTTP/1.1 {page.status} {page.reason}")
        return 8 if page.status == 404 and process.env.get("WGET_GNU") else 1
    if "1" in options:
        say("remote file exists")
        return 0
    name = options.value("O") or _name_of(url)
    if options.value("P") and not options.value("O"):
        name = f"{options.value('P').rstrip('/')}/{name}"
    if name == "-":
        process.stdout.write(page.body)
        return 0
    say(f"saving to '{name}'")
    _save(process, name, page.body)
    say(f"'{name}' saved")
    return 0


def _name_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2] or "index.html"


def _save(process: Process, path: str, body: bytes) -> None:
    file = process.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    file.write(body)
    file.close()


def curl(process: Process) -> int:
    """Fetch URLs as curl does: to standard output, or into files with -o and -O."""
    options = parse(process.argv[1:], _CURL_SPEC, _CURL_LONG, usage=_CURL_USAGE)
    method = options.value("X", "GET")
    if "d" in options or method not in ("GET", "HEAD"):
        process.complain("not simulated: sending data (-d) and methods other than GET")
        return 2
    if not options.operands:
        process.complain("no URL specified")
        return 2
    names = options.values("o")
    status = 0
    for index, url in enumerate(options.operands):
        name = _name_of(url) if "O" in options else names[index] if index < len(names) else "-"
        status = _curl_one(process, options, url, name) or status
    return status


def _curl_one(process: Process, options: Options, url: str, name: str) -> int:
    is_quiet = "s" in options and "S" not in options

    def fail(status: int, text: str) -> int:
        if not is_quiet:
            process.stderr.write(f"curl: ({status}) {text}\n".encode("utf-8", "surrogateescape"))
        return status

    try:
        page = fetch(process, url)
    except NoAnswerError as error:
        if error.is_refused:
            return fail(7, f"Failed to connect to {error.host}: Connection refused")
        hint = f" ({error.hint})" if error.hint else ""
        return fail(6, f"Could not resolve host: {error.host}{hint}")
    if "f" in options and page.status >= 400:
        return fail(22, f"The requested URL returned error: {page.status}")
    body = page.body
    if "I" in options or "i" in options:
        head = f"HTTP/1.1 {page.status} {page.reason}\r\n"
        head += "".join(f"{key}: {value}\r\n" for key, value in page.headers) + "\r\n"
        body = head.encode("utf-8", "surrogateescape") + (b"" if "I" in options else body)
    if name == "-":
        process.stdout.write(body)
    else:
        if "3" in options and "/" in name:
            _make_directories(process, name.rpartition("/")[0])
        _save(process, name, body)
    if "w" in options:
        text = options.value("w").replace("%{http_code}", f"{page.status:03}")
        process.out(text.replace("%{size_download}", str(len(page.body))).replace("\\n", "\n"))
    return 0


def _make_directories(process: Process, path: str) -> None:
    begin = "/" if path.startswith("/") else ""
    parts = [part for part in path.split("/") if part]
    for depth in range(1, len(parts) + 1):
        directory = begin + "/".join(parts[:depth])
        if not process.fs.exists(directory):
            process.fs.mkdir(directory)
