"""make in the simulated world: what the comparison with GNU make does not show."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builder.world.programs.make.functions import functions
from builder.world.programs.make.reader import Reader
from builder.world.programs.make.variables import MakeError, Variables


@pytest.fixture
def directory(machine):
    """A machine with make and a makefile in /w."""

    def write(text: str, **files: str):
        here = machine("skillfir/alpine:gcc")
        here.cwd = "/w"
        here.fs.mkdir("/w")
        for name, content in {"Makefile": text, **files}.items():
            here.fs.write_bytes(f"/w/{name.replace('__', '.')}", content.encode())
        return here

    return write


def test_only_what_is_older_is_made_again(directory):
    here = directory("all: a.o b.o\n", a__c="int a;\n", b__c="int b;\n")
    assert here.run("make")[1] == "cc    -c -o a.o a.c\ncc    -c -o b.o b.c\n"

    here.run("sleep 1; touch a.c")

    assert here.run("make")[1] == "cc    -c -o a.o a.c\n"
    assert here.run("make")[1] == "make: Nothing to be done for 'all'.\n"


def test_a_program_is_made_by_built_in_rules(directory):
    here = directory("", hello__c='#include <stdio.h>\nint main(void) { puts("hi"); return 0; }\n')

    assert here.run("make -s hello && ./hello") == (0, "hi\n")


def test_another_directory_is_entered_and_left(directory):
    here = directory("all:\n\t@pwd\n")
    here.run("mkdir d; printf 'all:\\n\\t@pwd\\n' > d/Makefile")

    assert (
        here.run("make -C d")[1] == "make: Entering directory '/w/d'\n/w/d\nmake: Leaving directory '/w/d'\n"
    )
    assert here.run("make -C none") == (2, "make: *** none: No such file or directory.  Stop.\n")


def test_values_of_the_command_line_reach_the_make_below(directory):
    here = directory(
        "all:\n\t@$(MAKE) --no-print-directory -f below.mk\n", below__mk="X = 1\nall:\n\t@echo $(X)\n"
    )

    assert here.run("make X='a b'")[1] == "a b\n"


def test_a_shell_that_is_missing_is_an_error(directory):
    status, output = directory("SHELL = /bin/none\nall:\n\techo x\n").run("make")

    assert status == 2
    assert "Error 127" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("make --frobnicate", "unrecognized option '--frobnicate'"),
        ("make -Z", "invalid option -- 'Z'"),
        ("make -f", "option requires an argument -- 'f'"),
        ("make vpath", None),
    ],
)
def test_wrong_words_are_refused(directory, words, message):
    status, output = directory("all:\n").run(words)

    assert status == 2
    assert message is None or message in output


@pytest.mark.parametrize("line", ["vpath %.c src", "$(eval X = 1)", "$(file >x,y)"])
def test_what_is_not_simulated_is_refused_by_name(directory, line):
    status, output = directory(f"{line}\nall:\n\techo x\n").run("make")

    assert status == 2
    assert "not simulated" in output


class Nowhere:
    """Functions that reach nothing."""

    def glob(self, pattern):
        return []

    def shell(self, command):
        return ""

    def say(self, text, *, as_error):
        return None

    def real_path(self, path):
        return ""

    def absolute(self, path):
        return path


PIECES = [
    "A", "=", ":=", "+=", "?=", ":", "::", "\t", "\n", " ", "$(A)", "${A}", "$", "(", ")", "{", "}", "%",
    "%.o", ",",
    "ifeq", "ifdef", "else", "endif", "define", "endef",
    "include", "export", "override", "$(subst",
    "$(call", "$(foreach",
    "$(if", "$(word", "#", "\\\n", "|", ";", "A:", "$(A:.c=.o)", "'", '"',
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@example("A = $(A)\n$(A):\n")
@example(
    "A = $(B)$(B)$(B)$(B)$(B)$(B)$(B)$(B)\nB = $(C)$(C)$(C)$(C)$(C)$(C)$(C)$(C)\n"
    "C := " + "x" * 200_000 + "\nX := $(A)\n"
)
@example("$(" * 3000 + "\n")
@example("A = " + "$(call A," * 3000 + "\n$(A):\n")
@example("f = $(call f,x)\n$(call f,y):\n")
@example("ifeq (a\n")
@example("x: y: z: w\n")
@example("include self\n")
def test_any_text_is_read_or_refused(text):
    variables = Variables(functions(Nowhere()))
    reader = Reader(
        variables, lambda name: text if name == "self" else None, lambda pattern: [], lambda command: ""
    )
    try:
        reader.file("Makefile", text)
    except MakeError:
        return
