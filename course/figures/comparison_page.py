"""A comparison of ways to build as one page: tables and one picture, no network, light or dark."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from builder.cli.session import size
from builder.image.digest import Digest, short
from course.figures import build_cost

_SHOWN: Final = 200
_COSTS: Final = ("seconds", "entries_scanned", "bytes_hashed", "bytes_packed", "mounts", "processes")
_POWERS: Final = ("strategy", "daemon", "privileged", "capabilities", "pod_security", "credentials")
_STYLE: Final = """
:root{color-scheme:light dark;--line:#c8ccd2;--soft:#5b6470;--head:#f2f4f7;--bad:#a83226}
@media (prefers-color-scheme:dark){:root{--line:#444c56;--soft:#a0a8b2;--head:#22272e;--bad:#ff9b8f}}
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0;font-size:.85rem;display:block;overflow-x:auto}
th,td{border-bottom:1px solid var(--line);padding:.35rem .45rem;text-align:left;vertical-align:top}
th{background:var(--head)}td.n{text-align:right;font-variant-numeric:tabular-nums}
code{font-size:.9em}.soft{color:var(--soft)}.bad{color:var(--bad)}
"""


def page(document: Mapping[str, Any]) -> str:
    """The page as HTML. ``document``: what ``layerlab compare --json`` prints, now or recorded."""
    title = f"{html.escape(document['dockerfile'])}: ways to build it"
    body = "\n".join(_body(document))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title} – layerlab</title><style>{_STYLE}</style></head>\n"
        f"<body>\n<h1>{title}</h1>\n{body}\n</body></html>\n"
    )


def _body(document: Mapping[str, Any]) -> Iterator[str]:
    where = document["recorded"]
    yield (
        f'<p class="soft">Measured {html.escape(where["at"])} on {html.escape(where["system"])}, '
        f"{html.escape(where['machine'])}, {where['processors']} processors.</p>"
    )
    yield "<h2>What was built, and what it cost</h2>"
    ways = [{"name": build["strategy"], **build} for build in document["builds"]]
    yield build_cost.as_svg(build_cost.spec(ways, _COSTS))
    yield from _table(
        (
            *("strategy", "image", "layers", "same tree", "seconds", "entries looked at", "hashed", "packed"),
            *("copied up", "mounts seen", "processes"),
        ),
        [_build(build) for build in document["builds"]],
        numbers=range(4, 11),
    )
    for (reason, fix), failed in groupby(
        document["not_built"], key=lambda each: (each["reason"], each["fix"])
    ):
        names = ", ".join(each["strategy"] for each in failed)
        yield (
            f"<p>Not built: <b>{html.escape(names)}</b>. "
            f'<span class="bad">{html.escape(reason)}</span>. {html.escape(fix)}</p>'
        )
    yield "<h2>Where the trees differ, and why</h2>"
    differing = [build for build in document["builds"] if build["differences"]]
    if not differing:
        yield "<p>Nowhere: every way made the same files, owners, modes and contents.</p>"
    for build in differing:
        rows = [
            (each["path"], ", ".join([each["change"], *each["details"]]), each["why"])
            for each in build["differences"][:_SHOWN]
        ]
        yield f"<h3>{html.escape(build['strategy'])}</h3>"
        yield from _table(("path", "difference", "why"), rows)
        if len(build["differences"]) > _SHOWN:
            yield f"<p>… and {len(build['differences']) - _SHOWN} more.</p>"
    yield "<h2>What each way holds in its hands, and what a tenant reaches through it</h2>"
    yield from _table(
        ("strategy", "daemon", "privileged", "capabilities", "Pod Security", "credentials"),
        [tuple(each[name] for name in _POWERS) for each in document["powers"]],
    )
    yield from _table(
        ("strategy", "a hostile Dockerfile reaches", "a hostile job reaches"),
        [
            (
                each["strategy"],
                _reached(each["dockerfile_reaches"], each["dockerfile_run"]),
                _reached(each["job_reaches"], each["ci_job"]),
            )
            for each in document["powers"]
        ],
    )


def _build(build: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        build["strategy"],
        short(Digest(build["id"])),
        str(len(build["layers"])),
        "yes" if build["same_tree"] else "no",
        f"{build['seconds']:.2f}",
        f"{build['entries_scanned']:,}",
        *(size(build[name]) for name in ("bytes_hashed", "bytes_packed", "bytes_copied_up")),
        str(build["mounts"]),
        str(build["processes"]),
    )


def _reached(words: str, nodes: Sequence[str]) -> str:
    return f"{words} ({', '.join(nodes)})" if nodes else words


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: range = range(0)) -> Iterator[str]:
    yield f"<table><tr>{''.join(f'<th>{html.escape(cell)}</th>' for cell in head)}</tr>"
    for row in rows:
        kinds = [' class="n"' if number in numbers else "" for number in range(len(row))]
        cells = [f"<td{kind}>{html.escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</table>"
