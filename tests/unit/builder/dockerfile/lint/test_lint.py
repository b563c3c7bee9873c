"""BuildKit's build checks and our own; the examples of every rule are its tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from builder.context.ignore import IgnoreFile
from builder.dockerfile.lint.lint import Origin, check, fails, wrong_platform
from builder.dockerfile.lint.page import rules_page
from builder.dockerfile.lint.rules import RULES, Finding
from builder.dockerfile.span import Span
from builder.dockerfile.syntax.parser import parse
from builder.errors import DockerfileError

ALL = frozenset({"all"})
BUILDKIT = """
    ConsistentInstructionCasing CopyIgnoredFile DuplicateStageName ExposeInvalidFormat ExposeProtoCasing
    FromAsCasing FromPlatformFlagConstDisallowed InvalidBaseImagePlatform InvalidDefaultArgInFrom
    InvalidDefinitionDescription JSONArgsRecommended LegacyKeyValueFormat MaintainerDeprecated
    MultipleInstructionsDisallowed NoEmptyContinuation RedundantTargetPlatform ReservedStageName
    SecretsUsedInArgOrEnv StageNameCasing UndefinedArgInFrom UndefinedVar WorkdirRelativePath
"""
AT_FETCH = {"InvalidBaseImagePlatform"}
"""Only whoever fetches the base can know."""
CHECKED = sorted(RULES.keys() - AT_FETCH)


def found(
    text: str,
    *,
    ignored: str = "",
    experimental: frozenset[str] = ALL,
    origin: Origin = Origin.BUILDKIT,
) -> list[Finding]:
    ignore = IgnoreFile.parse(ignored) if ignored else None
    return list(check(parse(text), ignore=ignore, experimental=experimental, origin=origin))


def ours(*lines: str) -> list[tuple[int, str]]:
    findings = found("\n".join(("FROM debian:12", *lines, "")), origin=Origin.ALL)
    return [(each.span.line, each.rule.id) for each in findings]


def ids(findings: list[Finding]) -> set[str]:
    return {each.rule.id for each in findings}


def test_the_rules_are_those_of_buildkit_but_for_those_marked_as_ours() -> None:
    assert sorted(name for name, rule in RULES.items() if not rule.ours) == sorted(BUILDKIT.split())


def test_only_buildkits_rules_are_looked_at_where_that_is_asked_for() -> None:
    for rule in (each for each in RULES.values() if each.ours):
        assert rule.id not in ids(found(rule.bad, origin=Origin.BUILDKIT))


@pytest.mark.parametrize("name", CHECKED)
def test_the_bad_example_of_a_rule_breaks_it(name: str) -> None:
    assert name in ids(found(RULES[name].bad, ignored=RULES[name].ignored, origin=Origin.ALL))


@pytest.mark.parametrize("name", CHECKED)
def test_the_good_example_of_a_rule_breaks_no_rule(name: str) -> None:
    assert found(RULES[name].good, ignored=RULES[name].ignored, origin=Origin.ALL) == []


def test_the_page_of_buildkit_has_the_name_in_lower_case() -> None:
    assert RULES["JSONArgsRecommended"].url.endswith("/json-args-recommended/")
    assert RULES["SecretsUsedInArgOrEnv"].url.endswith("/secrets-used-in-arg-or-env/")


def test_the_page_on_the_rules_is_current() -> None:
    page = Path(__file__).parents[5] / "docs" / "lint.md"

    assert page.read_text(encoding="utf-8").rstrip("\n") == rules_page().rstrip("\n")


def test_a_finding_says_where_which_rule_and_why() -> None:
    (finding,) = found("FROM alpine\nMAINTAINER me\n")

    assert str(finding).startswith("Dockerfile:2: MaintainerDeprecated: ")


def test_findings_stand_in_the_order_of_the_lines() -> None:
    findings = found("FROM alpine AS B\nCMD a\nMAINTAINER x\nEXPOSE 1/TCP\n")

    assert [each.span.line for each in findings] == [1, 2, 3, 4]


def test_the_directive_leaves_rules_out() -> None:
    text = "# check=skip=MaintainerDeprecated, JSONArgsRecommended\nFROM alpine AS B\nMAINTAINER x\nCMD a\n"

    assert ids(found(text)) == {"StageNameCasing"}
    assert found(text.replace("MaintainerDeprecated, JSONArgsRecommended", "all")) == []


def test_the_directive_makes_a_finding_an_error() -> None:
    assert fails(parse("# check=error=true\nFROM alpine\n"))
    assert not fails(parse("# check=skip=all;error=false\nFROM alpine\n"))
    assert not fails(parse("FROM alpine\n"))


@pytest.mark.parametrize("value", ["skp=all", "error=perhaps", "all", "skip=a;b"])
def test_a_directive_that_means_nothing_is_refused(value: str) -> None:
    with pytest.raises(DockerfileError, match="Dockerfile:1: check"):
        found(f"# check={value}\nFROM alpine\n")


def test_experimental_rules_must_be_asked_for() -> None:
    text = "# the compiler\nFROM alpine AS build\n"

    assert found(text, experimental=frozenset()) == []
    assert ids(found(f"# check=experimental=all\n\n{text}", experimental=frozenset())) == {
        "InvalidDefinitionDescription"
    }


def test_the_case_that_most_instructions_have_is_the_right_one() -> None:
    findings = found("from alpine\nrun a\nRUN b\n")

    assert [(each.span.line, each.rule.id) for each in findings] == [(3, "ConsistentInstructionCasing")]


def test_a_shell_of_ones_own_excuses_the_shell_form() -> None:
    assert found('FROM alpine\nSHELL ["/bin/bash", "-c"]\nCMD a\n') == []


def test_every_replaced_instruction_is_named_with_the_line_that_replaces_it() -> None:
    findings = found('FROM alpine\nCMD ["a"]\nCMD ["b"]\nCMD ["c"]\n')

    assert [(each.span.line, each.message[-20:]) for each in findings] == [
        (2, "t: line 3 replaces it"[-20:]),
        (3, "t: line 4 replaces it"[-20:]),
    ]


def test_a_variable_of_the_base_image_is_known_if_the_image_is() -> None:
    def environment(base: str) -> Mapping[str, str] | None:
        return {"JAVA_HOME": "/opt"} if base == "java" else {}

    known = check(parse("FROM java\nENV A=$JAVA_HOME\n"), environment=environment, origin=Origin.BUILDKIT)
    missing = check(parse("FROM other\nENV A=$JAVA_HOME\n"), environment=environment, origin=Origin.BUILDKIT)

    assert known == ()
    assert ids(list(missing)) == {"UndefinedVar"}


def test_a_variable_of_an_unknown_base_image_is_given_the_benefit_of_the_doubt() -> None:
    assert found("FROM somebody/java\nENV A=$JAVA_HOME\n") == []
    assert ids(found("FROM somebody/java\nARG VERSION\nENV A=$VERSOIN\n")) == {"UndefinedVar"}


def test_a_word_that_says_what_an_unset_variable_means_uses_none() -> None:
    assert found("FROM scratch\nENV A=${B:-c} D=${E+f}\n") == []


def test_variables_and_the_working_directory_go_from_stage_to_stage() -> None:
    assert found("FROM scratch AS a\nENV B=c\nWORKDIR /x\nFROM a\nENV D=$B\nWORKDIR y\n") == []


def test_a_relative_working_directory_below_an_absolute_one_is_fine() -> None:
    assert found("FROM alpine\nWORKDIR /a\nWORKDIR b\n") == []
    assert ids(found("FROM alpine\nWORKDIR a\nWORKDIR /b\n")) == {"WorkdirRelativePath"}


def test_a_stage_named_after_its_platform_may_have_a_constant_one() -> None:
    assert found("FROM --platform=linux/arm64 alpine AS tools-arm64\n") == []


def test_words_that_only_sound_like_secrets_are_no_secrets() -> None:
    assert found("FROM scratch\nENV PUBLIC_KEY=a KEYBOARD=b TOKEN_FILE=c AUTHOR=d\n") == []
    assert len(found("FROM scratch\nENV API_KEY=a db_password=b AUTH=c\n")) == 3


def test_with_exceptions_nobody_can_say_what_a_directory_lacks() -> None:
    assert found("FROM scratch\nCOPY a.tmp /\n", ignored="*.tmp\n!b.tmp\n") == []


def test_a_base_for_another_platform_is_found_by_whoever_fetches_it() -> None:
    finding = wrong_platform(Span("Dockerfile", 1, 1), "alpine", expected="linux/arm64", actual="linux/amd64")

    assert str(finding).endswith("alpine is for linux/amd64, and linux/arm64 is being built")


# BuildKit convert.go, reportUnmatchedVariables: whatever is expanded, unless an ARG has the name.
@pytest.mark.parametrize(
    "line",
    [
        "ENV A=$NO",
        "ENV A$NO=1",
        "LABEL a=$NO",
        "ARG A=$NO",
        "COPY $NO /x",
        "COPY a /$NO",
        "COPY --chown=$NO a /x",
        "COPY --exclude=$NO a /x",
        "ADD --checksum=$NO http://example.com/a /x",
        "WORKDIR /$NO",
        "USER $NO",
        "EXPOSE $NO",
        "VOLUME $NO",
        "STOPSIGNAL $NO",
        "RUN --mount=type=bind,source=$NO,target=/x true",
        "COPY <<EOF /x\n$NO\nEOF",
        "ENV A=$TARGETARCH$NO",
        "ENV A=$HTTP_PROXY",
    ],
)
def test_every_word_that_is_expanded_is_looked_through_for_unset_variables(line: str) -> None:
    findings = found(f"FROM scratch\nARG YES\n{line}\n")

    assert {(each.span.line, each.rule.id) for each in findings} == {(3, "UndefinedVar")}


@pytest.mark.parametrize(
    "line", ["RUN echo $NO", "CMD echo $NO", "COPY <<'EOF' /x\n$NO\nEOF", "ENV A=${NO:-b}", "ARG NO=$NO"]
)
def test_a_word_that_the_shell_expands_or_that_has_a_default_is_left_alone(line: str) -> None:
    assert "UndefinedVar" not in ids(found(f"FROM scratch\n{line}\n"))


def test_a_stage_knows_the_arguments_of_the_stage_that_it_starts_from() -> None:
    text = "FROM alpine AS a\nARG A=1\nFROM a\nENV B=$A\nFROM a AS c\nFROM c\nENV B=$A\n"

    assert "UndefinedVar" not in ids(found(text))


def test_a_comment_above_an_instruction_leaves_rules_out_for_it_alone() -> None:
    text = "FROM alpine\n# check=skip=MaintainerDeprecated\nMAINTAINER x\nMAINTAINER y\n"

    assert [each.span.line for each in found(text, experimental=frozenset())] == [4]
    assert [each.span.line for each in found(text.replace("MaintainerD", "all,D"))] == [4]
    assert [each.span.line for each in found(text.replace("# check", "# a check"))] == [3, 4]


def test_empty_lines_in_an_instruction_are_told_once_where_it_ends() -> None:
    findings = found("FROM alpine\nRUN a && \\\n\n\n  b && \\\n\n  c\n")

    assert [(each.span.line, each.rule.id) for each in findings] == [(7, "NoEmptyContinuation")]


@pytest.mark.parametrize(
    "line",
    [
        "RUN rm -rf /usr/share/doc",
        "RUN rm a && rm b",
        "RUN cd /x; rm a",
        'RUN ["rm", "a"]',
    ],
)
def test_a_run_that_only_removes_frees_nothing(line: str) -> None:
    assert ours(line) == [(2, "RemoveFreesNothing")]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("RUN apt-get update", "UpdateAlone"),
        ("RUN apt-get install -y less", "PackageCacheKept"),
        ("RUN apt-get -qq update && apt-get -qqy install less", "PackageCacheKept"),
        ("RUN apt-get update && apt-get install less && rm -rf /var/lib/apt/lists/*", "InstallAsks"),
        ("RUN --mount=type=cache,target=/var/cache/apt apt-get install less", "InstallAsks"),
        ("RUN apk add git", "PackageCacheKept"),
        ("RUN pip install flask", "PackageCacheKept"),
        ("RUN npm ci", "PackageCacheKept"),
        ("RUN chmod -R 755 /srv", "ChangeCopiesFiles"),
        ("RUN chown --recursive app /srv", "ChangeCopiesFiles"),
        ("COPY .env /app/", "SecretCopied"),
        ("COPY keys/server.pem /etc/ssl/", "SecretCopied"),
        ("ADD src /src", "AddInsteadOfCopy"),
        ("COPY a b /x", "DestinationWithoutSlash"),
        ("COPY --chmod=600 . /x", "ModeClosesDirectories"),
        ("ONBUILD NONSENSE", "TriggerCannotRun"),
    ],
)
def test_what_costs_size_cache_or_secrets_is_found(line: str, rule: str) -> None:
    assert ours(line) == [(2, rule)]


@pytest.mark.parametrize(
    "line",
    [
        "RUN make && rm -rf /src",
        "RUN apk add --no-cache git",
        "RUN --mount=type=cache,target=/root/.cache pip install flask",
        "RUN apt-get update && apt-get install -y less && rm -rf /var/lib/apt/lists/*",
        "RUN apt-get update && apt-get -y install less && rm -rf /var/lib/apt/lists/*",
        "RUN make && chown -R app /srv",
        "RUN chmod 755 /entry.sh",
        "COPY .env.example /app/",
        "COPY id_rsa.pub /root/.ssh/",
        "COPY --from=build /app/.env /app/",
        "ADD site.tar.gz /srv",
        "ADD https://example.com/a /a",
        "COPY a b /x/",
        "COPY --chmod=755 . /x",
        "ONBUILD RUN make",
        "RUN echo 'apt-get update",
    ],
)
def test_what_costs_nothing_is_left_alone(line: str) -> None:
    assert ours(line) == []
