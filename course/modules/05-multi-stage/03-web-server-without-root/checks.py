"""Exercise 5.3: a web server without root; a container of the image is started and asked for pages."""

from __future__ import annotations

from collections.abc import Iterator

from course.check import Verdict, held
from course.grader.attempt import Attempt
from course.problems.containers import Ran, ran

PORT = 8080
DEEP = "/orders/17"
SITE = "/usr/share/nginx/html/"


def judge(attempt: Attempt, starter: Attempt) -> Iterator[Verdict]:
    container = ran(attempt.built)
    yield user(attempt)
    yield serves(container)
    yield deep_links(container)
    yield port(attempt)
    yield same_site(attempt, starter)


def user(attempt: Attempt) -> Verdict:
    """Whether the image's own user is a number, and not that of root."""
    said = attempt.built.image.config.user
    name = said.partition(":")[0]
    if name in ("", "0", "root"):
        elsewhere = [line for line in attempt.text.splitlines() if line.strip().upper().startswith("USER ")]
        return held("user", False, "other-stage" if elsewhere and not name else "", f"USER {said}".strip())
    return held("user", name.isdigit(), "by-name", f"USER {said}")


def serves(container: Ran) -> Verdict:
    """Whether somebody answers at the port, with the page."""
    found = container.get("/", PORT)
    if found is not None:
        return held("serves", found[0] == 200, shown=f"GET :{PORT}/ → {found[0]}")
    ports = ", ".join(map(str, container.network.ports))
    said = (container.output or container.failure).strip()
    if ports:
        return held("serves", False, "other-port", f"listening: {ports}")
    return held("serves", False, "does-not-start" if said else "", said)


def deep_links(container: Ran) -> Verdict:
    """Whether an address that only the script knows gives the page, and a file is still a file."""
    for path, wanted in ((DEEP, b"<title>Orders"), ("/app.js", b"location.pathname")):
        found = container.get(path, PORT) or next(
            (container.get(path, port) for port in container.network.ports), None
        )
        status, body = found or (0, b"")
        if status != 200 or wanted not in body:
            shown = f"GET {path} → {status}" if found else f"GET {path}"
            return held("deep-links", False, "" if found else "nobody", shown)
    return held("deep-links", True)


def port(attempt: Attempt) -> Verdict:
    said = sorted(attempt.built.image.config.exposed_ports)
    return held("port", f"{PORT}/tcp" in said, shown=f"EXPOSE {' '.join(said)}")


def same_site(attempt: Attempt, starter: Attempt) -> Verdict:
    """Whether the files of the site are there as before, made by the first stage, on the same base."""
    count = starter.base_layers
    if attempt.built.image.layers[:count] != starter.built.image.layers[:count]:
        return held("site", False, "base", attempt.text.strip().rpartition("FROM ")[2].splitlines()[0])
    for path in sorted(path for path in starter.paths if path.startswith(SITE)):
        if path not in attempt.paths:
            return held("site", False, "lost", path)
        if attempt.content(path) != starter.content(path):
            because = "not-made" if b"@VERSION@" in (attempt.content(path) or b"") else ""
            return held("site", False, because, path)
    return held("site", True)
