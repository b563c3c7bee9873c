"""What a Dockerfile's text becomes; the many forms are cases in tests/golden/dockerfile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.dockerfile.lint.lint import check
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.span import Span
from builder.dockerfile.syntax.instruction import Copy, Env, ExecForm, Label, Run, ShellForm
from builder.dockerfile.syntax.lexer import Limits, lex
from builder.dockerfile.syntax.parser import parse, parse_trigger
from builder.errors import BuildError, DockerfileError

GOLDENS = Path(__file__).parents[4] / "golden" / "dockerfile"


def test_every_instruction_knows_its_lines_and_its_text() -> None:
    text = "FROM alpine\n\n# why\nRUN echo \\\n  # inside\n  hello\nENV A=1\n"

    run, env = parse(text).stages[0].instructions

    assert run.span == Span("Dockerfile", 4, 6)
    assert run.source == "RUN echo \\\n  # inside\n  hello"
    assert run.comments == ("why",)
    assert str(env.span) == "Dockerfile:7"


def test_a_heredoc_belongs_to_the_lines_and_the_text_of_its_instruction() -> None:
    (run,) = parse("FROM alpine\nRUN <<EOF\nmake\nEOF\n").stages[0].instructions

    assert run.span.lines == "2-4"
    assert run.source == "RUN <<EOF\nmake\nEOF"


def test_arguments_before_the_first_stage_are_global() -> None:
    dockerfile = parse("ARG A=1\nARG B\nFROM alpine\nARG A\n")

    assert [arg.declarations[0].name for arg in dockerfile.global_args] == ["A", "B"]
    assert len(dockerfile.stages[0].instructions) == 1


def test_a_stage_without_a_name_is_spoken_of_by_its_index() -> None:
    dockerfile = parse("FROM alpine AS Build\nFROM scratch\n")

    assert [stage.title for stage in dockerfile.stages] == ["build", "1"]


def test_a_run_that_is_one_heredoc_is_a_script() -> None:
    (run,) = parse("FROM alpine\nRUN <<-EOF\n\tmake\n\tEOF\n").stages[0].instructions

    assert isinstance(run, Run)
    assert run.script is not None
    assert run.shell_text == "make\n"


def test_a_run_with_heredocs_inside_gives_the_shell_all_of_them() -> None:
    (run,) = parse("FROM alpine\nRUN cat <<A - <<-B\n1\nA\n\t2\n\tB\n").stages[0].instructions

    assert isinstance(run, Run)
    assert run.script is None
    assert run.shell_text == "cat <<A - <<-B\n1\nA\n\t2\nB"


def test_expanding_replaces_variables_and_leaves_the_rest() -> None:
    text = "FROM alpine\nCOPY --chown=$U $A <<x '$A' /$A/\n$A\nx\n"
    (copy,) = parse(text).stages[0].instructions

    expanded = copy.expanded({"A": "one", "U": "1:2"}.get)

    assert isinstance(expanded, Copy)
    assert expanded.sources == ("one", "$A")
    assert expanded.destination == "/one/"
    assert expanded.chown == "1:2"
    assert expanded.documents[0].content == "one\n"
    assert expanded.span == copy.span


def test_a_quoted_heredoc_keeps_its_variables() -> None:
    (copy,) = parse('FROM alpine\nCOPY <<"x" /y\n$A\nx\n').stages[0].instructions

    expanded = copy.expanded({"A": "one"}.get)

    assert isinstance(expanded, Copy)
    assert expanded.documents[0].content == "$A\n"


def test_the_values_of_one_env_do_not_see_each_other() -> None:
    (env,) = parse("FROM alpine\nENV a=new b=$a\n").stages[0].instructions

    expanded = env.expanded({"a": "old"}.get)

    assert isinstance(expanded, Env)
    assert expanded.pairs == (("a", "new"), ("b", "old"))


def test_a_label_is_no_environment() -> None:
    (label,) = parse("FROM alpine\nLABEL a=b\n").stages[0].instructions

    assert isinstance(label, Label)
    assert not isinstance(label, Env)


def test_mounts_with_variables_are_read_when_they_are_expanded() -> None:
    (run,) = parse("FROM alpine\nRUN --mount=type=cache,target=$D,uid=$U true\n").stages[0].instructions

    expanded = run.expanded({"D": "/cache", "U": "7"}.get)

    assert isinstance(expanded, Run)
    assert (expanded.mounts[0].target, expanded.mounts[0].uid) == ("/cache", 7)


def test_what_goes_wrong_in_expanding_names_the_line() -> None:
    (copy,) = parse("FROM alpine\nCOPY ${A:?needed} /\n").stages[0].instructions

    with pytest.raises(DockerfileError, match="COPY: A: needed") as caught:
        copy.expanded({}.get)

    assert str(caught.value.where) == "Dockerfile:2"


def test_shell_and_exec_form_are_two_types() -> None:
    first, second = parse('FROM alpine\nCMD a b\nCMD ["a", "b"]\n').stages[0].instructions

    assert first.command == ShellForm("a b")  # type: ignore[attr-defined]
    assert second.command == ExecForm(("a", "b"))  # type: ignore[attr-defined]


def test_a_trigger_is_read_from_the_expression_that_an_image_keeps() -> None:
    trigger = parse_trigger("COPY <<EOF /x\nhello\nEOF", name="node:onbuild")

    assert isinstance(trigger, Copy)
    assert trigger.documents[0].content == "hello\n"
    assert str(trigger.span) == "node:onbuild:1"


@pytest.mark.parametrize("expression", ["FROM alpine", "ONBUILD RUN true", "RUN a\nRUN b", "", "nonsense"])
def test_what_cannot_be_put_off_is_no_trigger(expression: str) -> None:
    with pytest.raises(DockerfileError):
        parse_trigger(expression)


def test_too_many_bytes_are_refused_before_they_are_read() -> None:
    with pytest.raises(DockerfileError, match="more than 10"):
        parse(b"FROM alpine\n", limits=Limits(file_bytes=10))


def test_too_many_instructions_are_refused_with_the_line() -> None:
    with pytest.raises(DockerfileError, match="more than 2 instructions") as caught:
        parse("FROM a\nRUN b\nRUN c\n", limits=Limits(instructions=2))

    assert str(caught.value.where) == "Dockerfile:3"


def test_a_line_that_buildkit_could_not_read_is_refused() -> None:
    with pytest.raises(DockerfileError, match="65536 bytes or more"):
        parse("FROM a\nRUN " + "x" * 65536 + "\n")


def test_every_line_ends_without_its_carriage_return_but_a_heredoc_keeps_it() -> None:
    statements = lex("FROM a\r\nRUN <<E\r\nx\r\nE\r\n").statements

    assert statements[0].text == "FROM a"
    assert statements[1].heredocs[0].raw == "x\r\n"


def test_a_json_array_nested_for_ever_is_an_error_not_a_traceback() -> None:
    with pytest.raises(DockerfileError, match="something else than strings"):
        parse("FROM a\nRUN " + "[" * 60_000 + "\n")


SEEDS = sorted(path.read_bytes() for path in GOLDENS.glob("*/Dockerfile"))
SPLICES = [
    b"\\",
    b"\n",
    b"`",
    b"<<EOF",
    b"${",
    b"}",
    b"'",
    b'"',
    b"[",
    b"]",
    b"--",
    b"\0",
    b"\xff",
    b"# ",
    b"=",
]


@settings(max_examples=600)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 8), st.sampled_from(SPLICES)), max_size=4),
)
def test_a_mutilated_dockerfile_is_read_or_refused_with_a_place(
    seed: bytes, cuts: list[tuple[int, int, bytes]]
) -> None:
    for at, length, splice in cuts:
        seed = seed[:at] + splice + seed[at + length :]
    try:
        dockerfile = parse(seed)
        check(dockerfile)
        plan(dockerfile)
    except BuildError as error:
        assert error.where is not None
