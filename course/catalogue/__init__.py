"""Every sentence that a learner reads, by id, in English and Chinese.

Course-wide sentences stand in ``en.toml`` and ``zh.toml`` beside this file, an exercise's own in
``text.en.toml`` and ``text.zh.toml`` of its folder.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

LANGUAGES: Final = ("en", "zh")


class HasSentences(Protocol):
    """What brings sentences of its own: an exercise."""

    def text(self, language: str) -> Mapping[str, object]:
        """The sentences in ``language``, by id."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language. Calling it gives a sentence with its fields filled in.

    >>> Catalogue.read("en")("score", points=3, of=5)
    '3 of 5 points'
    """

    language: str
    sentences: Mapping[str, object]

    @classmethod
    @functools.cache
    def read(cls, language: str) -> Catalogue:
        """The course's sentences in ``language``, read once."""
        text = Path(__file__).with_name(f"{language}.toml").read_text(encoding="utf-8")
        return cls(language, tomllib.loads(text))

    def exercise(self, exercise: HasSentences) -> Catalogue:
        """The exercise's own sentences in the same language."""
        return Catalogue(self.language, exercise.text(self.language))

    def __call__(self, sentence_id: str, **fields: object) -> str:
        """The sentence called ``sentence_id`` (dots lead into tables); KeyError if there is none."""
        found: object = self.sentences
        for part in sentence_id.split("."):
            found = found[part]  # type: ignore[index]  # a wrong id must be a loud KeyError
        assert isinstance(found, str), sentence_id
        return found.format(**fields)

    def form(self, spelling: str) -> str:
        """The form of an answer as a person says it; as it is spelt if nobody found words for it.

        >>> Catalogue.read("en").form("list[str]")
        'a list of texts'
        """
        forms = self.sentences["forms"]
        assert isinstance(forms, dict)
        return str(forms.get(spelling, spelling))

    def ids(self) -> frozenset[str]:
        """All sentence ids: both languages must have the same."""
        return frozenset(_ids(self.sentences, ""))


def help_texts(language: str) -> Mapping[str, str]:
    """What --help of ``learn`` says, by word and by option; {} for English, which the commands speak."""
    page = Path(__file__).with_name(f"help.{language}.toml")
    return tomllib.loads(page.read_text(encoding="utf-8")) if page.is_file() else {}


def _ids(table: Mapping[str, object], above: str) -> list[str]:
    names: list[str] = []
    for name, value in table.items():
        names += _ids(value, f"{above}{name}.") if isinstance(value, Mapping) else [above + name]
    return names


def language_of(env: Mapping[str, str]) -> str:
    """The language that the environment asks for (LC_ALL, LC_MESSAGES, LANG in this order), else English.

    >>> language_of({"LANG": "zh_CN.UTF-8"})
    'zh'
    """
    asked = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or "en"
    return asked[:2] if asked[:2] in LANGUAGES else "en"
