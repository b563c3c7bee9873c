"""What lint finds in a Dockerfile that is built: remembered, and with the bytes that it costs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final

from builder.cli.inputs import DockerfileSource
from builder.cli.session import size
from builder.context.ignore import IgnoreFile
from builder.dockerfile import syntax
from builder.events import CacheHit, Event, LayerMade, StepBegan
from builder.files.edition import edition
from builder.image.digest import digest_of
from builder.image.image import Image
from builder.image.waste import Waste
from builder.protocols import Records
from unionfs_sim.nodes.record import Record, replace

_LINT: Final = os.path.join(os.path.dirname(os.path.dirname(syntax.__file__)), "lint")


class FindingTold(Record):
    """One finding. ``cost``: which bytes of the layer it is about; ``cost_bytes``: how many, 0 if unknown."""

    rule: str
    where: str
    message: str
    ours: bool
    cost: str
    cost_bytes: int = 0

    def __str__(self) -> str:
        costs = f" ({size(self.cost_bytes)} here)" if self.cost_bytes else ""
        return f"{self.where}: {self.rule}: {self.message}{costs}"


def findings(source: DockerfileSource, ignore: IgnoreFile | None, records: Records) -> list[FindingTold]:
    """The findings of all rules; in the same file under the same rules they are found once, then recalled."""
    ignored = "" if ignore is None else "\n".join(map(str, (ignore.name, *ignore.rules)))
    digest = digest_of(ignored.encode("utf-8", "surrogateescape"))
    key = f"lint:{source.digest}:{digest}:{edition(_LINT)}"
    known = records.recall(key)
    if known is None:
        from dataclasses import asdict  # here, as most files are known

        known = {"findings": [asdict(each) for each in _found(source, ignore)]}
        records.remember(key, known)
    return [FindingTold(**each) for each in known["findings"]]


def _found(source: DockerfileSource, ignore: IgnoreFile | None) -> Iterable[FindingTold]:
    from builder.cli.lint import environment
    from builder.dockerfile.lint.lint import check  # a file that is known is not looked at again

    for each in check(source.dockerfile, ignore=ignore, environment=environment):
        yield FindingTold(each.rule.id, str(each.span), each.message, each.rule.ours, each.rule.cost.value)


def with_costs(
    told: Iterable[FindingTold], events: Sequence[Event], target: int, image: Image, waste: Waste
) -> list[FindingTold]:
    """The findings with what they cost in ``image``, where stage ``target`` made a layer of their line."""
    lines = {each.step: each.where for each in events if isinstance(each, StepBegan) and each.stage == target}
    places = {layer: index for index, layer in enumerate(image.diff_ids)}
    made = {
        lines.get(each.step): places.get(each.diff_id)  # type: ignore[call-overload]
        for each in events
        if isinstance(each, (CacheHit, LayerMade)) and each.stage == target
    }
    bytes_of = {"hides": waste.hides, "caches": waste.caches}
    return [
        replace(each, cost_bytes=bytes_of.get(each.cost, {}).get(made.get(each.where, -1), 0))
        for each in told
    ]
