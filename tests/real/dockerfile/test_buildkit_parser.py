"""BuildKit's own parser (the package ``dockerfile``) and ours read the same words, heredocs and lines.

Three differences are known, and such texts are left out: the package is older than BuildKit's refusal of
text behind a JSON array and than ``<< EOF`` with a blank, and it reads flags byte by byte, so that letters
beyond ASCII in them come out broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builder.dockerfile.syntax import instruction as nouns
from builder.dockerfile.syntax.grammar import understand
from builder.dockerfile.syntax.heredoc import read_mark
from builder.dockerfile.syntax.lexer import lex
from builder.dockerfile.variables.expand import ExpansionError
from builder.errors import DockerfileError

buildkit = pytest.importorskip("dockerfile", reason="needs the package dockerfile (BuildKit's parser)")

GOLDENS = Path(__file__).parents[2] / "golden" / "dockerfile"
SITE = Path(pytest.__file__).parents[1]
ROOTS = (GOLDENS, Path(__file__).parents[3] / "examples", Path("/usr/share"), Path("/usr/lib"), SITE)


class Read(NamedTuple):
    """What both parsers say about an instruction; behind ONBUILD theirs knows no flags and heredocs."""

    name: str
    trigger: str | None
    values: tuple[str, ...]
    lines: tuple[int, int]
    flags: tuple[str, ...]
    heredocs: tuple[tuple[str, str], ...]


def ours(text: str) -> list[Read]:
    lexed = lex(text)
    found = []
    for statement in lexed.statements:
        instruction = understand(statement, lexed.escape)
        trigger = None
        if isinstance(instruction, nouns.Onbuild):
            if instruction.trigger is None:  # both let it pass; what its words are is nobody's business
                raise DockerfileError(instruction.wrong)
            trigger = instruction.trigger.name
        found.append(
            Read(
                instruction.name,
                trigger,
                tuple(values(instruction)),
                (instruction.span.line, instruction.span.end_line),
                () if trigger else statement.head.flags,
                () if trigger else tuple((each.name, each.raw) for each in statement.heredocs),
            )
        )
    return found


def values(each: nouns.Instruction) -> list[str]:
    """The words of an instruction as BuildKit's tree has them."""
    match each:
        case nouns.From():
            return [each.base, *([each.as_keyword, each.written_alias] if each.alias else [])]
        case nouns.Run() | nouns.Cmd() | nouns.Entrypoint():
            return form(each.command)
        case nouns.Healthcheck():
            return ["NONE"] if each.command is None else ["CMD", *form(each.command)]
        case nouns.Transfer():
            return [*each.sources, each.destination]
        case nouns.Pairs():
            return [word for pair in each.pairs for word in pair]
        case nouns.Arg():
            return [d.name if d.default is None else f"{d.name}={d.default}" for d in each.declarations]
        case nouns.Shell(argv=words) | nouns.Expose(written=words) | nouns.Volume(paths=words):
            return list(words)
        case nouns.Workdir(path=word) | nouns.User(user=word) | nouns.Stopsignal(signal=word):
            return [word]
        case nouns.Maintainer():
            return [each.author]
        case nouns.Onbuild(trigger=trigger) if trigger is not None:
            return values(trigger)
    raise AssertionError(each)


def form(command: nouns.CommandForm) -> list[str]:
    # Shell form and exec form of one word must not look alike.
    return ["shell", command.text] if isinstance(command, nouns.ShellForm) else ["exec", *command.argv]


def theirs(text: str) -> list[Read]:
    found = []
    for command in buildkit.parse_string(text):
        name, trigger = (command.cmd or "").upper(), (command.sub_cmd or "").upper() or None
        words = list(command.value)
        kind = trigger or name
        if kind in ("RUN", "CMD", "ENTRYPOINT"):
            words.insert(0, "exec" if command.json else "shell")
        if kind == "HEALTHCHECK" and words:
            words[0] = words[0].upper()
            words[1:1] = ["exec" if command.json else "shell"] if words[0] == "CMD" else []
        if kind in ("COPY", "ADD") and not command.json:
            words = [word for word in words[:-1] if not opens(word)] + words[-1:]
        if kind == "VOLUME":
            words = [word.strip() for word in words]
        found.append(
            Read(
                name,
                trigger,
                tuple(words),
                (command.start_line, command.end_line),
                () if trigger else command.flags,
                () if trigger else tuple((each.name, each.content) for each in command.heredocs),
            )
        )
    return found


def opens(word: str) -> bool:
    try:
        return read_mark(word) is not None
    except ExpansionError:
        return False


def refuses(text: str) -> bool:
    try:
        buildkit.parse_string(text)
    except buildkit.GoParseError:
        return True
    return False


def known_difference(text: str) -> bool:
    if re.search(r"<<-?[ \t]", text) or not text.isascii():
        return True
    try:
        statements = lex(text).statements
    except DockerfileError:
        return "[" in text
    return any(trails(statement.head.rest) for statement in statements)


def trails(rest: str) -> bool:
    """Whether text follows a JSON array, at the beginning or behind ONBUILD and HEALTHCHECK's word."""
    for at in (match.start() for match in re.finditer(r"\[", rest)):
        try:
            _, end = json.JSONDecoder().raw_decode(rest[at:])
        except ValueError:
            continue
        if rest[at + end :].strip():
            return True
    return False


def dockerfiles() -> Iterator[Path]:
    """Every Dockerfile on this machine that is likely to be one."""
    for root in ROOTS:
        for path in sorted(root.rglob("*ockerfile*")):
            if path.is_file() and path.suffix in ("", ".template", ".Dockerfile", ".dockerfile"):
                yield path


FOUND = sorted(dockerfiles())


@pytest.mark.parametrize("path", FOUND, ids=[f"{path.parent.name}/{path.name}" for path in FOUND])
def test_a_dockerfile_that_lies_about_is_read_as_buildkit_reads_it(path: Path) -> None:
    try:
        text = path.read_bytes().decode()
        read = ours(text)
    except (UnicodeDecodeError, DockerfileError):
        return  # which of our refusals BuildKit shares is the goldens' business

    assert read == theirs(text)


def test_every_golden_case_that_buildkit_refuses_is_refused() -> None:
    refused = [
        path.parent.name
        for path in GOLDENS.glob("*/Dockerfile")
        if b"\0" not in path.read_bytes()
        if refuses(path.read_bytes().decode("utf-8", "replace"))
    ]

    assert refused
    assert all(name.startswith("wrong-") for name in refused)


KEYWORDS = [
    *(
        "FROM",
        "RUN",
        "COPY",
        "ADD",
        "ENV",
        "ARG",
        "LABEL",
        "CMD",
        "ENTRYPOINT",
        "EXPOSE",
        "VOLUME",
        "WORKDIR",
    ),
    *(
        "USER",
        "STOPSIGNAL",
        "SHELL",
        "HEALTHCHECK",
        "ONBUILD",
        "MAINTAINER",
        "run",
        "Copy",
        "foo",
        "#",
        "# #",
    ),
    *("ONBUILD RUN", "HEALTHCHECK CMD", "", "  ", "\tRUN", "EOF", "E", "\tE", " EOF", "Q"),
]
WORDS = [
    *("a", "b c", "x=1", '"q r"', "'s t'", "\\", "`", "$x", "${y:-z}", "<<EOF", "<<-E", '<<"Q"', "3<<E"),
    *(
        "#",
        "[",
        "]",
        '["a","b"]',
        '["a", 1]',
        "[]",
        "--from=a",
        "--link",
        "--",
        "\t",
        " ",
        "=",
        "a='b c' d=e",
    ),
    *("&&", "<", "it's", '"open', "80", "80/udp", "NONE", "CMD", "AS", "--mount=type=cache,target=/x", '\\"'),
    *('--chown="b c"', "--chown='d", "a\\ b", "\\\\", "SIGTERM"),
]
TOPS = ["", "# escape=`\n", "# syntax=a/b\n", "#!sh\n", "# escape=\\\n# c\n", "\ufeff"]
ENDS = ["", "", "", "\\", "\\ ", "`", "\\\\", "\r", "\\\r"]
line = st.builds(
    lambda keyword, words, end: f"{keyword} {''.join(words)}{end}",
    st.sampled_from(KEYWORDS),
    st.lists(st.sampled_from(WORDS), max_size=4),
    st.sampled_from(ENDS),
)


@settings(max_examples=700)
@given(st.sampled_from(TOPS), st.lists(line, min_size=1, max_size=5), st.sampled_from(["", "\n"]))
def test_a_generated_text_is_read_as_buildkit_reads_it(top: str, lines: list[str], end: str) -> None:
    text = f"{top}FROM a\n" + "\n".join(lines) + end
    assume(not known_difference(text.removeprefix("\ufeff")))
    try:
        read = ours(text)
    except DockerfileError:
        return

    assert not refuses(text)
    assert read == theirs(text)
