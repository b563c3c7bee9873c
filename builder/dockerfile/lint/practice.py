"""Our own checks: what an instruction does to size, cache and secrets. BuildKit looks at none of this."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from builder.dockerfile.lint import rules
from builder.dockerfile.lint.rules import Finding, finding
from builder.dockerfile.syntax.instruction import Add, Copy, Env, ExecForm, Onbuild, Run, Transfer
from builder.dockerfile.syntax.mount import MountType
from builder.dockerfile.syntax.parser import Dockerfile, Stage

Check: TypeAlias = Callable[[Stage], Iterator[Finding]]

_SEPARATORS: Final = frozenset({"&&", "||", ";", "|", "&", "(", ")", "{", "}"})
_KEYWORDS: Final = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "time"})
_ASSIGNMENT: Final = re.compile(r"\w+=.*")
_SECRET: Final = re.compile(
    r"(?:.*/)?(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.env(?:\.\w+)?|\.netrc|\.npmrc|\.pypirc|\.pgpass|\.git-credentials"
    r"|\.aws|\.ssh|\.docker/config\.json|credentials(?:\.json)?|[^/]*\.(?:pem|p12|pfx|key|keystore|jks))/?"
)
_NO_SECRET: Final = re.compile(r"example|sample|template|dist$|\.pub$|public")
_ARCHIVE: Final = re.compile(r".*\.(?:tar|tar\.\w+|tgz|tbz2?|txz|tzst)|.*[*?$\[].*")
_REMOTE: Final = re.compile(r"\w+://|git@|.*\.git(?:#.*)?$")
_NUMBER: Final = re.compile(r"[0-7]{3,5}")

# What installs, how to keep it from leaving a cache, and which words of the RUN show that it leaves none.
_INSTALLERS: Final = (
    ("apt-get", ("install", "upgrade", "dist-upgrade"), "rm -rf /var/lib/apt/lists/*", ("/var/lib/apt",)),
    ("apt", ("install", "upgrade"), "rm -rf /var/lib/apt/lists/*", ("/var/lib/apt",)),
    ("apk", ("add", "upgrade"), "apk add --no-cache", ("--no-cache", "/var/cache/apk")),
    ("pip", ("install",), "pip install --no-cache-dir", ("--no-cache-dir", "PIP_NO_CACHE_DIR", ".cache/pip")),
    (
        "pip3",
        ("install",),
        "pip install --no-cache-dir",
        ("--no-cache-dir", "PIP_NO_CACHE_DIR", ".cache/pip"),
    ),
    ("npm", ("install", "ci", "i"), "npm cache clean --force", ("cache clean", ".npm")),
    ("yarn", ("install",), "yarn cache clean", ("cache clean",)),
    ("dnf", ("install",), "dnf clean all", ("clean all", "/var/cache/dnf")),
    ("yum", ("install",), "yum clean all", ("clean all", "/var/cache/yum")),
)


def practice_findings(dockerfile: Dockerfile) -> Iterator[Finding]:
    """What BuildKit's checks do not see."""
    names: set[str] = set()
    for stage in dockerfile.stages:
        yield from _base(stage, names)
        names.add(stage.title)
        for check in _CHECKS:
            yield from check(stage)


def commands(run: Run) -> list[list[str]]:
    """The simple commands of a RUN as words; a rough reading, good enough to find the names of programs."""
    if isinstance(run.command, ExecForm):
        return [list(run.command.argv)]
    text = run.shell_text.replace("\\\n", " ").replace("\n", " ; ")
    reader = shlex.shlex(text, posix=True, punctuation_chars="();&|")
    reader.whitespace_split = True
    found: list[list[str]] = [[]]
    try:
        for word in reader:
            if word in _SEPARATORS or not word.strip("();&|"):
                found.append([])
            elif found[-1] or not (word in _KEYWORDS or _ASSIGNMENT.fullmatch(word)):
                found[-1].append(word)
    except ValueError:  # a quote that never ends: the shell will say so
        return []
    return [words for words in found if words]


def _base(stage: Stage, names: set[str]) -> Iterator[Finding]:
    base = stage.start.base
    if base == "scratch" or "$" in base or "@" in base or base.lower() in names:
        return
    _, colon, tag = base.rpartition("/")[2].partition(":")
    if not colon or tag == "latest":
        yield finding(rules.FLOATING_TAG, stage.span, base=base)


def _runs(stage: Stage) -> Iterator[Run]:
    return (each for each in stage.instructions if isinstance(each, Run))


def _changes(stage: Stage) -> Iterator[Finding]:
    """A RUN that does nothing but remove files, or change modes and owners, of earlier layers."""
    for run in _runs(stage):
        done = [words for words in commands(run) if words[0] not in ("set", "cd", "true", ":")]
        programs = {words[0] for words in done}
        if programs and programs <= {"rm", "rmdir"}:
            yield finding(rules.REMOVE_FREES_NOTHING, run.span)
        if programs and programs <= {"chmod", "chown", "chgrp"}:
            words = next((each for each in done if {"-R", "--recursive"} & set(each)), None)
            if words is not None:
                flag = "--chmod" if words[0] == "chmod" else "--chown"
                command = f"{words[0]} -R"
                yield finding(rules.CHANGE_COPIES_FILES, run.span, command=command, flag=flag)


def _packages(stage: Stage) -> Iterator[Finding]:
    variables = {name for each in stage.instructions if isinstance(each, Env) for name, _ in each.pairs}
    for run in _runs(stage):
        done = commands(run)
        mounted = any(mount.type in (MountType.CACHE, MountType.TMPFS) for mount in run.mounts)
        text = " ".join(word for words in done for word in words)
        verbs = {(words[0], _verb(words)) for words in done}
        for tool, installing, fix, marks in _INSTALLERS:
            if mounted or not any((tool, verb) in verbs for verb in installing):
                continue
            if not any(mark in text or mark in variables for mark in marks):
                yield finding(rules.PACKAGE_CACHE_KEPT, run.span, tool=tool, fix=fix)
        for tool in ("apt-get", "apt"):
            if (tool, "update") in verbs and not any(
                program == tool and verb != "update" for program, verb in verbs
            ):
                yield finding(rules.UPDATE_ALONE, run.span)
        yield from _asking(run, done, variables)


def _verb(words: list[str]) -> str:
    """The first word after the program that is no option."""
    return next((word for word in words[1:] if not word.startswith("-")), "")


def _asking(run: Run, done: list[list[str]], variables: set[str]) -> Iterator[Finding]:
    for words in done:
        verb = _verb(words)
        if words[0] not in ("apt-get", "apt") or verb not in ("install", "upgrade", "dist-upgrade", "remove"):
            continue
        short = "".join(word[1:] for word in words[1:] if re.fullmatch(r"-[A-Za-z]+", word))
        long = {"--yes", "--assume-yes", "--force-yes"} & set(words)
        if not long and "y" not in short and short.count("q") < 2 and "APT_CONFIG" not in variables:
            yield finding(rules.INSTALL_ASKS, run.span, verb=verb)


def _transfers(stage: Stage) -> Iterator[Finding]:
    for each in stage.instructions:
        if not isinstance(each, Transfer):
            continue
        from_stage = isinstance(each, Copy) and each.from_ is not None
        for source in each.sources:
            if not from_stage and _SECRET.fullmatch(source) and not _NO_SECRET.search(source):
                yield finding(rules.SECRET_COPIED, each.span, source=source)
            if isinstance(each, Add) and not (_ARCHIVE.fullmatch(source) or _REMOTE.match(source)):
                yield finding(rules.ADD_INSTEAD_OF_COPY, each.span, source=source)
        many = len(each.sources) + len(each.documents) > 1
        if many and not each.destination.endswith(("/", "/.")) and each.destination not in (".", ""):
            rule = rules.DESTINATION_WITHOUT_SLASH
            yield finding(rule, each.span, destination=each.destination)
        yield from _closed(each)


def _closed(each: Transfer) -> Iterator[Finding]:
    if not _NUMBER.fullmatch(each.chmod) or int(each.chmod, 8) & 0o111:
        return
    if any(source.endswith("/") or posixpath.normpath(source) in (".", "/") for source in each.sources):
        mode = int(each.chmod, 8)
        symbols = ",".join(
            f"{who}={''.join(sign for bit, sign in ((4, 'r'), (2, 'w')) if mode >> shift & bit)}X"
            for who, shift in (("u", 6), ("g", 3), ("o", 0))
        )
        yield finding(rules.MODE_CLOSES_DIRECTORIES, each.span, mode=each.chmod, symbols=symbols)


def _triggers(stage: Stage) -> Iterator[Finding]:
    for each in stage.instructions:
        if isinstance(each, Onbuild) and each.trigger is None:
            yield finding(rules.TRIGGER_CANNOT_RUN, each.span, why=each.wrong)


_CHECKS: Final[tuple[Check, ...]] = (_changes, _packages, _transfers, _triggers)
