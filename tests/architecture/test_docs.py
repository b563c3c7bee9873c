"""The pages: links lead somewhere, examples run, commands exist."""

from __future__ import annotations

import doctest
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(
        part.startswith(".") or part in {"node_modules", "build", "dist"}
        for part in page.relative_to(ROOT).parts
    )
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("#"):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{target} in {page}"


def test_the_example_of_the_readme_runs() -> None:
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)

    assert tried >= 6
    assert failed == 0


def test_the_commands_of_the_readme_exist() -> None:
    from course.cli import WORDS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    words = set(re.findall(r"^layerlab (\S+)", text, re.MULTILINE))
    targets = set(re.findall(r"^make (\S+)", text, re.MULTILINE))

    assert words <= set(WORDS)
    for target in targets:
        assert (
            subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False).returncode == 0
        )


def test_every_decision_is_numbered_and_says_what_was_decided_and_why() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert "**Decided:**" in text and "**Why:**" in text, record.name


def test_the_readme_leads_to_every_page() -> None:
    targets = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}

    assert pages - targets == set()
