"""What a look at a root found, and how two looks differ."""

from __future__ import annotations

import posixpath
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from builder.context.paths import join
from builder.snapshotters.fingerprint import Fingerprint, Mode
from builder.snapshotters.ignored import IgnoreList
from builder.snapshotters.scan.survey import Listing, Names, Status, Survey


@dataclass(frozen=True, slots=True)
class Known:
    """A fingerprint for every path that is not ignored, by directory and name, and what looking cost."""

    directories: Mapping[str, Mapping[str, Fingerprint]] = field(default_factory=dict)
    entries: int = 0
    bytes_hashed: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two looks. ``deleted``: topmost names only, sorted; ``changed``: sorted."""

    changed: tuple[str, ...]
    deleted: tuple[str, ...]

    @classmethod
    def listed(cls, paths: Iterable[str]) -> Difference:
        """``paths``, changed or not: what an instruction says that it wrote."""
        return cls(tuple(sorted(set(paths))), ())


def look(survey: Survey, ignored: IgnoreList, mode: Mode) -> Known:
    """What the root holds now, as ``mode`` sees it."""
    directories: dict[str, dict[str, Fingerprint]] = {}
    entries, hashed = 1, 0
    for listing in survey(ignored):
        names = listing.names
        entries += len(names)
        directories[listing.path] = _fingerprints(listing, names, mode)
        if mode is Mode.FULL:
            hashed += sum(status.st_size for _, status in names if stat.S_ISREG(status.st_mode))
    return Known(directories, entries, hashed)


def updated(known: Known, survey: Survey, ignored: IgnoreList, mode: Mode, paths: Iterable[str]) -> Known:
    """The same, with ``paths`` and the directories that lead to them as they are now."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        here = path
        while here != "/":
            above, name = posixpath.split(here)
            wanted[above].add(name)
            here = above
    directories = dict(known.directories)
    for path in sorted(wanted):
        listing = survey.one(path, ignored)
        names = [each for each in listing.names if each[0] in wanted[path]]
        directories[path] = {**directories.get(path, {}), **_fingerprints(listing, names, mode)}
        for name, status in names:
            place = join(path, name)
            if place in directories and not stat.S_ISDIR(status.st_mode):
                for each in [each for each in directories if each == place or each.startswith(place + "/")]:
                    del directories[each]
    return replace(known, directories=directories)


def _fingerprints(listing: Listing, names: Names, mode: Mode) -> dict[str, Fingerprint]:
    match mode:
        case Mode.TIME:
            return {name: status.st_mtime_ns for name, status in names}
        case Mode.REDO:
            return {name: (s.st_mode, s.st_mtime_ns, s.st_size, s.st_uid, s.st_gid) for name, s in names}
        case Mode.FULL:
            return {name: _everything(listing, name, status) for name, status in names}


def _everything(listing: Listing, name: str, status: Status) -> Fingerprint:
    fields = (status.st_mode, status.st_mtime_ns, status.st_uid, status.st_gid)
    if stat.S_ISREG(status.st_mode):
        return (*fields, *listing.content(name))
    if stat.S_ISLNK(status.st_mode):
        return (*fields, listing.target(name))
    return fields


def compare(before: Known, after: Known) -> Difference:
    """What changed; of what is gone, the topmost names alone, and none below what is no directory now."""
    changed: list[str] = []
    deleted: list[str] = []
    for path, names in after.directories.items():
        old = before.directories.get(path)
        if old == names:
            continue
        if old is None:
            changed += [join(path, name) for name in names]
            continue
        changed += [join(path, name) for name, now in names.items() if name not in old or old[name] != now]
        deleted += [join(path, name) for name in old.keys() - names.keys()]
    return Difference(tuple(sorted(changed)), tuple(sorted(deleted)))
