"""A Dockerfile's text → its stages and their instructions.

>>> dockerfile = parse("FROM alpine AS build\\nRUN make\\n")
>>> dockerfile.stages[0].title, dockerfile.stages[0].instructions[0].command
('build', ShellForm(text='make'))
"""

from __future__ import annotations

from builder.dockerfile.span import Span
from builder.dockerfile.syntax.grammar import understand
from builder.dockerfile.syntax.instruction import Arg, From, Instruction, Onbuild
from builder.dockerfile.syntax.lexer import DEFAULT_LIMITS, Directive, Limits, lex
from builder.errors import DockerfileError
from unionfs_sim.nodes.record import Record


class Stage(Record):
    """One FROM and what follows it. ``index`` counts from 0."""

    index: int
    start: From
    instructions: tuple[Instruction, ...]

    @property
    def name(self) -> str | None:
        """The name after AS, in lower case."""
        return self.start.alias

    @property
    def title(self) -> str:
        """The name, or else the index: how people speak of the stage."""
        return self.start.alias or str(self.index)

    @property
    def span(self) -> Span:
        """Where its FROM stands."""
        return self.start.span


class Dockerfile(Record):
    """A whole file. ``global_args``: the ARGs before the first FROM."""

    name: str
    escape: str
    directives: tuple[Directive, ...]
    global_args: tuple[Arg, ...]
    stages: tuple[Stage, ...]

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions in the order of the file."""
        inside = (each for stage in self.stages for each in (stage.start, *stage.instructions))
        return (*self.global_args, *inside)

    def directive(self, name: str) -> Directive | None:
        """The directive of that name, if the file has it."""
        return next((each for each in self.directives if each.name == name), None)


def parse(source: bytes | str, *, name: str = "Dockerfile", limits: Limits = DEFAULT_LIMITS) -> Dockerfile:
    """The Dockerfile in ``source``; the first thing that is wrong with it is a DockerfileError."""
    lexed = lex(source, name=name, limits=limits)
    global_args: list[Arg] = []
    stages: list[Stage] = []
    start: From | None = None
    body: list[Instruction] = []
    for statement in lexed.statements:
        instruction = understand(statement, lexed.escape)
        if isinstance(instruction, From):
            if start is not None:
                stages.append(Stage(len(stages), start, tuple(body)))
            start, body = instruction, []
        elif start is not None:
            body.append(instruction)
        elif isinstance(instruction, Arg):
            global_args.append(instruction)
        else:
            raise DockerfileError(
                f"{instruction.name} before the first FROM",
                where=instruction.span,
                fix="begin with FROM; only ARG may stand before it",
            )
    if start is None:
        last = lexed.statements[-1].span
        raise DockerfileError("there is no FROM", where=last, fix="add FROM alpine:3.19, or FROM scratch")
    stages.append(Stage(len(stages), start, tuple(body)))
    return Dockerfile(name, lexed.escape, lexed.directives, tuple(global_args), tuple(stages))


def parse_trigger(expression: str, *, name: str = "ONBUILD") -> Instruction:
    """The instruction that an image's ONBUILD has put off; ``name`` says in errors whose it is."""
    statements = lex(expression, name=name).statements
    fix = "the image that holds it was built from another Dockerfile: mend it there"
    if len(statements) != 1:
        what = f"{len(statements)} instructions where one is expected"
        raise DockerfileError(what, where=statements[1].span, fix=fix)
    instruction = understand(statements[0], "\\")
    if isinstance(instruction, From | Onbuild):
        raise DockerfileError(f"{instruction.name} cannot be put off", where=instruction.span, fix=fix)
    return instruction
