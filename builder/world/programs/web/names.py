"""Names in requests: hosts, paths without dots, and directives that would need more than a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder.world.programs.web.conf import ConfigError, Directive
from builder.world.programs.web.directives import REFUSED


def matches_name(pattern: str, host: str) -> bool:
    """Whether ``host`` is what a server_name says (ngx_http_core_module, "server_name")."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return pattern.lower() == host.lower()


def normalized(uri: str) -> str | None:
    """``uri`` without ``.``, ``..`` and double slashes; None if it leaves the root or is not absolute."""
    if not uri.startswith("/"):
        return None
    parts: list[str] = []
    for part in uri.split("/")[1:]:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    ends = uri.endswith(("/", "/.", "/.."))
    return "/" + "/".join(parts) + ("/" if ends and parts else "")


def refuse_unsimulated(directives: Sequence[Directive]) -> None:
    """ConfigError if a directive would change answers in a way that is not simulated."""
    for directive in _walk(directives):
        if directive.name in REFUSED:
            raise ConfigError(f'not simulated: directive "{directive.name}"', directive.where)


def _walk(directives: Sequence[Directive]) -> Iterator[Directive]:
    for directive in directives:
        yield directive
        if directive.name != "types":
            yield from _walk(directive.block or ())
