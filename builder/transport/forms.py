"""What a layer was when it travelled: compressed how, under which digest, and where it is.

Layers lie uncompressed in a store. Who fetches or sends one remembers its other form, so that it need not be
compressed again to find out that a registry has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from builder.image.digest import DiffID
from builder.image.oci import Descriptor
from builder.protocols import Records

_MAX_FORMS: Final = 8
_MAX_REPOSITORIES: Final = 16


@dataclass(frozen=True, slots=True)
class Form:
    """A layer as it travels. ``compression``: as ``str(Compression)`` says it; "" if others made it.

    ``repositories``: where it was seen, last first.
    """

    descriptor: Descriptor
    compression: str = ""
    repositories: tuple[str, ...] = ()


class Forms:
    """The forms of all layers, kept among a store's records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def of(self, layer: DiffID) -> tuple[Form, ...]:
        """The known forms of a layer, the one seen last first."""
        record = self._records.recall(_key(layer)) or {}
        return tuple(_read(each) for each in record.get("forms", ()))

    def seen(self, layer: DiffID, form: Form) -> None:
        """Remember a form, and the repositories that it was seen in."""
        others = []
        for known in self.of(layer):
            if known.descriptor.digest == form.descriptor.digest:
                places = dict.fromkeys((*form.repositories, *known.repositories))
                form = replace(
                    form,
                    compression=form.compression or known.compression,
                    repositories=tuple(places)[:_MAX_REPOSITORIES],
                )
            else:
                others.append(known)
        kept = [form, *others][:_MAX_FORMS]
        self._records.remember(_key(layer), {"forms": [_written(each) for each in kept]})


def _key(layer: DiffID) -> str:
    return f"layer-forms:{layer}"


def _written(form: Form) -> Mapping[str, Any]:
    return {
        "descriptor": form.descriptor.document(),
        "compression": form.compression,
        "repositories": list(form.repositories),
    }


def _read(written: Mapping[str, Any]) -> Form:
    return Form(
        Descriptor.of(written["descriptor"], where="the store's records"),
        written["compression"],
        tuple(written["repositories"]),
    )
