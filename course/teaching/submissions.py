"""What a class handed in: folders, files and zips as platforms give them out, one submission a learner.

Nothing is unpacked and no link is followed: a submission is read from where it lies, and no more of it than
one may have.
"""

from __future__ import annotations

import csv
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from builder.errors import BuildError
from course.exercise import Exercise
from course.grader.kind import SUBMISSION_BYTES
from course.teaching.roster import table_lines

ENTRIES: Final = 1000
"""The most files of one learner that are looked at."""

ZIP_BYTES: Final = 64 << 20
"""The most that a learner's zip may have; the zip of a class may have more."""

CLASS_ENTRIES: Final = 200_000
DEPTH: Final = 4

_CANVAS: Final = re.compile(r"([^_]+)(?:_LATE)?_(\d+)_\d+_.+")
"""login_user_submission_file: how Canvas names the files of a class that are downloaded together."""

_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,  # a password
    EOFError,
    ValueError,
    OSError,
)


class UnusableError(Exception):
    """What a learner handed in is nothing that can be graded; the text says why."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a learner handed in. ``place``: where it lies, for people. ``seed``: "" if the table says none."""

    learner: str
    place: str
    read: Callable[[], bytes] = field(repr=False)
    seed: str = ""


@dataclass(slots=True)
class Found:
    """Submissions by learner, and what is wrong, a sentence each, with the place."""

    submissions: list[Submission] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def problem(self, place: str, why: str) -> None:
        """Note what cannot be graded."""
        self.problems.append(f"{place}: {why}")


def find(places: Iterable[Path], exercise: Exercise, names: Mapping[str, str]) -> Found:
    """What was handed in for ``exercise`` at ``places``, in the order of learners.

    ``names``: whose a folder or file of that name is. Two submissions of one learner that are not the same
    bytes are a problem, and neither is chosen.
    """
    found = Found()
    for place in places:
        for submission in _at(place, exercise, found):
            learner = names.get(submission.learner, submission.learner)
            found.submissions.append(Submission(learner, submission.place, submission.read, submission.seed))
    _one_each(found)
    return found


def _one_each(found: Found) -> None:
    by_learner: dict[str, list[Submission]] = {}
    for submission in found.submissions:
        by_learner.setdefault(submission.learner, []).append(submission)
    found.submissions = []
    for learner, several in sorted(by_learner.items()):
        if len(several) > 1 and len({_bytes_of(each) for each in several}) > 1:
            places = " and ".join(each.place for each in several[:3])
            found.problem(
                learner, f"two submissions of one learner ({places}); name the one that counts in a list"
            )
        else:
            found.submissions.append(several[0])


def _bytes_of(submission: Submission) -> bytes | str:
    try:
        return submission.read()
    except UnusableError as error:
        return str(error)


def _at(place: Path, exercise: Exercise, found: Found) -> Iterator[Submission]:
    try:
        status = place.stat()
    except OSError as error:
        raise BuildError(f"cannot be read: {error.strerror}", where=str(place)) from None
    if stat.S_ISDIR(status.st_mode):
        yield from _in_folder(place, exercise, found)
    elif place.suffix.lower() == ".zip":
        yield from _in_zip_of_class(place, exercise, found)
    elif place.suffix.lower() in (".csv", ".txt", ".list") and place.name != exercise.file:
        yield from _in_list(place, exercise, found)
    else:
        yield Submission(_learner(place.name), str(place), lambda: read_file(place))


def _in_list(table: Path, exercise: Exercise, found: Found) -> Iterator[Submission]:
    """Lines of ``path[,learner[,seed]]``; paths are relative to the list."""
    for number, row in enumerate(csv.reader(table_lines(table)), 1):
        if not row or not row[0].strip() or row[0].startswith("#"):
            continue
        if len(row) > 3:
            raise BuildError("a line is a path, a learner and a seed", where=f"{table}:{number}")
        named, learner, seed = [*(cell.strip() for cell in row), "", ""][:3]
        path = table.parent / named
        if not path.exists():
            found.problem(f"{table}:{number}", f"there is no {named}")
            continue
        here = list(_in_one(path, exercise, found))
        for submission in here:
            yield Submission(learner or submission.learner, submission.place, submission.read, seed)


def _in_folder(folder: Path, exercise: Exercise, found: Found) -> Iterator[Submission]:
    """A folder, file or zip for each learner."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    others = []
    for name in names:
        path = folder / name
        if name.startswith((".", "__")):
            continue
        if path.is_symlink():
            found.problem(str(path), "a symbolic link is not followed")
        elif path.is_dir() or name.lower().endswith(".zip") or _fits(name, exercise):
            yield from _in_one(path, exercise, found)
        else:
            others.append(name)
    if others:
        listed = ", ".join(others[:5]) + (", …" if len(others) > 5 else "")
        found.problem(str(folder), f"no submission of this exercise, and not graded: {listed}")


def _in_one(path: Path, exercise: Exercise, found: Found) -> Iterator[Submission]:
    """What one learner handed in as a folder, a zip or a file."""
    try:
        if path.is_dir():
            chosen = _chosen(dict(_files_below(path)), exercise)
            yield Submission(path.name, str(chosen), lambda: read_file(chosen))
        elif path.suffix.lower() == ".zip":
            with _opened_file(path) as file:
                yield _in_zip(file, path.stem, str(path), exercise)
        else:
            yield Submission(_learner(path.name), str(path), lambda: read_file(path))
    except UnusableError as error:
        found.problem(str(path), str(error))


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Regular files by their path below ``folder``, not too deep and not too many."""
    seen = 0
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        with os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                seen += 1
                if seen > ENTRIES:
                    raise UnusableError(f"more than {ENTRIES} files in it")
                if entry.name.startswith((".", "__")):
                    continue
                if entry.is_dir(follow_symlinks=False) and depth < DEPTH:
                    waiting.append((Path(entry.path), depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    yield os.path.relpath(entry.path, folder), Path(entry.path)


def _chosen(files: Mapping[str, Path], exercise: Exercise) -> Path:
    return files[choose(list(files), exercise)]


def choose(names: list[str], exercise: Exercise) -> str:
    """Which of a learner's files is the submission: the one that is called so, else the only one of its kind.

    UnusableError if there is none, or more than one.
    """
    exact = [name for name in names if os.path.basename(name) == exercise.file]
    fitting = exact or [name for name in names if _fits(os.path.basename(name), exercise)]
    if not fitting:
        raise UnusableError(f"there is no {exercise.file} in it")
    if len(fitting) > 1:
        raise UnusableError(f"it is not clear which counts: {', '.join(sorted(fitting)[:5])}")
    return fitting[0]


def _fits(name: str, exercise: Exercise) -> bool:
    """Whether a file of this name may be one: ``.py`` for resolve.py, ``.Dockerfile`` for Dockerfile."""
    suffix = Path(exercise.file).suffix or f".{exercise.file}"
    return name == exercise.file or name.endswith(suffix)


def _learner(name: str) -> str:
    canvas = _CANVAS.fullmatch(name)
    if canvas is not None:
        return f"{canvas[1]}_{canvas[2]}"
    return Path(name).stem or name


def read_file(path: Path) -> bytes:
    """The bytes of a file, at most one more than a submission may have; no link, device or fifo is opened."""
    with _opened_file(path) as file:
        return file.read(SUBMISSION_BYTES + 1)


def _opened_file(path: Path) -> IO[bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise UnusableError(f"cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnusableError("it is no regular file")
    return os.fdopen(descriptor, "rb")


# ---- zips ----


def _in_zip_of_class(path: Path, exercise: Exercise, found: Found) -> Iterator[Submission]:
    """A zip with a folder, file or zip for each learner; one with a single submission is one learner's."""
    archive = _opened_zip(path)  # stays open: its members are read when they are graded
    try:
        names = _members(archive, CLASS_ENTRIES)
    except UnusableError as error:
        raise BuildError(str(error), where=str(path)) from None
    if names == [exercise.file]:
        yield Submission(path.stem, f"{path}: {exercise.file}", _member(archive, exercise.file))
        return
    depth = 2 if len({name.partition("/")[0] for name in names}) == 1 and _is_nested(names) else 1
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault("/".join(name.split("/")[:depth]), []).append(name)
    for top, members in sorted(groups.items()):
        try:
            yield _of_group(path, archive, top, members, exercise)
        except UnusableError as error:
            found.problem(f"{path}: {top}", str(error))


def _is_nested(names: list[str]) -> bool:
    """Whether all of a class lies in one folder, as when that folder was zipped."""
    return all("/" in name for name in names) and len({"/".join(name.split("/")[:2]) for name in names}) > 1


def _of_group(
    path: Path, archive: zipfile.ZipFile, top: str, names: list[str], exercise: Exercise
) -> Submission:
    """The submission of the learner whose folder, file or zip ``top`` is."""
    base = os.path.basename(top)
    if names == [top] and top.lower().endswith(".zip"):
        whole = _read_member(archive, top, ZIP_BYTES + 1)
        return _in_zip(BytesIO(whole), Path(base).stem, f"{path}: {top}", exercise)
    if names == [top]:
        if not _fits(base, exercise):
            raise UnusableError("no submission of this exercise, and not graded")
        return Submission(_learner(base), f"{path}: {top}", _member(archive, top))
    chosen = choose(names, exercise)
    return Submission(base, f"{path}: {chosen}", _member(archive, chosen))


def _in_zip(file: IO[bytes], learner: str, place: str, exercise: Exercise) -> Submission:
    """The submission in one learner's zip; it is read now, since the zip may lie in another."""
    file.seek(0, os.SEEK_END)
    if file.tell() > ZIP_BYTES:
        raise UnusableError("a learner's zip has at most 64 MB")
    try:
        with zipfile.ZipFile(file) as archive:
            chosen = choose(_members(archive, ENTRIES), exercise)
            content = _read_member(archive, chosen, SUBMISSION_BYTES + 1)
    except _UNREADABLE as error:
        raise UnusableError(f"a zip that cannot be read: {error}") from None
    return Submission(learner, f"{place}: {chosen}", lambda: content)


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise BuildError(f"a zip that cannot be read: {error}", where=str(path)) from None


def _members(archive: zipfile.ZipFile, most: int) -> list[str]:
    """The names of the files in it, in order. Nothing is unpacked, so a name leads nowhere."""
    members = archive.infolist()
    if len(members) > most:
        raise UnusableError(f"more than {most:,} files in it")
    names = []
    for member in members:
        parts = member.filename.split("/")
        is_hidden = any(part.startswith((".", "__")) for part in parts)
        if not member.is_dir() and not is_hidden and not stat.S_ISLNK(member.external_attr >> 16):
            names.append(member.filename)
    return names


def _member(archive: zipfile.ZipFile, name: str) -> Callable[[], bytes]:
    return lambda: _read_member(archive, name, SUBMISSION_BYTES + 1)


def _read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """The file's bytes, no more than ``most``: what its header promises is not believed."""
    try:
        with archive.open(name) as file:
            return file.read(most)
    except _UNREADABLE as error:
        raise UnusableError(f"a zip that cannot be read: {error}") from None
