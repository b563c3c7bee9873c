"""Answering requests from a configuration and a tree of files, as nginx's core and static modules do."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from typing import Final

from builder.world.machine.network import HttpRequest, HttpResponse
from builder.world.programs.web.conf import Directive
from builder.world.programs.web.directives import REASONS
from builder.world.programs.web.names import matches_name, normalized
from unionfs_sim.vfs.posix import Posix

MAX_REDIRECTS: Final = 10
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_UNSAFE: Final = re.compile(r"%([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Scope:
    """The blocks around a request, innermost first: where a directive is looked up."""

    blocks: tuple[Directive, ...]

    def find(self, name: str) -> Directive | None:
        """The innermost directive of this name."""
        for block in self.blocks:
            found = block.all(name)
            if found:
                return found[-1]
        return None

    def level(self, name: str) -> list[Directive]:
        """All directives of this name on the innermost level that has any (nginx inherits so)."""
        return next((found for block in self.blocks if (found := block.all(name))), [])


@dataclass(slots=True)
class _Exchange:
    """One request while it is answered: where it stands after internal redirects."""

    request: HttpRequest
    uri: str
    query: str
    port: int
    redirects: int = 0
    status: int | None = None
    named: str = ""


@dataclass(slots=True)
class Site:
    """Everything that answers on the ports of one configuration. ``fs`` acts as the worker's user."""

    fs: Posix
    prefix: str
    conf_directory: str
    version: str
    http: Directive | None
    servers: dict[int, list[Directive]] = field(default_factory=dict)

    def answer(self, port: int, request: HttpRequest) -> HttpResponse:
        """What ``request`` is answered on ``port``."""
        server = self._server(port, request.host)
        uri, _, query = request.target.partition("?")
        path = normalized(_UNSAFE.sub(lambda match: chr(int(match[1], 16)), uri))
        if path is None or "\0" in path:
            return self._error(400)
        if request.method not in ("GET", "HEAD"):
            return self._error(405)
        response = self._handle(server, _Exchange(request, path, query, port))
        return (
            HttpResponse(response.status, response.reason, b"", response.headers)
            if (request.method == "HEAD")
            else response
        )

    def _server(self, port: int, host: str) -> Directive:
        name = host.rpartition(":")[0] or host
        candidates = self.servers[port]
        for server in candidates:
            if any(
                matches_name(pattern, name)
                for line in server.all("server_name")
                for pattern in line.arguments
            ):
                return server
        for server in candidates:
            if any("default_server" in line.arguments for line in server.all("listen")):
                return server
        return candidates[0]

    def _handle(self, server: Directive, exchange: _Exchange) -> HttpResponse:
        outer = (server, self.http) if self.http is not None else (server,)
        while True:
            location = self._location(server, exchange)
            scope = Scope((*location, *outer))
            outcome = self._content(scope, exchange)
            if isinstance(outcome, HttpResponse):
                return self._finished(scope, exchange, outcome)
            exchange.redirects += 1
            if exchange.redirects > MAX_REDIRECTS:
                return self._error(500)

    def _location(self, block: Directive, exchange: _Exchange) -> tuple[Directive, ...]:
        """The locations that match, innermost first (ngx_http_core_module, "location")."""
        if exchange.named:
            name, exchange.named = exchange.named, ""
            return tuple(inner for inner in block.all("location") if inner.arguments == (name,))[:1]
        best: Directive | None = None
        longest = -1
        for inner in block.all("location"):
            sign, pattern = inner.arguments[0] if len(inner.arguments) == 2 else "", inner.arguments[-1]
            if sign == "=" and exchange.uri == pattern:
                return (inner,)
            if sign in ("", "^~") and exchange.uri.startswith(pattern) and len(pattern) > longest:
                best, longest = inner, len(pattern)
        if best is None or best.arguments[0] != "^~":
            for inner in block.all("location"):
                if inner.arguments[0] in ("~", "~*"):
                    flags = re.IGNORECASE if inner.arguments[0] == "~*" else 0
                    if re.search(inner.arguments[1], exchange.uri, flags):
                        best = inner
                        break
        return (*self._location(best, exchange), best) if best is not None else ()

    def _content(self, scope: Scope, exchange: _Exchange) -> HttpResponse | None:
        """The answer, or None after an internal redirect has changed the exchange."""
        for block in scope.blocks[:-1] or scope.blocks:
            returned = block.all("return")
            if returned:
                return self._returned(returned[0], exchange)
            if block.name == "location":
                break
        if any(block.all("internal") for block in scope.blocks[:1]) and not exchange.redirects:
            return self._problem(scope, exchange, 404)
        tries = scope.find("try_files")
        if tries is not None:
            return self._try(scope, exchange, tries)
        return self._static(scope, exchange, self._path(scope, exchange.uri))

    def _path(self, scope: Scope, uri: str) -> str:
        alias = scope.blocks[0].all("alias") if scope.blocks else []
        if alias:
            pattern = scope.blocks[0].arguments[-1]
            return self._absolute(alias[0].arguments[0]) + uri.removeprefix(pattern)
        root = scope.find("root")
        return self._absolute(root.arguments[0] if root else "html").rstrip("/") + uri

    def _absolute(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.prefix.rstrip('/')}/{path}"

    def _try(self, scope: Scope, exchange: _Exchange, tries: Directive) -> HttpResponse | None:
        *candidates, last = tries.arguments
        for candidate in candidates:
            uri = self._filled(candidate, exchange)
            path = self._path(scope, uri)
            kind = self._kind(path)
            if kind is not None and stat.S_ISDIR(kind) == uri.endswith("/"):
                exchange.uri = uri
                return self._static(scope, exchange, path)
        if last.startswith("="):
            return self._problem(scope, exchange, int(last[1:]))
        if last.startswith("@"):
            exchange.named = last
        else:
            exchange.uri = self._filled(last, exchange).partition("?")[0]
        return None

    def _kind(self, path: str) -> int | None:
        try:
            return self.fs.stat(path).st_mode
        except OSError:
            return None

    def _static(self, scope: Scope, exchange: _Exchange, path: str) -> HttpResponse | None:
        try:
            found = self.fs.stat(path)
            if not stat.S_ISDIR(found.st_mode):
                if exchange.uri.endswith("/") or not stat.S_ISREG(found.st_mode):
                    return self._problem(scope, exchange, 404)
                return self._file(scope, path)
        except PermissionError:
            return self._problem(scope, exchange, 403)
        except OSError:
            return self._problem(scope, exchange, 404)
        if not exchange.uri.endswith("/"):
            return self._moved(exchange.uri + "/", 301)
        index = scope.find("index")
        for name in index.arguments if index else ("index.html",):
            if self._kind(path + name) is not None:
                exchange.uri += name
                return None
        return self._problem(scope, exchange, 403)

    def _file(self, scope: Scope, path: str) -> HttpResponse:
        size = self.fs.stat(path).st_size
        if size > MAX_BODY_BYTES:
            return self._error(500)
        body = self.fs.read_bytes(path)
        return HttpResponse(200, "OK", body, {"Content-Type": self._type(scope, path)})

    def _type(self, scope: Scope, path: str) -> str:
        name = path.rpartition("/")[2]
        ending = name.rpartition(".")[2] if "." in name else ""
        for types in scope.level("types"):
            for entry in types.block or ():
                if ending in entry.arguments:
                    return entry.name
        default = scope.find("default_type")
        return default.arguments[0] if default else "text/plain"

    def _returned(self, directive: Directive, exchange: _Exchange) -> HttpResponse:
        first, *rest = directive.arguments
        if not first.isdigit():
            return self._moved(self._filled(first, exchange), 302)
        status = int(first)
        if status in (301, 302, 303, 307, 308) and rest:
            return self._moved(self._filled(rest[0], exchange), status)
        if rest:
            body = self._filled(rest[0], exchange).encode("utf-8", "surrogateescape")
            return HttpResponse(status, REASONS.get(status, ""), body, {"Content-Type": "text/plain"})
        return self._error(status) if status >= 300 else HttpResponse(status, REASONS.get(status, ""))

    def _moved(self, location: str, status: int) -> HttpResponse:
        page = self._error(status)
        return HttpResponse(status, page.reason, page.body, {**page.headers, "Location": location})

    def _problem(self, scope: Scope, exchange: _Exchange, status: int) -> HttpResponse | None:
        """An error: the page that error_page names, by an internal redirect, or the built-in one."""
        for directive in scope.level("error_page") if exchange.status is None else ():
            *codes, page = directive.arguments
            if str(status) in codes:
                replaced = next((int(code[1:] or "200") for code in codes if code.startswith("=")), status)
                exchange.status = replaced
                if page.startswith("@"):
                    exchange.named = page
                else:
                    exchange.uri = page
                return None
        return self._error(status)

    def _error(self, status: int) -> HttpResponse:
        title = f"{status} {REASONS.get(status, '')}".strip()
        body = (
            f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
            f"<hr><center>{self.version}</center>\r\n</body>\r\n</html>\r\n"
        )
        return HttpResponse(
            status,
            REASONS.get(status, ""),
            body.encode("utf-8", "surrogateescape"),
            {"Content-Type": "text/html"},
        )

    def _finished(self, scope: Scope, exchange: _Exchange, response: HttpResponse) -> HttpResponse:
        status = response.status
        if exchange.status is not None and status == 200:
            status = exchange.status
        headers = {"Server": self.version, **response.headers, "Content-Length": str(len(response.body))}
        for extra in scope.level("add_header"):
            if status < 400 or "always" in extra.arguments[2:]:
                headers[extra.arguments[0]] = self._filled(extra.arguments[1], exchange)
        return HttpResponse(status, REASONS.get(status, ""), response.body, headers)

    def _filled(self, text: str, exchange: _Exchange) -> str:
        """``text`` with the variables of this request."""
        values = {
            "uri": exchange.uri,
            "document_uri": exchange.uri,
            "request_uri": exchange.request.target,
            "args": exchange.query,
            "query_string": exchange.query,
            "is_args": "?" if exchange.query else "",
            "host": exchange.request.host.rpartition(":")[0] or exchange.request.host,
            "http_host": exchange.request.host,
            "scheme": "http",
            "server_port": str(exchange.port),
            "request_method": exchange.request.method,
            "hostname": "localhost",
        }
        return _VARIABLE.sub(lambda match: values.get(match[1] or match[2], ""), text)
