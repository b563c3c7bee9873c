"""``layerlab security approaches``: the ways to build that are compared, as pods."""

from __future__ import annotations

from typing import Any

import click

from builder.cli.session import Session


@click.command()
@click.argument("name", required=False)
@click.option("--page", "as_page", is_flag=True, help="Print the comparison as Markdown, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, name: str | None, *, as_page: bool, as_json: bool) -> None:
    """List the ways to build that are compared; with NAME, print its pod as YAML.

    LEVEL and what is reached are worked out from the pod, as pss and reach do it.

    \b
    Example:
      layerlab security approaches
      layerlab security approaches kaniko-hardened
    """
    if as_page:
        from builder.security.matrix import page
        from builder.strategies.table import table

        session.print(page(table()).rstrip("\n"))
        return
    from builder.security.approaches import APPROACHES, builder_of, manifest, pod
    from builder.security.facts import situation
    from builder.security.graph import Start, reach
    from builder.security.pss import judge

    if name is not None:
        session.print(manifest(name).decode().rstrip("\n"))
        return
    rows: list[dict[str, Any]] = []
    for approach in APPROACHES:
        build = situation(pod(approach), builder_of(approach))
        rows.append(
            {
                "approach": approach,
                "builder": build.builder.name,
                "level": judge(build.pod).level.value,
                **{start.value: "node_root" in reach(build, start) for start in Start},
                "credentials": "reg_creds" in reach(build, Start.DOCKERFILE),
            }
        )
    if as_json:
        session.json(rows)
        return
    session.table(
        ("APPROACH", "BUILDER", "LEVEL", "DOCKERFILE → NODE", "JOB → NODE", "DOCKERFILE → CREDENTIALS"),
        [[{True: "yes", False: "no"}.get(cell, cell) for cell in row.values()] for row in rows],
    )
