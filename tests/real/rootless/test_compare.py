"""One Dockerfile under every strategy that this machine can run: equal trees, and what each cost."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from builder.comparison import compare
from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.namespace.confinement import Confinement, HostRoot
from builder.recipe import Recipe
from builder.stores.layout import LayoutStore
from builder.strategies.strategy import Strategy
from course.cli import run
from unionfs_sim.layers.layer import File, layer

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]

DOCKERFILE = """
FROM base AS build
WORKDIR /src
COPY main .
RUN mkdir -p /opt/bin && sed s/WHO/world/ main > /opt/bin/hello && chmod 755 /opt/bin/hello
RUN ln /opt/bin/hello /opt/same
RUN mkdir /opt/etc && echo x > /opt/etc/x && chown -R 33:44 /opt/etc && ln -s etc /opt/conf
FROM base
RUN mkdir -p /d/sub && echo a > /d/sub/a && rm /etc/group
RUN rm -r /d && mkdir /d && echo b > /d/b
COPY --from=build /opt /opt
RUN /opt/bin/hello > /said && rm /opt/etc/x && chmod 700 /opt/etc
CMD ["/opt/bin/hello"]
"""
MAIN = "#!/bin/sh\necho hello WHO\n"
CAN = [Strategy.ROOTLESS, Strategy.KANIKO_STYLE, *([Strategy.PRIVILEGED] if os.geteuid() == 0 else [])]


def test_every_strategy_makes_the_same_image_and_pays_otherwise(builder: Any, tmp_path: Path) -> None:
    context = Source(BuildContext(layer({"/main": File(MAIN, mode=0o644)}).freeze()), LABEL)
    recipe = Recipe(
        graph=plan(parse(DOCKERFILE)),
        context=context,
        state_dir=builder.state,
        root=tmp_path / "root",
        confinement=Confinement(host_root=HostRoot.ALLOWED),
    )

    compared = compare(recipe, CAN, store=builder.store)

    assert compared.failures == ()
    assert [each.strategy for each in compared.outcomes] == CAN
    assert all(compared.same_tree(strategy) for strategy in CAN), compared.reasons
    by_name = {each.strategy: each for each in compared.outcomes}
    union, scan = by_name[Strategy.ROOTLESS], by_name[Strategy.KANIKO_STYLE]
    assert union.tree.read_bytes("/said") == b"hello world\n"
    assert (union.bytes_hashed, union.image.config) == (0, scan.image.config)
    assert scan.entries_scanned > 10 * union.entries_scanned
    assert scan.bytes_hashed > 5_000_000
    assert union.mounts > 4
    assert union.processes >= 2 + 6


def test_a_way_that_fails_is_told_beside_those_that_do_not(builder: Any) -> None:
    recipe = Recipe(
        graph=plan(parse("FROM base\nRUN true\n")),
        context=Source(BuildContext(layer({}).freeze()), LABEL),
        state_dir=builder.state,
    )

    compared = compare(recipe, [Strategy.PRIVILEGED, Strategy.ROOTLESS], store=builder.store)

    (failure,) = compared.failures
    assert failure.strategy is Strategy.PRIVILEGED
    assert "uid 0 of every RUN is this machine's root" in failure.reason
    assert [each.strategy for each in compared.outcomes] == [Strategy.ROOTLESS]


class Page(HTMLParser):
    """What a page refers to, and how many pictures it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pictures += tag == "svg"
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_command_tells_the_same_on_the_terminal_as_json_and_as_a_page(
    add_image: Any, tmp_path: Path, capsys: Any
) -> None:
    state, project, page = tmp_path / "state", tmp_path / "project", tmp_path / "page.html"
    project.mkdir()
    (project / "Dockerfile").write_text("FROM base\nRUN echo a > /a\n")
    with LayoutStore(str(state)) as store:
        add_image(store, "base")
    line = ["--state", str(state), "compare", str(project), "--strategies", "rootless,kaniko-style"]

    assert run([*line, "--json", "--report", str(page)]) == 0

    document = json.loads(capsys.readouterr().out)
    assert [(build["strategy"], build["same_tree"]) for build in document["builds"]] == [
        ("rootless", True),
        ("kaniko-style", True),
    ]
    reached = {each["strategy"]: each for each in document["powers"]}
    assert "reg_creds" in reached["kaniko-style"]["dockerfile_run"]
    assert "node_root" in reached["docker-sock"]["ci_job"]
    text = page.read_text()
    shown = Page(text)
    assert (shown.links, shown.pictures) == ([], 1)
    assert "prefers-color-scheme:dark" in text
    assert f"{document['builds'][1]['entries_scanned']:,}" in text
    assert [name for name in os.listdir(state) if name.startswith("root-")] == []
