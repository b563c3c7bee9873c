"""``layerlab security reach``: what a hostile Dockerfile and a hostile job get from a build's pod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from builder.cli.security.manifests import Manifests
from builder.cli.session import Session
from builder.errors import BuildError

if TYPE_CHECKING:
    from builder.security.facts import Situation
    from builder.security.graph import Change, Reached
    from builder.security.pods import Pod
    from builder.security.tables import Builder, Control, Edge


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--approach", "approaches", multiple=True, metavar="NAME", help="The pod of a way to build.")
@click.option("--builder", metavar="KIND", help="The kind of builder  [default: what the pod's image names]")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME[=no]", help="A setting, a fact or an advisory."
)
@click.option(
    "--versions", multiple=True, metavar="COMPONENT=VERSION,…", help="Let these versions' bugs hold."
)
@click.option("--to", "target", metavar="NODE", help="Only the path to this node, step by step.")
@click.option(
    "--cut", metavar="NODE", help="The smallest sets of controls that keep this node from being reached."
)
@click.option("--forbid", multiple=True, metavar="NODE", help="Fail if this node is reached.")
@click.option("--versus", metavar="FILE", help="Compare with the pod of this file.")
@click.option("--versus-approach", metavar="NAME", help="Compare with the pod of this way to build.")
@click.option("--versus-set", multiple=True, metavar="NAME[=no]", help="Compare with these settings added.")
@click.option(
    "--versus-versions", multiple=True, metavar="COMPONENT=VERSION,…", help="… with these versions."
)
@click.option("--facts", "as_facts", is_flag=True, help="List settings, facts and advisories, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(
    session: Session,
    files: Sequence[str],
    approaches: Sequence[str],
    builder: str | None,
    settings: Sequence[str],
    versions: Sequence[str],
    target: str | None,
    cut: str | None,
    forbid: Sequence[str],
    versus: str | None,
    versus_approach: str | None,
    versus_set: Sequence[str],
    versus_versions: Sequence[str],
    *,
    as_facts: bool,
    as_json: bool,
) -> int:
    """List what an attacker reaches from the pod of FILE, by which steps, and why.

    Two attackers: dockerfile_run wrote the Dockerfile, ci_job chose the job's command. Bugs hold only for
    versions that are named, or if they are set; a name of an advisory is a setting, too.

    \b
    Example:
      layerlab security reach --approach kaniko
      layerlab security reach --approach kaniko --to reg_creds
      layerlab security reach --approach docker-in-docker --cut node_root
      layerlab security reach --approach kaniko --versions runc=1.2.7 --versus-set userns
    """
    from builder.security.facts import builder_named, settings_from, situation
    from builder.security.graph import Start, node_named, reach
    from builder.security.versions import versions_from

    if as_facts:
        _show_facts(session, as_json=as_json)
        return 0
    for node in (target, cut, *forbid):
        if node is not None:
            node_named(node)
    chosen, known = settings_from(settings), versions_from(versions)
    kind = builder_named(builder) if builder else None
    source = Manifests(session, files, approaches)
    pods = [each.pod for each in source.pods()]
    building = [pod for pod in pods if kind or _guessed(pod)] or pods
    for pod in pods:
        if pod not in building:
            session.say(f"{pod.document.name}: {pod} is left out: no builder that is known runs in it")
    builds = [situation(pod, _kind(pod, kind), chosen, known) for pod in building]
    if not builds:
        return 1
    answers = [{start: reach(build, start) for start in Start} for build in builds]
    if versus or versus_approach or versus_set or versus_versions:
        other = _other(session, builds[0].pod, versus, versus_approach)
        second = situation(
            other,
            kind if kind is not None and other is builds[0].pod else _kind(other, kind),
            settings_from([*settings, *versus_set]),
            versions_from([*versions, *versus_versions]),
        )
        _compare(session, answers[0], {start: reach(second, start) for start in Start}, as_json=as_json)
    elif as_json:
        session.json([_record(build, found, cut) for build, found in zip(builds, answers, strict=True)])
    else:
        for build, found in zip(builds, answers, strict=True):
            _show(session, build, found, target, cut)
    reached = {name for found in answers for each in found.values() for name in each.names}
    return 1 if source.failed or reached & set(forbid) else 0


def _guessed(pod: Pod) -> Builder | None:
    from builder.security.approaches import kind_of
    from builder.security.facts import guess_builder

    return kind_of(pod) or guess_builder(pod)


def _kind(pod: Pod, chosen: Builder | None) -> Builder:
    from builder.security.tables import builders

    found = chosen or _guessed(pod)
    if found is None:
        raise BuildError(
            f"{pod.document.name}: no container of {pod} has the image of a builder that is known",
            fix=f"say --builder {'|'.join(builders())}",
        )
    return found


def _other(session: Session, pod: Pod, file: str | None, approach: str | None) -> Pod:
    """The pod to compare with: of the file, of the approach, or the same one."""
    if not file and not approach:
        return pod
    source = Manifests(session, [file] if file else [], [approach] if approach else [])
    found = next(iter(source.pods()), None)
    if found is None:
        raise BuildError(f"{file}: nothing to compare with")
    return found.pod


def _show(
    session: Session, build: Situation, found: dict[Any, Reached], target: str | None, cut: str | None
) -> None:
    from builder.security.tables import nodes

    session.print(f"{build.pod.document.name}: {build.pod}, {build.builder.title} ({build.builder.name})")
    if not build.works:
        session.say(
            f"this builder cannot work in this pod: {build.builder.why} (needs {build.builder.needs})"
        )
    for start, reached in found.items():
        session.print("")
        if cut is not None:
            _show_cuts(session, build, reached, cut)
            continue
        if target is not None and target not in reached:
            session.print(f"{start.value} does not reach {target}")
            continue
        shown = [target] if target else list(reached.names)
        session.table(
            ("REACHES", "CLASS", "BY WAY OF"),
            [(name, nodes()[name].kind.value, _way(reached, name)) for name in shown],
            title=f"{start.value}: {nodes()[start.value].meaning}",
        )
        steps = reached.path(target) if target else tuple(reached.by.values())
        session.print("")
        session.table(
            ("STEP", "FROM", "TO", "BECAUSE", "WHEN", "EVIDENCE"),
            [
                (
                    step.id,
                    " + ".join((step.source, *step.requires)),
                    step.target,
                    step.because,
                    step.when,
                    ", ".join(step.evidence),
                )
                for step in steps
            ],
        )
        if target and (between := reached.bottlenecks(target)):
            session.print(f"every path passes {', '.join(between)}")


def _way(reached: Reached, name: str) -> str:
    """The chain of nodes from the start to ``name``."""
    chain = [name]
    while chain[-1] in reached.by:
        chain.append(reached.by[chain[-1]].source)
    return " → ".join(reversed(chain[1:]))


def _show_cuts(session: Session, build: Situation, reached: Reached, node: str) -> None:
    from builder.security.graph import cuts

    start = reached.start
    if node not in reached:
        session.print(f"{start.value} does not reach {node}")
        return
    found = cuts(build, start, node)
    if not found:
        session.print(
            f"{start.value} reaches {node}; no few controls that {build.builder.name} can live with cut it"
        )
        return
    session.print(f"{start.value} does not reach {node} after")
    for chosen in found:
        session.print("  " + ", and ".join(f"{each.title} ({each.name})" for each in chosen))
        session.print(f"    costs: {'; '.join(each.costs for each in chosen)}")


def _compare(
    session: Session, before: dict[Any, Reached], after: dict[Any, Reached], *, as_json: bool
) -> None:
    from builder.security.graph import change

    changes = [change(before[start], after[start]) for start in before]
    if as_json:
        session.json([_change_record(each) for each in changes])
        return
    facts = changes[0]
    session.print(f"facts that hold now: {', '.join(facts.facts_gained) or 'none more'}")
    session.print(f"facts that held before: {', '.join(facts.facts_lost) or 'none more'}")
    for each in changes:
        session.print("")
        session.print(f"{each.start.value} reaches besides: {', '.join(each.gained) or 'nothing more'}")
        session.print(f"{each.start.value} no longer reaches: {', '.join(each.lost) or 'it loses nothing'}")
        for sign, steps in (("+", each.opened), ("-", each.closed)):
            for step in steps:
                session.print(f"  {sign} {step.id} {step}: {step.because}")


def _show_facts(session: Session, *, as_json: bool) -> None:
    from builder.security.tables import facts

    rows = [
        {"name": each.name, "from": each.origin.value, "default": each.default, "rule": each.rule}
        for each in facts().values()
    ]
    if as_json:
        session.json(rows)
    else:
        session.table(("NAME", "FROM", "DEFAULT", "HOLDS IF"), [list(row.values()) for row in rows])


def _change_record(each: Change) -> dict[str, object]:
    return {
        "start": each.start.value,
        "gained": list(each.gained),
        "lost": list(each.lost),
        "opened": [_step(step) for step in each.opened],
        "closed": [_step(step) for step in each.closed],
        "facts_gained": list(each.facts_gained),
        "facts_lost": list(each.facts_lost),
    }


def _record(build: Situation, found: dict[Any, Reached], cut: str | None) -> dict[str, object]:
    from builder.security.graph import cuts
    from builder.security.tables import nodes

    return {
        "file": build.pod.document.name,
        "line": build.pod.document.line,
        "kind": build.pod.kind,
        "name": build.pod.name,
        "builder": build.builder.name,
        "works": build.works,
        "facts": sorted(build.facts),
        "starts": [
            {
                "start": start.value,
                "reaches": [
                    {
                        "node": name,
                        "class": nodes()[name].kind.value,
                        "meaning": nodes()[name].meaning,
                        "path": [_step(step) for step in reached.path(name)],
                    }
                    for name in reached.names
                ],
                **({"cuts": [_controls(each) for each in cuts(build, start, cut)]} if cut else {}),
            }
            for start, reached in found.items()
        ],
    }


def _controls(chosen: tuple[Control, ...]) -> list[dict[str, str]]:
    return [{"control": each.name, "title": each.title, "costs": each.costs} for each in chosen]


def _step(step: Edge) -> dict[str, object]:
    return {
        "id": step.id,
        "from": step.source,
        "to": step.target,
        "requires": list(step.requires),
        "when": str(step.when),
        "kind": step.kind.value,
        "because": step.because,
        "evidence": list(step.evidence),
    }
