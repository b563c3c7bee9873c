"""Starting the simulated web server: check a configuration, open logs, listen, serve."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from builder.world.machine.network import Handler, HttpRequest, HttpResponse, Serving
from builder.world.machine.process import Process
from builder.world.programs.web.conf import ConfigError, Directive, parse, parse_text
from builder.world.programs.web.names import refuse_unsimulated
from builder.world.programs.web.site import Site
from unionfs_sim.accounts import users
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.posix import Posix

_STANDARD: Final[Mapping[str, int]] = {
    "/dev/stdout": 1,
    "/dev/stderr": 2,
    "/proc/self/fd/1": 1,
    "/proc/self/fd/2": 2,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server was built and started. ``defaults``: what counts where the configuration says nothing."""

    name: str
    version: str
    prefix: str
    conf: str
    globals: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def conf_path(self) -> str:
        """The configuration file; a relative one begins at the prefix."""
        return self.conf if self.conf.startswith("/") else f"{self.prefix.rstrip('/')}/{self.conf}"


def check(process: Process, settings: Settings) -> int:
    """0 if the configuration is good, else 1; says so on stderr as ``nginx -t`` does."""
    path = settings.conf_path
    try:
        started = _Start(process, settings)
        started.read()
    except ConfigError as error:
        process.stderr.write(f"{settings.name}: [emerg] {error}\n".encode("utf-8", "surrogateescape"))
        process.stderr.write(
            f"{settings.name}: configuration file {path} test failed\n".encode("utf-8", "surrogateescape")
        )
        return 1
    process.stderr.write(
        f"{settings.name}: the configuration file {path} syntax is ok\n"
        f"{settings.name}: configuration file {path} test is successful\n".encode("utf-8", "surrogateescape")
    )
    return 0


def serve(process: Process, settings: Settings) -> int:
    """Listen and serve: raises Serving in the foreground, 0 as a daemon, 1 if it cannot start."""
    try:
        started = _Start(process, settings)
        started.read()
        ports = started.listen()
    except ConfigError as error:
        process.stderr.write(f"{settings.name}: [emerg] {error}\n".encode("utf-8", "surrogateescape"))
        return 1
    if started.word("daemon", "on") == "off":
        raise Serving(settings.name, ports)
    return 0


class _Start:
    """One start of the server: the configuration read, step by step made to work."""

    def __init__(self, process: Process, settings: Settings) -> None:
        self._process = process
        self._settings = settings
        self._main: tuple[Directive, ...] = ()
        self._site: Site | None = None
        self._log: tuple[str, int | None] = ("", None)

    def word(self, name: str, usual: str = "") -> str:
        """The first argument of a directive of the outermost level, or what was built in."""
        for directive in reversed(self._main):
            if directive.name == name:
                return directive.arguments[0]
        return self._settings.defaults.get(name, usual)

    def read(self) -> None:
        """Read and check everything; opens the logs, as ``nginx -t`` does too."""
        settings, fs = self._settings, self._process.fs
        directory = settings.conf_path.rpartition("/")[0]
        given = parse_text(fs, settings.globals, directory, "command line") if settings.globals else ()
        self._main = (*given, *parse(fs, settings.conf_path, directory))
        seen: dict[str, Directive] = {}
        for directive in self._main:
            if directive.name in seen and directive.name in ("daemon", "user", "pid", "events", "http"):
                raise ConfigError(f'"{directive.name}" directive is duplicate', directive.where)
            seen[directive.name] = directive
        refuse_unsimulated(self._main)
        if "events" not in seen:
            raise ConfigError('no "events" section in configuration')
        http = seen.get("http")
        worker = self._worker(seen.get("user"))
        self._site = Site(worker, settings.prefix, directory, settings.version, http)
        for server in http.all("server") if http else ():
            self._add_server(self._site, server)
        self._open_logs(http)

    def _add_server(self, site: Site, server: Directive) -> None:
        listens = server.all("listen")
        for line in listens:
            if "ssl" in line.arguments:
                raise ConfigError("not simulated: listen ... ssl", line.where)
        ports = {_port(line) for line in listens} or {80 if self._process.fs.caller.is_root else 8000}
        for port in sorted(ports):
            site.servers.setdefault(port, []).append(server)
        for location in server.all("location"):
            if location.arguments[0] in ("~", "~*"):
                try:
                    re.compile(location.arguments[1])
                except re.error as error:
                    raise ConfigError(
                        f'invalid regex "{location.arguments[1]}": {error}', location.where
                    ) from error

    def _worker(self, user: Directive | None) -> Posix:
        """The tree as the worker processes see it: as the user of the configuration."""
        fs = self._process.fs
        if not fs.caller.is_root:
            return fs
        name = user.arguments[0] if user else self._settings.defaults.get("user", "nobody")
        for account in users(fs):
            if account.name == name:
                return fs.acting_as(Caller(account.uid, account.gid))
        raise ConfigError(f'getpwnam("{name}") failed', user.where if user else "")

    def _open_logs(self, http: Directive | None) -> None:
        log = self.word("error_log", "logs/error.log")
        if log not in ("stderr", "off"):
            self._open(log)
        access = (http.all("access_log") if http else [])[-1:]
        name = (
            access[0].arguments[0] if access else self._settings.defaults.get("access_log", "logs/access.log")
        )
        if name != "off" and http is not None:
            self._log = self._open(name)

    def _open(self, name: str) -> tuple[str, int | None]:
        """Make sure that a log can be written: its path, and the descriptor if it is a standard stream."""
        path = name if name.startswith("/") else f"{self._settings.prefix.rstrip('/')}/{name}"
        fs = self._process.fs
        for _ in range(4):
            if path in _STANDARD:
                return path, _STANDARD[path]
            try:
                path = os.path.join(os.path.dirname(path), fs.readlink(path))
            except OSError:
                break
        try:
            fs.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644).close()
        except OSError as error:
            raise ConfigError(f'open() "{path}" failed ({error.errno}: {error.strerror})') from error
        return path, None

    def listen(self) -> tuple[int, ...]:
        """Write the pid file and listen on every port; the ports."""
        site = self._site
        assert site is not None
        pid = self.word("pid", "logs/nginx.pid")
        path, _ = self._open(pid)
        self._process.fs.write_bytes(path, b"1\n")
        for port in site.servers:
            try:
                self._process.machine.network.listen(port, self._handler(site, port))
            except OSError as error:
                raise ConfigError(
                    f"bind() to 0.0.0.0:{port} failed ({error.errno}: {error.strerror})"
                ) from error
        return tuple(sorted(site.servers))

    def _handler(self, site: Site, port: int) -> Handler:
        def handle(request: HttpRequest) -> HttpResponse:
            response = site.answer(port, request)
            asked = f"{request.method} {request.target} HTTP/1.1"
            line = f'127.0.0.1 - - "{asked}" {response.status} {len(response.body)}\n'
            self._write_log(line.encode("utf-8", "surrogateescape"))
            return response

        return handle

    def _write_log(self, line: bytes) -> None:
        path, descriptor = self._log
        if descriptor is not None:
            self._process.fds[descriptor].write(line)
        elif path:
            log = self._process.fs.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            log.write(line)
            log.close()


def _port(line: Directive) -> int:
    word = line.arguments[0]
    text = word.rpartition(":")[2] if ":" in word else word
    if word.startswith("unix:"):
        raise ConfigError("not simulated: unix sockets", line.where)
    if not text.isdigit():
        if ":" not in word and re.fullmatch(r"[0-9.]+|\*|localhost", word):
            return 80
        raise ConfigError(f'invalid port in "{word}" of the "listen" directive', line.where)
    if not 0 < int(text) < 65536:
        raise ConfigError(f'invalid port in "{word}" of the "listen" directive', line.where)
    return int(text)
