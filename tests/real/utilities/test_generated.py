"""Command lines that hypothesis makes up, beside busybox: many in one run of its shell."""

# ruff: noqa: E501 -- a choice is one line of a table

from __future__ import annotations

import shlex

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.tools("busybox")

# A batch that differs names the command lines that do: shrinking it would only take time.
MANY = settings(max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
BATCH = {"min_size": 25, "max_size": 40}

LINE = st.text("abcAB 12.-:,", max_size=9)
TEXT = st.lists(LINE, max_size=7).map(lambda lines: "".join(f"{line}\n" for line in lines).encode())
NUMBER = st.integers(1, 4)


def command(*words: str) -> str:
    """A command line that the harness takes apart into ``words`` again."""
    return " ".join(shlex.quote(word) for word in words)


@st.composite
def flags(draw, letters: str) -> list[str]:
    chosen = draw(st.lists(st.sampled_from(letters), unique=True, max_size=3))
    return [f"-{letter}" for letter in chosen]


@st.composite
def sorts(draw):
    words = ["sort", *draw(flags("nrufbdi"))]
    for _ in range(draw(st.integers(0, 2))):
        start, end = draw(NUMBER), draw(NUMBER)
        key = (
            f"{start}"
            + draw(st.sampled_from(["", ".2", ".1", ".3"]))
            + draw(st.sampled_from(["", "n", "r", "f", "b", "nr"]))
        )
        key += draw(st.sampled_from(["", f",{max(start, end)}", f",{start}"]))
        words += ["-k", key]
    if draw(st.booleans()):
        words += ["-t", draw(st.sampled_from([":", ",", " "]))]
    return words


@st.composite
def uniqs(draw):
    words = ["uniq", *draw(flags("cdui"))]
    for letter in draw(st.lists(st.sampled_from("fsw"), unique=True, max_size=2)):
        words += [f"-{letter}", str(draw(st.integers(0, 3)))]
    return words


@st.composite
def cuts(draw):
    # busybox has its own idea of overlapping ranges, which POSIX leaves open: they do not overlap here.
    ranges, low = [], 0
    for _ in range(draw(st.integers(1, 3))):
        low += draw(NUMBER) + 1
        high = low + draw(st.integers(0, 2))
        ranges.append(draw(st.sampled_from([f"{low}", f"{low}-{high}"])))
        low = high
    ranges += draw(st.sampled_from([[], [], [f"{low + 2}-"]]))
    kind = draw(st.sampled_from("cbf"))
    words = ["cut", f"-{kind}", ",".join(ranges)]
    if kind == "f":
        words += ["-d", draw(st.sampled_from([":", ",", " "]))]
    return words


@st.composite
def trs(draw):
    sets = st.lists(
        st.sampled_from(
            [
                "a",
                "b",
                "c",
                "A",
                "1",
                " ",
                ".",
                "a-c",
                "A-C",
                "0-9",
                "[:alpha:]",
                "[:digit:]",
                "[:space:]",
                ":",
            ]
        ),
        min_size=1,
        max_size=3,
    ).map("".join)
    options = draw(st.sampled_from([[], ["-d"], ["-s"], ["-c"], ["-cs"], ["-cd"], ["-ds"]]))
    words = ["tr", *options, "--", draw(sets)]
    return (
        words
        if options in (["-d"], ["-cd"]) or (options == ["-s"] and draw(st.booleans()))
        else [*words, draw(sets)]
    )


@st.composite
def atoms(draw, extended: bool):
    choices = [
        "a",
        "b",
        "c",
        "A",
        "1",
        ".",
        " ",
        "[ab]",
        "[^a]",
        "[a-c]",
        "[[:digit:]]",
        "\\.",
        ":",
        "\\w",
        "-",
    ]
    atom = draw(st.sampled_from(choices))
    repeats = (
        ["", "", "*", "+", "?", "{1,2}", "{2}"] if extended else ["", "", "*", "\\+", "\\?", "\\{1,2\\}"]
    )
    return atom + draw(st.sampled_from(repeats))


@st.composite
def regexes(draw, extended: bool):
    def sequence() -> str:
        return "".join(draw(st.lists(atoms(extended), min_size=1, max_size=3)))

    text = sequence()
    if draw(st.integers(0, 2)) == 0:
        group = f"({sequence()}|{sequence()})" if extended else f"\\({sequence()}\\|{sequence()}\\)"
        text += group + draw(st.sampled_from(["", "*"])) + draw(st.sampled_from(["", sequence()]))
    return draw(st.sampled_from(["", "", "^"])) + text + draw(st.sampled_from(["", "", "$"]))


@st.composite
def greps(draw):
    extended = draw(st.booleans())
    words = ["grep", *(["-E"] if extended else []), *draw(flags("vcnoixw")), "-e", draw(regexes(extended))]
    # busybox's -o goes astray with -v (it may crash), and looks for the second match of -w in the wrong place.
    return [word for word in words if word not in ("-v", "-w") or "-o" not in words]


@st.composite
def seds(draw):
    extended = draw(st.booleans())
    pattern = draw(regexes(extended)).replace("/", "")
    address = draw(st.sampled_from(["", "1", "$", "2,3", "2,$", "1!", "/a/", "/b/,/c/", "/a/,2"]))
    action = draw(
        st.sampled_from(
            [
                f"s/{pattern}/<&>/",
                f"s/{pattern}/X/",
                f"s/{pattern}/[&]/2",
                "d",
                "p",
                "=",
                "G",
                "h;G",
                "x",
                "n;d",
                "N;s/\\n/+/",
                "y/abc/xyz/",
                "i\\\nnew",
                "a\\\nnew",
                "c\\\nnew",
                "q",
                "$!N;P;D",
                "H;$!d;x",
            ]
        )
    )
    return [
        "sed",
        *(["-E"] if extended else []),
        *draw(flags("n")),
        address + (f"{{{action}\n}}" if ";" in action or "\n" in action else action),
    ]


@st.composite
def printfs(draw):
    conversion = st.builds(
        lambda flag, width, precision, kind: f"%{flag}{width}{precision}{kind}",
        st.sampled_from(["", "-", "0", "+", " ", "#"]), st.sampled_from(["", "5", "12"]), st.sampled_from(["", ".0", ".3"]), st.sampled_from("sdxofXu"),
    )  # fmt: skip
    pieces = draw(
        st.lists(
            st.one_of(conversion, st.sampled_from(["\\n", "x", "%%", "\\t", "\\101", "|"])),
            min_size=1,
            max_size=4,
        )
    )
    arguments = draw(
        st.lists(
            st.sampled_from(["0", "7", "-3", "255", "abc", "1.5", "0x1f", "017", "'A"]),
            min_size=4,
            max_size=4,
        )
    )
    return ["printf", "".join(pieces), *arguments]


@st.composite
def finds(draw):
    test = st.sampled_from(
        [
            "-name *.c",
            "-name a*",
            "-type f",
            "-type d",
            "-type l",
            "-size +1c",
            "-size 0",
            "-perm -100",
            "-perm 644",
            "-path */b/*",
            "-empty",
            "-links 2",
            "-user app",
            "-newer d/b/e",
            "-iname A*",
            "-prune",
        ]
    )
    words: list[str] = draw(st.sampled_from([[], ["-mindepth", "1"], ["-maxdepth", "2"]]))[:]
    for at in range(draw(st.integers(1, 4))):
        if at and draw(st.booleans()):
            words.append("-o")
        words += [*(["!"] if draw(st.integers(0, 3)) == 0 else []), *draw(test).split()]
    return ["find", ".", *words, *draw(st.sampled_from([[], ["-print"]]))]


FILES = {
    "d/": None, "d/a.c": "int\n", "d/b/": 0o711, "d/b/e": "", "d/b/A": ("x", 0o755), "d/b/h": "= d/a.c", "l": "-> d", "own": ("o", 0o600, 1000, 1000), "a": "text\n", "empty/": None,
}  # fmt: skip


def check(comparison, case, made, *, text_too=True):
    cases = [case(command(*words), stdin=stdin, sorted=not text_too) for words, stdin in made]
    differing = comparison.differences({} if text_too else FILES, cases)
    assert not differing, "\n".join(differing)


def batch(words, text=TEXT):
    return st.lists(st.tuples(words, text), **BATCH)


@given(made=batch(sorts()))
@MANY
def test_sort(comparison, case, made):
    check(comparison, case, made)


@given(made=batch(uniqs()))
@MANY
def test_uniq(comparison, case, made):
    check(comparison, case, made)


@given(made=batch(cuts()))
@MANY
def test_cut(comparison, case, made):
    check(comparison, case, made)


@given(made=batch(trs()))
@MANY
def test_tr(comparison, case, made):
    check(comparison, case, made)


@given(made=batch(greps()))
@MANY
def test_grep(comparison, case, made):
    check(comparison, case, made)


@given(made=batch(seds()))
@MANY
def test_sed(comparison, case, made):
    check(comparison, case, made)


@given(made=batch(printfs(), st.just(b"")))
@MANY
def test_printf(comparison, case, made):
    check(comparison, case, made)


@given(made=batch(finds(), st.just(b"")))
@MANY
def test_find(comparison, case, made):
    check(comparison, case, made, text_too=False)
