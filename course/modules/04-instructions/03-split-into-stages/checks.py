"""Exercise 4.3: stages and instructions of a Dockerfile, as the project's parser and planner read it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.form import ExecForm
from builder.dockerfile.syntax.parser import parse
from course.check import Case

DIRECTED = {
    "stages": [
        "FROM alpine\n",
        "FROM alpine AS build\nRUN make\nFROM busybox\nCOPY --from=build /a /a\n",
        "from alpine as Build\nrun make\nFROM build\n",
        "\nFROM alpine\n\nRUN a\n\nRUN b\n",
    ],
    "continuation": [
        "FROM alpine\nRUN a && \\\n    b\nRUN c\n",
        "FROM alpine\nRUN a \\\n  b \\\n  c\nCMD d\n",
        "FROM alpine \\\n  AS build\nRUN a\n",
        "FROM alpine\nRUN a && \\   \n    b\nRUN c\n",
        'FROM alpine\nCMD ["a", \\\n     "b"]\nUSER c\n',
    ],
    "comments": [
        "# one\nFROM alpine\n# two\nRUN a\n",
        "FROM alpine\nRUN a && \\\n# why\n    b\nRUN c\n",
        "FROM alpine\nRUN a && \\\n    # why \\\n    b\nRUN c\n",
        "FROM alpine\nRUN a && \\\n\n    b\nRUN c\n",
        "FROM alpine\nRUN a # b \\\n   c\nRUN d\n",
    ],
    "heredoc": [
        "FROM alpine\nRUN <<EOF\na\nFROM b\nEOF\nRUN c\n",
        "FROM alpine\nCOPY <<EOF /etc/motd\nRUN away\nEOF\nRUN c\n",
        'FROM alpine\nRUN <<"END"\n# a\nEND\nRUN c\n',
        "FROM alpine\nRUN <<-EOF\n\ta\n\tEOF\nRUN c\n",
        "FROM alpine\nRUN <<EOF\nEOF is not here\n EOF\nEOF\nRUN c\n",
        "FROM alpine\nCOPY <<ONE <<TWO /etc/\na\nONE\nb\nTWO\nRUN c\n",
        "FROM alpine\nCMD cat <<EOF\nRUN c\n",
    ],
    "exec-form": [
        'FROM alpine\nCMD ["a", "b c"]\n',
        'FROM alpine\nRUN ["a", "b  c", "d, e"]\nENTRYPOINT ["f"]\n',
        "FROM alpine\nCMD [a, b]\n",
        'FROM alpine\nCOPY ["a b", "/c/"]\nCMD a "b c"\n',
        "FROM alpine\nCMD []\n",
    ],
    "arguments": [
        "ARG V=3.19\nFROM alpine:$V\n",
        "ARG NAME=alpine\nARG V=3.19\nFROM ${NAME}:${V} AS a\nFROM a\n",
        "ARG V=1\nFROM alpine:$V\nARG V=2\nRUN a\nFROM busybox:$V\n",
        "ARG V=1\nFROM alpine:$V\nARG W=2\nENV V=3\nFROM busybox:$V\n",
    ],
}
BECAUSE = {
    DIRECTED["stages"][2]: "small-letters",
    DIRECTED["comments"][4]: "hash-inside",
    DIRECTED["comments"][3]: "empty-line",
    DIRECTED["heredoc"][4]: "end-exactly",
    DIRECTED["heredoc"][6]: "no-heredoc-there",
    DIRECTED["exec-form"][2]: "no-json",
    DIRECTED["exec-form"][3]: "copy-list",
}


def cases(seed: str) -> Iterator[Case]:
    for group, texts in DIRECTED.items():
        for text in texts:
            yield Case(group, (text,), because=BECAUSE.get(text, ""))
    dice = random.Random(seed)
    for _ in range(20):
        yield Case("any-file", (random_file(dice),))


def oracle(text):
    """The stages as the parser has them, each base as the planner does."""
    dockerfile = parse(text)
    return [
        {
            "name": stage.name,
            "base": str(plan(dockerfile, target=str(stage.index)).target.base),
            "instructions": [told(each) for each in stage.instructions],
        }
        for stage in dockerfile.stages
    ]


def told(instruction) -> list[object]:
    command = getattr(instruction, "command", None)
    words = list(command.argv) if isinstance(command, ExecForm) else None
    return [instruction.span.line, instruction.name, words]


PIECES = (
    "RUN a\n",
    "run a && \\\n    b\n",
    "RUN a && \\\n  # why\n\n    b\n",
    "# RUN no\n",
    "\n",
    "RUN <<EOF\nFROM b\n# c\nEOF\n",
    "COPY <<-'END' /x\n\ta \\\n\tEND\n",
    'CMD ["a b", "c"]\n',
    "CMD a # b\n",
    'ENTRYPOINT ["a", \\\n  "b"]\n',
    "ENTRYPOINT [a]\n",
    "ENV A=1 \\\n    B=2\n",
    "ARG V=9\n",
    "COPY a b /c/\n",
    "USER d\n",
)


def random_file(dice: random.Random) -> str:
    text = f"ARG V={dice.randint(1, 9)}\n" + dice.choice(("", "# FROM no\n", "\n"))
    for number in range(dice.randint(1, 3)):
        base = dice.choice(("alpine", "alpine:$V", "busybox:${V}", *(["one"] if number else [])))
        alias = " AS One" if not number else dice.choice(("", f" as s{number}"))
        text += f"FROM {base}{alias}\n" + "".join(dice.sample(PIECES, dice.randint(1, 5)))
    return text
