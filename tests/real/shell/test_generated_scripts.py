"""Scripts that a seeded generator writes do the same in dash and in the simulation."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.tools("dash", "busybox")

NAMES = ("a", "b", "c", "v1", "_x")
TEXTS = (
    "",
    "one",
    "two words",
    "  padded  ",
    "a:b::c",
    "x*y",
    "/usr/lib/libz.so.1",
    "a\\b",
    "q'q",
    "3",
    "07",
    "-n",
    "é",
)
PATTERNS = ("*", "a*", "*b", "?", "*/", "[a-c]*", "*.?", "'*'", "[!a]*", "o?e", "*[o]*", "${a}", '"$b"')
FILES = ("f1", "f2", "d/g", "a.txt", "b.txt")


class Author:
    """Writes one script from a seed. Loops are bounded, and nothing depends on time or on process numbers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.functions: list[str] = []
        self.in_function = False
        self.counter = 0

    def script(self) -> str:
        """The whole script."""
        head = self.random.choice(
            ("", "", "", "set -e\n", "set -u\n", "set -f\n", "trap 'echo trap $?' EXIT\n")
        )
        first = "mkdir -p d; echo x >a.txt; echo y >b.txt\n"
        values = "".join(f"{name}={self.quoted(self.random.choice(TEXTS))}\n" for name in NAMES[:3])
        body = "".join(self.statement(3) + "\n" for _ in range(self.random.randint(3, 9)))
        return f"{first}{values}set -- {self.words(2)}\n{head}{body}echo end $?\n"

    def quoted(self, text: str) -> str:
        """``text``, quoted in one of three ways."""
        double = text.replace("\\", "\\\\")
        plain = text if text.isalnum() and text.isascii() else None
        single = "'" + text.replace("'", "'\\''") + "'"
        return self.random.choice([single, f'"{double}"', plain or single])

    # ---- words

    def parameter(self, depth: int) -> str:
        """An expansion of a parameter."""
        name = self.random.choice((*NAMES, "1", "2", "nope"))
        kind = self.random.randrange(14)
        if kind < 4:
            return f"${{{name}}}" if self.random.random() < 0.5 else f"${name}"
        operand = self.word(depth - 1) if depth > 0 else "w"
        operators = {4: ":-", 5: "-", 6: ":+", 7: "+"}
        if kind in operators:
            return f"${{{name}{operators[kind]}{operand}}}"
        if kind == 8:
            return f"${{#{name}}}"
        if kind == 9:
            return f"${{{self.random.choice(NAMES)}{self.random.choice((':=', '='))}{operand}}}"
        cut = self.random.choice(("#", "##", "%", "%%"))
        if kind < 13:
            return f"${{{name}{cut}{self.random.choice(PATTERNS)}}}"
        return self.random.choice(("$#", "$?", "$*", "$@"))

    def arithmetic(self, depth: int) -> str:
        """An arithmetic expression."""
        if depth <= 0 or self.random.random() < 0.3:
            return self.random.choice(("1", "2", "7", "0x1f", "010", "${#a}", "$#", "n", "n"))
        operator = self.random.choice(("+", "-", "*", "<", "==", "&&", "||", "&", "|", "^", "<<", "%", "/"))
        left, right = self.arithmetic(depth - 1), self.arithmetic(depth - 1)
        if operator in "%/":
            right = self.random.choice("123")
        if operator == "<<":
            right = "2"
        form = self.random.choice(
            ("{0} {1} {2}", "({0}{1}{2})", "-({0} {1} {2})", "{0} {1} {2} ? {0} : {2}", "!({0})")
        )
        return form.format(left, operator, right)

    def word(self, depth: int) -> str:
        """A word of one to three parts."""
        return "".join(self.part(depth) for _ in range(self.random.choice((1, 1, 1, 2, 3))))

    def part(self, depth: int) -> str:
        """One part of a word."""
        kind = self.random.randrange(12)
        if kind < 3:
            return self.quoted(self.random.choice(TEXTS)) or "''"
        if kind < 6:
            return self.parameter(depth)
        if kind < 8:
            return f'"{self.parameter(depth)}"'
        if kind == 8 and depth > 0:
            return f"$(({self.arithmetic(2)}))"
        if kind == 9 and depth > 0:
            inner = self.simple(depth - 1)
            return self.random.choice((f"$( {inner})", f'"$({inner})"'))
        if kind == 10:
            return self.random.choice(("*.txt", "[ab].txt", "z*", "d/*", "\\*", "?.txt"))
        return self.random.choice(("lit", "x-y", "a=b", "\\ ", "#", "{}"))

    def words(self, depth: int) -> str:
        """Some words."""
        return " ".join(self.word(depth) for _ in range(self.random.randint(0, 3)))

    # ---- commands

    def simple(self, depth: int) -> str:
        """A simple command."""
        kind = self.random.randrange(16)
        if kind < 4:
            return f"printf '<%s>' {self.words(depth)}; echo"
        if kind < 6:
            return f"echo x {self.words(depth)}"
        if kind == 6:
            return f"{self.random.choice(NAMES)}={self.word(depth)}"
        if kind == 7:
            return f"n=$(({self.arithmetic(2)})); echo $n"
        if kind == 8:
            return self.test(depth) + "; echo $?"
        if kind == 9:
            return self.random.choice(
                (
                    "shift",
                    "false",
                    "true",
                    ":",
                    "(exit 3)",
                    "unset b",
                    "IFS=:",
                    "unset IFS",
                    "set -f",
                    "set +f",
                )
            )
        if kind == 10:
            return f"set -- {self.words(depth)}; echo $#"
        if kind == 11 and self.functions:
            return f"{self.random.choice(self.functions)} {self.words(depth)}"
        if kind == 12:
            return f"eval 'echo {self.random.choice(NAMES)} \"${self.random.choice(NAMES)}\"'"
        if kind == 13:
            command = self.random.choice(("true", "eval :", "sh -c 'echo $a$HOME'"))
            return f"{self.random.choice(NAMES)}={self.word(depth)} {command}"
        if kind == 14 and self.in_function:
            return self.random.choice(
                (f"local {self.random.choice(NAMES)}={self.quoted('l')}", "return 4", "return")
            )
        return f'for i in {self.words(depth)}; do echo "[$i]"; done'

    def test(self, depth: int) -> str:
        """A test."""
        left, right = f'"{self.parameter(depth)}"', self.quoted(self.random.choice(TEXTS))
        return self.random.choice(
            (
                f"[ {left} = {right} ]",
                f"[ -n {left} ]",
                f"test -z {left}",
                f"[ ! -e {self.random.choice(FILES)} ]",
                f"[ -f a.txt -a {left} != {right} ]",
                f"[ $# -{self.random.choice(('lt', 'ge', 'eq'))} 2 ]",
                "[ -d d ]",
            )
        )

    def redirected(self, command: str) -> str:
        """A command with a redirection."""
        name = self.random.choice(FILES)
        return self.random.choice(
            (
                f"{{ {command}; }} >{name}; cat {name}",
                f"{{ {command}; }} >>{name}",
                f"{{ {command}; }} 2>/dev/null",
                f"{{ {command}; }} 3>&1 >&3",
                f"cat <{self.random.choice(('a.txt', 'nofile'))} 2>/dev/null; echo $?",
                f"cat <<E | tr a-z A-Z\nh {self.parameter(1)} \\$a `echo bq`\nE",
                f"cat <<'E'\n$a {command}\nE",
                f"read {self.random.choice(NAMES)} _x <<E\n{self.random.choice(TEXTS)} $b\nE",
            )
        )

    def piped(self, depth: int) -> str:
        """A pipeline."""
        consumer = self.random.choice(
            (
                "cat",
                "sort",
                "tr a-z A-Z",
                "wc -l",
                'while read x y; do echo "$y:$x"; done',
                "{ read x; echo $x; cat; }",
                "head -n 1",
                "grep -c o",
            )
        )
        return f"{{ {self.statement(depth - 1)}\n}} | {consumer}"

    def statement(self, depth: int) -> str:
        """Any statement, at most ``depth`` levels deep."""
        if depth <= 0:
            return self.simple(1)
        inner = self.random.randrange(16)
        if inner < 4:
            return self.simple(2)
        body = self.statement(depth - 1)
        if inner == 4:
            other = self.statement(depth - 1)
            return f"if {self.test(1)}; then\n{body}\nelse\n{other}\nfi"
        if inner == 5:
            self.counter += 1
            name = f"k{self.counter}"
            jump = self.random.choice(("", f"[ ${name} -eq 1 ] && continue", f"[ ${name} -eq 2 ] && break"))
            return f"{name}=0; while [ ${name} -lt 3 ]; do {name}=$(({name}+1)); {jump or ':'}\n{body}\ndone"
        if inner == 6:
            return f"for w in {self.words(1)} z; do\n{body}\necho $w; done"
        if inner == 7:
            subject, pattern = self.word(1), self.random.choice(PATTERNS)
            return f"case {subject} in {pattern}) {body}\n;; one|two) echo 12;; *) echo else;; esac"
        if inner == 8:
            return f"({body}\n)"
        if inner == 9:
            return f"{{ {body}\n}}"
        if inner == 10:
            name = f"fn{len(self.functions)}"
            outer, self.in_function = self.in_function, True
            inside = self.statement(depth - 1)
            self.in_function = outer
            self.functions.append(name)
            return f'{name}() {{ echo "$# $1"\n{inside}\n}}; {name} {self.words(1)}'
        if inner == 11:
            return f"{self.test(1)} {self.random.choice(('&&', '||'))} {{ {body}\n}}"
        if inner == 12:
            return f"! {self.test(1)}; echo $?"
        if inner == 13:
            return self.redirected(self.simple(1))
        if inner == 14:
            return self.piped(depth)
        return f'v1=$( {body}\n); echo "$v1" $?'


@pytest.mark.parametrize("seed", range(300))
def test_a_generated_script_does_the_same_as_in_dash(seed: int, agrees: Callable[..., None]) -> None:
    agrees(Author(seed).script())
