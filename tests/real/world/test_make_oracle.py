"""The simulated make against GNU make: equal output, status and files."""

from __future__ import annotations

import subprocess

import pytest

pytestmark = pytest.mark.tools("make")

CASES: dict[str, tuple[str, str]] = {
    "first target": ("all:\n\techo hello\nother:\n\techo no\n", ""),
    "quiet and ignored": ("all:\n\t@echo quiet\n\t-false\n\t@-exit 3\n\techo end\n", ""),
    "failure": ("all: a b\na:\n\tfalse\nb:\n\techo b\n", ""),
    "keep going": ("all: a b\na:\n\tfalse\nb:\n\techo b\n", "-k"),
    "ignore errors": ("all:\n\tfalse\n\techo on\n", "-i"),
    "silent": ("all:\n\techo hi\n", "-s"),
    "dry run": ("all: x\nx:\n\ttouch x\n", "-n"),
    "nothing to do": ("all:\n", ""),
    "up to date": ("x:\n\ttouch x\n", "x x"),
    "no rule": ("all: missing\n\techo x\n", ""),
    "no target": ("a:\n\techo a\n", "b"),
    "no makefile": ("", "-f nope"),
    "simple and recursive": ("A = $(B)\nC := $(B)\nB = 1\nall:\n\techo $(A) [$(C)] ${B}\n", ""),
    "conditional assignment": ("A ?= 1\nB = 2\nB ?= 3\nall:\n\techo $(A) $(B)\n", ""),
    "append": ("A = 1\nA += 2\nB := x\nB += $(A)\nA += 3\nall:\n\techo $(A) / $(B)\n", ""),
    "command line wins": ("A = 1\noverride B = 2\nall:\n\techo $(A) $(B)\n", "A=9 B=9"),
    "automatic": ("out: a b a | c\n\techo $@ : $< : $^ : $+ : $| : $(@F)\na b c:\n\ttouch $@\n", ""),
    "pattern": ("all: in1.o in2.o\n\t@echo $^\n%.o: %.txt\n\techo $* $< $@\n\ttouch $@\n", ""),
    "static pattern": ("O = a.o b.o\nall: $(O)\n$(O): %.o: %.c\n\techo $< $*\na.c b.c:\n\ttouch $@\n", ""),
    "suffix rule": (".SUFFIXES: .in .out\nall: a.out\n.in.out:\n\tcp $< $@\na.in:\n\techo x > $@\n", ""),
    "substitution": ("S = a.c b.c d.h\nall:\n\techo $(S:.c=.o) $(S:%.c=o/%.o)\n", ""),
    "functions": (
        "L = b a c a\nall:\n\techo $(sort $(L)) $(filter a%,$(L)) $(filter-out a,$(L)) $(words $(L)) "
        "$(word 2,$(L)) $(firstword $(L)) $(lastword $(L)) $(subst a,x,$(L)) $(patsubst %,<%>,$(L))\n",
        "-s SHELL=/bin/echo",
    ),
    "names": (
        "F = src/a.c lib/b.tar.gz c\nall:\n\t@echo $(dir $(F)) $(notdir $(F)) $(basename $(F)) $(suffix $(F)) "
        "$(addprefix p/,$(F)) $(addsuffix .x,$(F)) $(join a b,1 2 3)\n",
        "",
    ),
    "foreach and call": (
        "rev = $(2) $(1)\nall:\n\t@echo $(foreach x,a b,[$(x)]) $(call rev,1,2) $(if a,yes,no) $(if ,yes,no) "
        "$(or ,b) $(and a,) $(strip  a   b ) $(findstring b,abc) $(origin CC) $(origin rev) $(wordlist 2,3,a b c)\n",
        "",
    ),
    "shell function": ("X := $(shell echo a; echo b)\nall:\n\t@echo [$(X)]\n", ""),
    "wildcard": ("all:\n\t@echo $(sort $(wildcard in*.txt nope))\n", ""),
    "conditionals": (
        "A = 1\nifeq ($(A),1)\nX = one\nelse\nX = other\nendif\nifdef A\nY = set\nendif\nifneq ($(A),1)\nZ = no\n"
        "else ifeq ($(A),1)\nZ = chained\nendif\nifndef Q\nW = undefined\nendif\nall:\n\t@echo $(X) $(Y) $(Z) $(W)\n",
        "",
    ),
    "conditional in recipe": (
        "A=\nall:\n\t@echo a\nifdef A\n\t@echo b\nelse\n\t@echo c\nendif\n\t@echo d\n",
        "",
    ),
    "continuation": ("A = a \\\n  b \\\n  c\nall:\n\t@echo $(A) \\\n\t  d\n", ""),
    "dollar": ("all:\n\t@for i in 1 2; do echo $$i; done; echo $$$$ > /dev/null\n", ""),
    "phony": (".PHONY: all\nall:\n\t@echo again\n", "all"),
    "phony file": (".PHONY: in1.txt\nin1.txt:\n\t@echo remade\n", ""),
    "several rules": ("a: b\na: c\n\t@echo $^\nb c:\n\t@echo $@\n", ""),
    "double colon": ("a:: \n\t@echo one\na::\n\t@echo two\n", ""),
    "own variable": ("X = global\na: X = own\na:\n\t@echo $(X)\nb:\n\t@echo $(X)\n", "a b"),
    "include": ("include in3.mk\nall:\n\t@echo $(INCLUDED)\n", ""),
    "missing include": ("include nope.mk\nall:\n\t@echo x\n", ""),
    "soft include": ("-include nope.mk\nall:\n\t@echo x\n", ""),
    "define": ("define lines\n@echo one\n@echo two\nendef\nall:\n\t$(lines)\n", ""),
    "export": ("export A = exported\nB = not\nall:\n\t@echo $$A [$$B]\n", ""),
    "missing separator": ("all:\n        echo x\n", ""),
    "circular": ("a: b\n\t@echo a\nb: a\n\t@echo b\n", ""),
    "recursive variable": ("A = $(A)\nall:\n\techo $(A)\n", ""),
    "semicolon": ("all: ; @echo one line\n", ""),
    "comment": ("# c\nA = 1 # one\nall: # t\n\t@echo [$(A)] # shell comment\n", ""),
    "error function": ("$(error stop here)\nall:\n\techo x\n", ""),
    "info": ("$(info note)\nall:\n\t@echo x\n", ""),
    "order": ("all: c a b\na b c:\n\t@echo $@\n", "-j4 -s"),
    "sub make": ("all:\n\t$(MAKE) -f in4.mk X=2\n", ""),
    "sub make fails": ("all:\n\t@$(MAKE) -s --no-print-directory -f in4.mk bad\n", ""),
    "always": ("x: in1.txt\n\ttouch x\n", "-B x"),
    "question": ("x:\n\ttouch x\n", "-q"),
    "newer": ("old: in1.txt\n\t@echo new: $?\n\t@touch old\n", "old"),
    "oneshell": (".ONESHELL:\nall:\n\t@x=1\n\techo $$x\n", ""),
    "brace in shell": ("all:\n\t@x=abc; echo $${x%c}\n", ""),
    "nested reference": ("a_b = deep\nN = b\nall:\n\t@echo $(a_$(N)) $($(addprefix a_,b))\n", ""),
    "assign by shell": ("A != echo hi\nall:\n\t@echo $(A)\n", ""),
    "empty recipe": ("all: a\na: ;\n", ""),
    "default goal": (".DEFAULT_GOAL := b\na:\n\t@echo a\nb:\n\t@echo b\n", ""),
    "precious delete": (".DELETE_ON_ERROR:\nx:\n\t@echo a > x; false\n", ""),
}
FILES = {
    "in1.txt": "1\n",
    "in2.txt": "2\n",
    "in3.mk": "INCLUDED = yes\n",
    "in4.mk": "X = 1\nall:\n\t@echo X is $(X)\nbad:\n\t@exit 7\n",
}


@pytest.mark.parametrize("name", CASES)
def test_make_does_what_gnu_make_does(machine, tmp_path, name):
    text, words = CASES[name]
    here = machine("gcc:12")
    for path, content in {**FILES, "Makefile": text}.items():
        (tmp_path / path).write_text(content)
        here.fs.write_bytes(f"/tmp/{path}", content.encode())

    real = subprocess.run(
        ["make", *words.split()],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
    )
    status, output = here.run(f"make {words} < /dev/null 2>&1", cwd="/tmp")

    expected = real.stdout.decode().replace(str(tmp_path), "/tmp")
    assert (status, output) == (real.returncode, expected)
    assert sorted(here.fs.listdir("/tmp")) == sorted(path.name for path in tmp_path.iterdir())
