"""A table that says who handed in what: learners, the names of their folders or files, their seeds."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from builder.errors import BuildError

COLUMNS: Final = ("learner", "name", "seed")
TABLE_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Roster:
    """``learners``: all, in the table's order; ``names``: name → learner; ``seeds``: learner → seed."""

    learners: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Roster:
        """The roster in a CSV file with a line of column names; a BuildError names the line that is wrong."""
        rows = csv.DictReader(table_lines(path), strict=True)
        try:
            columns = rows.fieldnames or ()
            unknown = [column for column in columns if column not in COLUMNS]
            if "learner" not in columns or unknown:
                raise BuildError(
                    f"the first line should name the columns learner, name, seed; it says {columns}",
                    where=f"{path}:1",
                )
            learners: list[str] = []
            names: dict[str, str] = {}
            seeds: dict[str, str] = {}
            for row in rows:
                learner = (row["learner"] or "").strip()
                where = f"{path}:{rows.line_num}"
                if not learner or None in row:
                    raise BuildError(
                        "a line needs a learner, and no more columns than the first", where=where
                    )
                if learner in learners and row.get("seed") and seeds.get(learner, row["seed"]) != row["seed"]:
                    raise BuildError(f"{learner!r} has two seeds", where=where)
                name = (row.get("name") or learner).strip()
                if names.setdefault(name, learner) != learner:
                    raise BuildError(f"{name!r} is {names[name]!r} already", where=where)
                if learner not in seeds:
                    learners.append(learner)
                if row.get("seed"):
                    seeds[learner] = row["seed"]
        except csv.Error as error:
            raise BuildError(f"that is no CSV: {error}", where=f"{path}:{rows.line_num}") from None
        return cls(tuple(dict.fromkeys(learners)), names, seeds)


def table_lines(path: Path) -> list[str]:
    """The lines of a table; a BuildError if it is none that can be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(TABLE_BYTES + 1)
    except OSError as error:
        raise BuildError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(raw) > TABLE_BYTES:
        raise BuildError("a table has at most 16 MB", where=str(path))
    try:
        return raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BuildError(
            f"that is not UTF-8: {error.reason}", where=str(path), fix="save it as UTF-8"
        ) from None


def seed_of(secret: bytes, learner: str, exercise_id: str) -> str:
    """A learner's own seed: who does not know the secret cannot compute the questions.

    >>> seed_of(b"s", "ada", "2.1")
    '5a5fbc4eff03'
    """
    said = b"\0".join([secret, learner.encode("utf-8", "surrogateescape"), exercise_id.encode()])
    return hashlib.sha256(said).hexdigest()[:12]
