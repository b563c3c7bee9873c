"""The lint rules, as data: a name, a sentence, a message, and a bad and a good example each.

BuildKit frontend/dockerfile/linter, ``ruleset.go``, names the rules that are its own; those marked ``ours``
are about layers, which it does not look at. docs/lint.md is made from this table.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from builder.dockerfile.span import Span


class Cost(enum.Enum):
    """Which bytes of the image a finding stands for, once the layer of its instruction is known."""

    NONE = "none"
    HIDES = "hides"
    CACHES = "caches"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; an ``experimental`` one must be asked for, one of ``ours`` is unknown to BuildKit.

    ``message``: a format for what a check finds. ``ignored``: the .dockerignore beside the examples.
    """

    id: str
    sentence: str
    message: str
    bad: str
    good: str
    experimental: bool = False
    ignored: str = ""
    ours: bool = False
    cost: Cost = Cost.NONE

    @property
    def path(self) -> str:
        """The end of the address of BuildKit's page on the rule: ``stage-name-casing``."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", self.id).lower()

    @property
    def url(self) -> str:
        """BuildKit's page on the rule; for one of ours its place in docs/lint.md."""
        if self.ours:
            return f"docs/lint.md#{self.id.lower()}"
        return f"https://docs.docker.com/go/dockerfile/rule/{self.path}/"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that breaks a rule."""

    rule: Rule
    message: str
    span: Span

    def __str__(self) -> str:
        return f"{self.span}: {self.rule.id}: {self.message}"


def finding(rule: Rule, span: Span, /, **values: object) -> Finding:
    """The finding with the rule's message filled in."""
    return Finding(rule, rule.message.format(**values), span)


def _table(rules: Iterable[Rule]) -> Mapping[str, Rule]:
    return MappingProxyType({rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)})


STAGE_NAME_CASING: Final = Rule(
    "StageNameCasing",
    "A stage's name is written in lower case, because names are compared without case.",
    "stage name {name!r} should be lower case",
    "FROM alpine:3.19 AS BuildBase",
    "FROM alpine:3.19 AS build-base",
)
FROM_AS_CASING: Final = Rule(
    "FromAsCasing",
    "FROM and AS are written in the same case.",
    "{as_keyword!r} should have the case of {keyword!r}",
    "FROM alpine:3.19 as build",
    "FROM alpine:3.19 AS build",
)
NO_EMPTY_CONTINUATION: Final = Rule(
    "NoEmptyContinuation",
    "No empty line stands inside a continued instruction: Docker means to refuse it one day.",
    "empty line inside a continued {instruction}",
    "FROM alpine:3.19\nRUN echo one && \\\n\n    echo two",
    "FROM alpine:3.19\nRUN echo one && \\\n    echo two",
)
CONSISTENT_INSTRUCTION_CASING: Final = Rule(
    "ConsistentInstructionCasing",
    "All instructions of a file are written in one case.",
    "{keyword!r} should be {case} case, as most instructions of this file are",
    "FROM alpine:3.19\nrun echo one\nRUN echo two",
    "FROM alpine:3.19\nRUN echo one\nRUN echo two",
)
DUPLICATE_STAGE_NAME: Final = Rule(
    "DuplicateStageName",
    "No two stages have the same name, because only one of them can be meant.",
    "stage name {name!r} is taken by line {first}",
    "FROM alpine:3.19 AS build\nFROM busybox:1.36 AS build",
    "FROM alpine:3.19 AS build\nFROM busybox:1.36 AS test",
)
RESERVED_STAGE_NAME: Final = Rule(
    "ReservedStageName",
    "No stage is named scratch or context: both words mean something else.",
    "{name!r} is a reserved word: whoever reads it means something else",
    "FROM alpine:3.19 AS scratch",
    "FROM alpine:3.19 AS empty",
)
JSON_ARGS_RECOMMENDED: Final = Rule(
    "JSONArgsRecommended",
    "CMD and ENTRYPOINT are JSON arrays, because a shell in between does not pass signals on.",
    "{instruction} in shell form: the shell does not pass signals on; write a JSON array",
    "FROM alpine:3.19\nCMD sleep 60",
    'FROM alpine:3.19\nCMD ["sleep", "60"]',
)
MAINTAINER_DEPRECATED: Final = Rule(
    "MaintainerDeprecated",
    "The author of an image is a label; MAINTAINER is deprecated.",
    "MAINTAINER is deprecated: write LABEL org.opencontainers.image.authors={author}",
    "FROM alpine:3.19\nMAINTAINER somebody@example.org",
    "FROM alpine:3.19\nLABEL org.opencontainers.image.authors=somebody@example.org",
)
UNDEFINED_ARG_IN_FROM: Final = Rule(
    "UndefinedArgInFrom",
    "FROM uses only variables that an ARG above the first FROM declares.",
    "FROM uses {name}, which no ARG above it declares{suggestion}",
    "ARG VERSION=3.19\nFROM alpine:${VERSIO}",
    "ARG VERSION=3.19\nFROM alpine:${VERSION}",
)
UNDEFINED_VAR: Final = Rule(
    "UndefinedVar",
    "A variable is declared before it is used; an unset one is replaced by nothing.",
    "${name} is not set here{suggestion}",
    "FROM scratch\nARG source=src\nCOPY $sourc .",
    "FROM scratch\nARG source=src\nCOPY $source .",
)
INVALID_DEFAULT_ARG_IN_FROM: Final = Rule(
    "InvalidDefaultArgInFrom",
    "The base is a valid image even if no build argument is given.",
    "{base} names no image unless build arguments are given: it is then {result!r}",
    "ARG VERSION\nFROM alpine:${VERSION}",
    "ARG VERSION=3.19\nFROM alpine:${VERSION}",
)
WORKDIR_RELATIVE_PATH: Final = Rule(
    "WorkdirRelativePath",
    "The first WORKDIR is absolute: a relative one depends on where the base image left off.",
    "relative WORKDIR {path!r} depends on the base image",
    "FROM alpine:3.19\nWORKDIR app",
    "FROM alpine:3.19\nWORKDIR /app",
)
MULTIPLE_INSTRUCTIONS_DISALLOWED: Final = Rule(
    "MultipleInstructionsDisallowed",
    "A stage has one CMD, one ENTRYPOINT and one HEALTHCHECK: only the last one counts.",
    "this {instruction} has no effect: line {last} replaces it",
    'FROM alpine:3.19\nCMD ["one"]\nCMD ["two"]',
    'FROM alpine:3.19\nCMD ["two"]',
)
LEGACY_KEY_VALUE_FORMAT: Final = Rule(
    "LegacyKeyValueFormat",
    "ENV and LABEL are written with =: the form with a blank takes the whole rest of the line.",
    "write {instruction} {key}=… with an equals sign",
    "FROM alpine:3.19\nENV DIR /my path",
    'FROM alpine:3.19\nENV DIR="/my path"',
)
REDUNDANT_TARGET_PLATFORM: Final = Rule(
    "RedundantTargetPlatform",
    "--platform=$TARGETPLATFORM is left out: it is the default.",
    "--platform={platform} is the default",
    "FROM --platform=$TARGETPLATFORM alpine:3.19",
    "FROM alpine:3.19",
)
SECRETS_USED_IN_ARG_OR_ENV: Final = Rule(
    "SecretsUsedInArgOrEnv",
    "Secrets are mounted for one RUN: an ARG or ENV stays in the image and its history.",
    "{instruction} {name} looks like a secret, and would stay in the image: use RUN --mount=type=secret",
    "FROM alpine:3.19\nENV API_TOKEN=abc",
    "FROM alpine:3.19\nRUN --mount=type=secret,id=token,env=API_TOKEN ./fetch",
)
INVALID_BASE_IMAGE_PLATFORM: Final = Rule(
    "InvalidBaseImagePlatform",
    "The base image is for the platform that is built for.",
    "{image} is for {actual}, and {expected} is being built",
    "FROM --platform=linux/arm64 image-that-exists-only-for-amd64",
    "FROM --platform=linux/arm64 image-with-both",
)
COPY_IGNORED_FILE: Final = Rule(
    "CopyIgnoredFile",
    "COPY and ADD name no file that .dockerignore keeps out of the context.",
    "{instruction} {source}: excluded by {file} {rule}",
    "FROM scratch\nCOPY notes.tmp /",
    "FROM scratch\nCOPY notes.txt /",
    experimental=True,
    ignored="*.tmp",
)
FROM_PLATFORM_FLAG_CONST_DISALLOWED: Final = Rule(
    "FromPlatformFlagConstDisallowed",
    "FROM --platform is no constant, so that one file builds for every platform.",
    "--platform={platform} is a constant: the stage can be built for nothing else",
    "FROM --platform=linux/amd64 alpine:3.19",
    "FROM --platform=$BUILDPLATFORM alpine:3.19",
)
EXPOSE_PROTO_CASING: Final = Rule(
    "ExposeProtoCasing",
    "The protocol of EXPOSE is written in lower case.",
    "write {port} in lower case",
    "FROM alpine:3.19\nEXPOSE 80/TCP",
    "FROM alpine:3.19\nEXPOSE 80/tcp",
)
EXPOSE_INVALID_FORMAT: Final = Rule(
    "ExposeInvalidFormat",
    "EXPOSE names the container's port alone: addresses and ports of the host are chosen when it is run.",
    "{port} names an address or port of the host, which EXPOSE cannot choose",
    "FROM alpine:3.19\nEXPOSE 127.0.0.1:8080:80",
    "FROM alpine:3.19\nEXPOSE 80",
)
INVALID_DEFINITION_DESCRIPTION: Final = Rule(
    "InvalidDefinitionDescription",
    "A comment directly above a stage or an ARG begins with its name, as its description.",
    "a comment directly above {instruction} is its description: write # {name} …, or leave a line empty",
    "# the compiler\nFROM alpine:3.19 AS build",
    "# build holds the compiler\nFROM alpine:3.19 AS build",
    experimental=True,
)

REMOVE_FREES_NOTHING: Final = Rule(
    "RemoveFreesNothing",
    "What an earlier instruction made is removed in the same instruction: later, it is only hidden.",
    "this only hides what earlier layers hold: remove it in the RUN that makes it",
    "FROM alpine:3.19\nRUN wget http://example.com/kit.tar\nRUN rm kit.tar",
    "FROM alpine:3.19\nRUN wget http://example.com/kit.tar && rm kit.tar",
    ours=True,
    cost=Cost.HIDES,
)
CHANGE_COPIES_FILES: Final = Rule(
    "ChangeCopiesFiles",
    "chmod -R and chown -R stand in the RUN that makes the files, or are flags of COPY: a layer that changes "
    "a mode or an owner holds the whole file once more.",
    "{command} copies every file below it into this layer: use COPY {flag}, or the RUN that makes the files",
    "FROM alpine:3.19\nCOPY site /site\nRUN chmod -R a+rX /site",
    "FROM alpine:3.19\nCOPY --chmod=a+rX site /site",
    ours=True,
    cost=Cost.HIDES,
)
PACKAGE_CACHE_KEPT: Final = Rule(
    "PackageCacheKept",
    "A package manager leaves no cache in the layer.",
    "{tool} leaves its cache in this layer: {fix}",
    "FROM debian:12\nRUN apt-get update && apt-get install -y less",
    "FROM debian:12\nRUN apt-get update && apt-get install -y less && rm -rf /var/lib/apt/lists/*",
    ours=True,
    cost=Cost.CACHES,
)
UPDATE_ALONE: Final = Rule(
    "UpdateAlone",
    "apt-get update and install stand in one RUN: from the cache, an update alone stays as old as it is.",
    "apt-get update alone is cached for ever: put the install into the same RUN",
    "FROM debian:12\nRUN apt-get update",
    "FROM debian:12\nRUN apt-get update && apt-get install -y less && rm -rf /var/lib/apt/lists/*",
    ours=True,
    cost=Cost.CACHES,
)
INSTALL_ASKS: Final = Rule(
    "InstallAsks",
    "apt-get install is told -y: nobody can answer its question during a build.",
    "apt-get {verb} without -y asks a question that nobody answers",
    "FROM debian:12\nRUN apt-get update && apt-get install less && rm -rf /var/lib/apt/lists/*",
    "FROM debian:12\nRUN apt-get update && apt-get install -y less && rm -rf /var/lib/apt/lists/*",
    ours=True,
)
FLOATING_TAG: Final = Rule(
    "FloatingTag",
    "A base has a tag that says a version, or a digest: without one it means latest, which changes.",
    "{base} means another image tomorrow: name a version, or a digest",
    "FROM alpine",
    "FROM alpine:3.19",
    ours=True,
)
SECRET_COPIED: Final = Rule(
    "SecretCopied",
    "No key and no password is copied: it stays in the layer, even if a later one removes it.",
    "{source} looks like a secret, and stays in the image: use RUN --mount=type=secret",
    "FROM scratch\nCOPY id_rsa /root/.ssh/",
    "FROM alpine:3.19\nRUN --mount=type=secret,id=key,target=/root/.ssh/id_rsa ./fetch",
    ours=True,
)
ADD_INSTEAD_OF_COPY: Final = Rule(
    "AddInsteadOfCopy",
    "ADD is for archives and addresses; files are copied by COPY, which has no surprises.",
    "ADD {source} does what COPY does, until the file happens to be an archive",
    "FROM scratch\nADD index.html /",
    "FROM scratch\nCOPY index.html /",
    ours=True,
)
DESTINATION_WITHOUT_SLASH: Final = Rule(
    "DestinationWithoutSlash",
    "The destination of several sources ends with a slash: without it the build depends on what is there.",
    "several sources and {destination} without a slash: it fails where no directory of that name is",
    "FROM scratch\nCOPY a b /srv",
    "FROM scratch\nCOPY a b /srv/",
    ours=True,
)
MODE_CLOSES_DIRECTORIES: Final = Rule(
    "ModeClosesDirectories",
    "A number in --chmod holds for directories too, and one without x closes them: symbols such as a+rX do "
    "not.",
    "--chmod={mode} holds for directories too, which only root can enter then: write --chmod={symbols}",
    "FROM scratch\nCOPY --chmod=644 site/ /site/",
    "FROM scratch\nCOPY --chmod=u=rwX,go=rX site/ /site/",
    ours=True,
)
TRIGGER_CANNOT_RUN: Final = Rule(
    "TriggerCannotRun",
    "What ONBUILD puts off is an instruction: it is only read when another build starts from the image.",
    "every build that starts from this image fails here: {why}",
    'FROM alpine:3.19\nONBUILD ["/data"]',
    'FROM alpine:3.19\nONBUILD VOLUME ["/data"]',
    ours=True,
)

RULES: Final = _table(value for value in tuple(globals().values()) if isinstance(value, Rule))
"""Rules by name, sorted."""
