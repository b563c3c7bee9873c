"""What FROM finds: what is here, and what a registry has."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from builder.errors import UnknownImageError
from builder.events import Listener, nobody
from builder.image.image import Image
from builder.image.oci import Platform
from builder.image.reference import DEFAULT_REGISTRY, Reference
from builder.protocols import Fetcher

if TYPE_CHECKING:
    from builder.transport.registry.pull import RecordingStore
    from builder.transport.registry.repository import Registries


class Policy(enum.Enum):
    """When a registry is asked for the image of a FROM.

    NAMED: if it is not here, and the reference itself names a registry, or a mirror was named for it.
    """

    NEVER = "never"
    NAMED = "named"
    MISSING = "missing"
    ALWAYS = "always"


class RegistryFetcher:
    """Finds images here, else fetches them. Implements ``builder.protocols.Fetcher``. Safe for threads.

    ``here``: finds what needs no network. ``open_registries``: called when the first image is fetched.
    """

    def __init__(
        self,
        here: Fetcher,
        store: RecordingStore,
        open_registries: Callable[[], AbstractContextManager[Registries]],
        *,
        policy: Policy,
        mirrored: frozenset[str] = frozenset(),
        listener: Listener = nobody,
    ) -> None:
        self._here = here
        self._store = store
        self._open = open_registries
        self._policy = policy
        self._mirrored = mirrored
        self._listener = listener
        self._fetched: dict[tuple[Reference, Platform], Image] = {}
        self._lock = threading.Lock()

    def fetch(self, reference: Reference, platform: Platform, /) -> Image:
        """The image; UnknownImageError if neither this machine nor a registry that may be asked has it."""
        with self._lock:
            known = self._fetched.get((reference, platform))
            if known is None:
                known = self._fetched[reference, platform] = self._find(reference, platform)
            return known

    def _find(self, reference: Reference, platform: Platform) -> Image:
        if self._policy is Policy.ALWAYS:
            return self._pull(reference, platform)
        try:
            found = self._here.fetch(reference, platform)
        except UnknownImageError as unknown:
            if self._may_ask(reference):
                return self._pull(reference, platform)
            if self._policy is Policy.NEVER:
                raise
            fix = f"{unknown.fix}\n  Or let this build fetch it: add --pull"
            raise UnknownImageError(unknown.what, where=unknown.where, fix=fix) from None
        if _fits(found.platform, platform) or not self._may_ask(reference):
            return found
        return self._pull(reference, platform)  # What is here is for another platform.

    def _may_ask(self, reference: Reference) -> bool:
        if self._policy is Policy.NAMED:
            return reference.registry != DEFAULT_REGISTRY or reference.registry in self._mirrored
        return self._policy is not Policy.NEVER

    def _pull(self, reference: Reference, platform: Platform) -> Image:
        from builder.transport.registry.pull import pull  # not needed where everything is here

        with self._open() as registries:
            return pull(self._store, registries, reference, platform, listener=self._listener).image


def _fits(found: Platform, asked: Platform) -> bool:
    return (found.os, found.architecture) == (asked.os, asked.architecture)
