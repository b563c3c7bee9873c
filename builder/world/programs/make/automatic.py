"""Variables that exist while one recipe is expanded (GNU make manual, "Automatic Variables")."""

from __future__ import annotations

from collections.abc import Iterable

from builder.world.programs.make.makefile import Rule
from builder.world.programs.make.variables import Origin, Variable, Variables


def own_values(variables: Variables, values: Iterable[tuple[str, str, str]]) -> dict[str, Variable]:
    """The variables that only this target has."""
    found: dict[str, Variable] = {}
    for name, sign, value in values:
        known = found.get(name) or variables.get(name)
        if known is not None and (sign == "?=" or known.origin is Origin.COMMAND_LINE):
            continue
        if sign == "+=" and known is not None and known.value:
            value = f"{variables.expand(known.value)} {value}"
        if sign in (":=", "::="):
            value = variables.expand(value)
        found[name] = Variable(value, is_simple=sign in (":=", "::="), origin=Origin.FILE)
    return found


def automatic(target: str, rule: Rule, newer: list[str]) -> dict[str, Variable]:
    """$@, $<, $^ and their kin while the recipe of ``rule`` is expanded; ``newer``: what $? holds."""
    late = set(rule.order_only)
    normal = list(rule.prerequisites)
    texts = {
        "@": target,
        "<": normal[0] if normal else "",
        "^": " ".join(dict.fromkeys(name for name in normal)),
        "+": " ".join(normal),
        "?": " ".join(dict.fromkeys(newer)),
        "*": rule.stem or target.removesuffix(_suffix(target)),
        "|": " ".join(sorted(late, key=rule.order_only.index)),
    }
    for sign in "@<^+?*":
        words = texts[sign].split() if sign not in "@<*" else [texts[sign]] if texts[sign] else []
        texts[f"{sign}D"] = " ".join(word.rpartition("/")[0] or "." for word in words)
        texts[f"{sign}F"] = " ".join(word.rpartition("/")[2] for word in words)
    return {name: Variable(text, is_simple=True, origin=Origin.AUTOMATIC) for name, text in texts.items()}


def _suffix(target: str) -> str:
    last = target.rpartition("/")[2]
    return last[last.rfind(".") :] if "." in last else ""
