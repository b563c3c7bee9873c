"""Where COPY, ADD and bind mounts take their files: the context, another stage, or an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Generic

from builder.context.paths import clean, has_wildcard, is_directory
from builder.context.selection import Selected, Source, select
from builder.dockerfile.plan.stages import Scratch, StageBase
from builder.engine import cachekey
from builder.engine.stage import StageBuild, snapshot_of
from builder.image.reference import Reference
from builder.protocols import EMPTY, FsT, Snapshot
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.nodes.record import Record, field


class Origin(Record, Generic[FsT]):
    """One place to take files from. ``snapshot`` is None for the context."""

    stage: StageBuild[FsT]
    label: str
    snapshot: Snapshot | None
    _selected: dict[object, tuple[Selected, ...]] = field(default_factory=dict, compare=False, repr=False)

    def select(
        self, patterns: Sequence[str], exclude: Sequence[str], *, parents: bool
    ) -> tuple[Selected, ...]:
        """The files that ``patterns`` name here; looked for once: what is copied is what was keyed."""
        asked = tuple(patterns), tuple(exclude), parents
        if asked not in self._selected:
            found = select(self.source(patterns), patterns, exclude=exclude, parents=parents)
            self._selected[asked] = found
        return self._selected[asked]

    def source(self, patterns: Sequence[str]) -> Source:
        """The tree, with as much unpacked as ``patterns`` need."""
        if self.snapshot is None:
            return self.stage.request.context
        only = [PurePosixPath(clean(pattern.partition("/./")[0])) for pattern in patterns]
        tree = self.stage.workshop.snapshotter.view(self.snapshot, only=only)
        return Source(tree, self.label, lambda path: _nearest(tree, path))

    def inputs(
        self, patterns: Sequence[str], exclude: Sequence[str], *, parents: bool, owners: bool
    ) -> tuple[cachekey.Input, ...]:
        """The files that ``patterns`` name here, as inputs of a step.

        What a committed state holds never changes, so it is remembered and the state need not be unpacked.
        """
        if self.snapshot is None:
            found = self.select(patterns, exclude, parents=parents)
            return tuple(cachekey.files(self.stage.request.context.tree, found, owners=owners))
        asked = cachekey.digest(
            self.snapshot.chain_id or "", str(parents), str(owners), "sources", *patterns, "exclude", *exclude
        )
        records = self.stage.build.records
        known = records.recall(f"files:{asked}")
        if known is None:
            source = self.source(patterns)
            found = self.select(patterns, exclude, parents=parents)
            digest = cachekey.key(cachekey.files(source.tree, found, owners=owners))
            records.remember(f"files:{asked}", {"is": digest})
        else:
            digest = str(known["is"])
        return (cachekey.Input(f"what {self.label} has at {', '.join(patterns)}", digest),)


def origin(stage: StageBuild[FsT], name: str | None) -> Origin[FsT]:
    """What ``--from=name`` means in ``stage``; None is the context."""
    if name is None:
        return Origin(stage, stage.request.context.label, None)
    try:
        found = stage.planned.origin(name)
    except KeyError:  # it stands in an ONBUILD trigger, which no plan could know
        reference = Reference.parse(name)
        return Origin(stage, f"image {name}", snapshot_of(stage.fetch(reference)))
    match found:
        case StageBase(index=index, title=title):
            return Origin(stage, f"stage {title!r}", stage.build.built(index).snapshot)
        case Scratch():
            return Origin(stage, "scratch", EMPTY)
    return Origin(stage, f"image {found.written}", snapshot_of(stage.fetch(found.reference)))


def _nearest(tree: Filesystem, path: str) -> str | None:
    """What lies in the deepest directory on the way to ``path`` that exists."""
    here = PurePosixPath(path).parent
    while not is_directory(tree, str(here)):
        here = here.parent
    names = sorted(tree.listdir(str(here)))
    if has_wildcard(path) or not names:
        return f"{here} is empty there"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"{here} holds: {shown}"
