"""The page on the lint rules, made from their table: ``layerlab lint --rules > docs/lint.md``."""

from __future__ import annotations

from collections.abc import Iterator

from builder.dockerfile.lint.rules import RULES, Rule
from builder.dockerfile.syntax.parser import parse

_HEAD = """\
# Lint rules

<!-- Made by `layerlab lint --rules`; a test compares. -->

`layerlab lint DOCKERFILE` reports what is questionable in a Dockerfile that can be built. Most rules have the
names that BuildKit gave them, so that what you learn here holds for `docker build --check`. Those marked
*(ours)* are about layers, caches and secrets, which BuildKit does not look at; `--buildkit-only` leaves them
out.

A directive at the top of the file leaves rules out, or lets a build with findings fail:
`# check=skip=RuleName;error=true`. `skip=all` leaves all of them out. The same comment right above an
instruction holds for that one. Experimental rules must be asked for: `# check=experimental=RuleName`, or
`layerlab lint --experimental`.
"""


def rules_page() -> str:
    """The page as Markdown."""
    return "\n".join((_HEAD, *_index(), *(line for rule in RULES.values() for line in _section(rule))))


def _index() -> Iterator[str]:
    yield "| rule | what it asks for |"
    yield "|---|---|"
    for rule in RULES.values():
        mark = " *(experimental)*" if rule.experimental else " *(ours)*" if rule.ours else ""
        yield f"| [{rule.id}](#{rule.id.lower()}) | {rule.sentence}{mark} |"
    yield ""


def _section(rule: Rule) -> Iterator[str]:
    yield f"## {rule.id}"
    yield ""
    yield f"{rule.sentence} *(ours)*" if rule.ours else f"{rule.sentence} [BuildKit's page]({rule.url})."
    yield ""
    if rule.ignored:
        yield f"With a `.dockerignore` that says `{rule.ignored}`:"
        yield ""
    for title, example in (("❌ Bad", rule.bad), ("✅ Good", rule.good)):
        parse(example)  # an example that is no Dockerfile would be a poor one
        yield f"{title}:"
        yield ""
        yield "```dockerfile"
        yield example
        yield "```"
        yield ""
