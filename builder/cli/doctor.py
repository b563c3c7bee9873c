"""``layerlab doctor``: which ways to build this machine can do, and what would lift each refusal."""

from __future__ import annotations

import click

from builder.cli.session import Session
from builder.namespace.doctor import REPLACEABLE, Examination, Finding, examine
from builder.strategies.definition import Hindrance
from builder.strategies.strategy import STRONGEST, Strategy


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, as_json: bool) -> int:
    """Say which ways to build this machine can do, and what lifts each refusal; 1 if only simulated ones.

    \b
    Example:
      layerlab doctor
    """
    found = examine(str(session.state_dir))
    hindrances = _hindrances(session, found)
    chosen = next(each for each in STRONGEST if hindrances[each] is None)
    if as_json:
        session.json(
            {
                "strategies": {
                    strategy.value: None
                    if hindrance is None
                    else {"cause": hindrance.cause, "remedy": hindrance.remedy}
                    for strategy, hindrance in hindrances.items()
                },
                "auto": chosen.value,
                "caller": found.ids.caller.value,
                "uid_map": [str(row) for row in found.ids.uids],
                "steps": {each.step.value: _told(each) for each in found.findings},
            }
        )
        return 0 if found.refusal is None else 1
    session.table(
        ["STRATEGY", "HERE", "WHY NOT"],
        [
            (
                strategy.value,
                "yes" if hindrance is None else "no",
                "" if hindrance is None else hindrance.cause,
            )
            for strategy, hindrance in hindrances.items()
        ],
    )
    session.print("")
    _sandbox(session, found)
    session.print("")
    session.print(f"--strategy auto takes: {chosen.value}")
    return 0 if found.refusal is None else 1


def _hindrances(session: Session, found: Examination) -> dict[Strategy, Hindrance | None]:
    """What hinders each strategy; what was found is not looked for again."""
    refusal = found.refusal
    rootless = None if refusal is None else Hindrance(refusal.cause, refusal.remedy)
    return {
        each: rootless if each is Strategy.ROOTLESS else each.definition.hindrance(session.state_dir)
        for each in Strategy
    }


def _told(finding: Finding) -> dict[str, str]:
    if finding.went_well:
        return {"answer": "ok"}
    return {"answer": "refused", "cause": finding.cause, "remedy": finding.remedy}


def _sandbox(session: Session, found: Examination) -> None:
    """What a real RUN is made of, step by step."""
    session.table(
        ["A REAL RUN NEEDS", "HERE"],
        [(each.step.value, "yes" if each.went_well else "no") for each in found.findings],
    )
    for each in found.findings:
        if each.went_well:
            continue
        session.print(f"{each.step.value}: {each.cause}")
        session.print(f"  {each.remedy}")
        if each.step in REPLACEABLE:
            session.print(f"  until then, {REPLACEABLE[each.step]}")
    session.print(f"ids: {found.ids.caller.value}; {', '.join(map(str, found.ids.uids))}")
    if found.ids.note:
        session.print(f"  {found.ids.note}")
