"""The parser against dash and shfmt: the same texts are accepted, and the same commands are found in them."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.world.shell.errors import ShellSyntaxError
from builder.world.shell.language.grammar import parse
from builder.world.shell.language.syntax import Literal, SimpleCommand

CONSTRUCTS = (Path(__file__).parent / "constructs.txt").read_text().removesuffix("\n").split("\n%%\n")
SHFMT = shutil.which("shfmt") or shutil.which(".venv/bin/shfmt")
_PER_RUN = 60


def accepted(text: str) -> bool:
    """Whether our grammar accepts a text."""
    try:
        parse(text)
    except ShellSyntaxError:
        return False
    return True


def accepted_by_dash(text: str) -> bool:
    """Whether dash does."""
    done = subprocess.run(
        ["dash", "-n"], input=text.encode("utf-8", "surrogateescape"), capture_output=True, check=False
    )
    return done.returncode == 0


def read(path: Path) -> str:
    """The text of a script, whatever its encoding."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def nodes(tree: object) -> Iterator[object]:
    """Everything in a tree, itself first."""
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, (tuple, list)):
            waiting.extend(each)
        elif dataclasses.is_dataclass(each):
            waiting.extend(getattr(each, field.name) for field in dataclasses.fields(each))


def command_names(text: str) -> Counter[str]:
    """The plain first words of all simple commands, substitutions included."""
    commands = (node for node in nodes(parse(text)) if isinstance(node, SimpleCommand) and node.words)
    firsts = (command.words[0].parts for command in commands)
    return Counter(parts[0].text for parts in firsts if len(parts) == 1 and isinstance(parts[0], Literal))


def command_names_of_shfmt(text: str) -> Counter[str] | None:
    """The same as shfmt sees it; None if it refuses the text."""
    done = subprocess.run(
        [str(SHFMT), "-ln", "posix", "--to-json"],
        input=text.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return None
    names: Counter[str] = Counter()
    waiting: list[Any] = [json.loads(done.stdout)]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, dict):
            waiting.extend(each.values())
            arguments = each.get("Args")
            # shfmt has nodes of their own for export, readonly and local; they have no Args.
            if each.get("Type") in ("CallExpr", None) and isinstance(arguments, list) and arguments:
                parts = arguments[0].get("Parts") or []
                if len(parts) == 1 and parts[0].get("Type") == "Lit" and "\\" not in parts[0]["Value"]:
                    names[parts[0]["Value"]] += 1
    return names


_DECLARING = ("export", "readonly", "local", "declare", "typeset", "let", "nameref")


@pytest.mark.tools("dash")
def test_every_shell_script_of_this_machine_that_dash_accepts_is_accepted(
    machine_scripts: list[Path],
) -> None:
    refused = [
        str(path) for path in machine_scripts if not accepted(read(path)) and accepted_by_dash(read(path))
    ]

    assert refused == []


@pytest.mark.tools("dash")
@pytest.mark.skipif(SHFMT is None, reason="needs shfmt")
def test_the_same_commands_are_found_as_shfmt_finds(machine_scripts: list[Path]) -> None:
    chosen = [path for path in machine_scripts if path.stat().st_size < 40_000][::13][:_PER_RUN]
    texts = [(str(path), read(path)) for path in chosen if accepted(read(path))]
    pairs = [(path, command_names_of_shfmt(text), command_names(text)) for path, text in texts]
    different = [
        (path, theirs - ours, Counter({k: v for k, v in (ours - theirs).items() if k not in _DECLARING}))
        for path, theirs, ours in pairs
        if theirs is not None and (theirs - ours or any(name not in _DECLARING for name in ours - theirs))
    ]

    assert different == []


def mutated(text: str, seed: int) -> str:
    """``text`` with a piece cut out, doubled or moved."""
    chance = random.Random(seed)
    at, size = chance.randrange(len(text) + 1), chance.randrange(1, 6)
    other = chance.choice(
        ("", ";", "(", ")", "fi", "'", '"', "`", "$(", "${", "}", "&&", "|", "\n", "done", ">", "<<E\n")
    )
    return text[:at] + other + text[at + (size if chance.random() < 0.5 else 0) :]


@pytest.mark.tools("dash")
@pytest.mark.parametrize("seed", range(4))
def test_mutated_scripts_are_refused_where_dash_refuses_them(seed: int) -> None:
    texts = [mutated(CONSTRUCTS[(seed * 100 + n) % len(CONSTRUCTS)], seed * 1000 + n) for n in range(150)]
    different = [text for text in texts if accepted(text) != accepted_by_dash(text)]

    assert different == []
