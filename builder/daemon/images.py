"""The images of one daemon: those of its store, by name, and those that have lost theirs, by ID.

A build without ``-t``, or one whose name goes to another image later, leaves an image without a name. The
store collects what nothing leads to, so these are kept by a record in it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from builder.daemon.http.errors import Conflict, NotFound
from builder.errors import BuildError, UnknownImageError
from builder.image.digest import Digest, short
from builder.image.image import Image
from builder.image.oci import Descriptor
from builder.image.reference import Reference, ReferenceFormatError
from builder.stores.layout import LayoutStore
from builder.stores.lookup import find

_NAMELESS: Final = "daemon:nameless"
_REMEMBERED: Final = 512

Tell = Callable[[str, str, str], None]
"""Told of an action, the ID of the image, and how it is called."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One image with all its names, which may be none."""

    manifest: Descriptor
    image: Image
    names: tuple[Reference, ...]

    @property
    def tags(self) -> list[str]:
        """The names with a tag, as people write them."""
        return [name.familiar for name in self.names if name.digest is None]

    @property
    def digests(self) -> list[str]:
        """The names with a digest."""
        return [f"{name.familiar_name}@{name.digest}" for name in self.names if name.digest is not None]


class Images:
    """The images, safe for threads. ``tell``: hears what happens to them."""

    def __init__(self, store: LayoutStore, tell: Tell) -> None:
        self.store = store
        self._tell = tell
        self._lock = threading.RLock()
        self._read: OrderedDict[Digest, Image] = OrderedDict()

    def all(self) -> list[Kept]:
        """Every image once, named ones first; a damaged one is left out."""
        names: dict[Digest, list[Reference]] = {}
        manifests: dict[Digest, Descriptor] = {}
        tagged = [(manifest, [reference]) for reference, manifest in self.store.tags().items()]
        for manifest, mine in [*tagged, *((each, []) for each in self._nameless())]:
            try:
                image = self._image(manifest)
            except BuildError:
                continue
            names.setdefault(image.id, []).extend(mine)
            manifests.setdefault(image.id, manifest)
        return [Kept(manifests[each], self._image(manifests[each]), tuple(names[each])) for each in names]

    def find(self, written: str) -> Kept:
        """The image that a name, an ID or the beginning of one means; NotFound if none."""
        try:
            found = find(self.store, written, nameless=self._nameless())
        except UnknownImageError as error:
            fix = f" ({error.fix})" if error.fix else ""
            raise NotFound(f"No such image: {_shown(written)}{fix}") from None
        return self.kept(found.manifest)

    def found(self, written: str) -> tuple[Kept, Reference | None]:
        """The image, and the name by which it was asked for; None if that was an ID."""
        kept = self.find(written)
        by_name = find_name(written)
        return kept, by_name if by_name in kept.names else None

    def kept(self, manifest: Descriptor) -> Kept:
        """The image at ``manifest`` with its names."""
        image = self._image(manifest)
        names = [
            reference
            for reference, each in self.store.tags().items()
            if each == manifest or self._image(each).id == image.id
        ]
        return Kept(manifest, image, tuple(names))

    def name(self, reference: Reference, manifest: Descriptor, *, action: str = "tag") -> None:
        """Let ``reference`` name the image; the one that it named before stays, by its ID."""
        with self._lock:
            before = self.store.resolve(reference)
            self.store.tag(reference, manifest)
            named = {each.digest for each in self.store.tags().values()}
            if before is not None and before.digest not in named:
                self.keep(before)
            self._forget(self._image(manifest).id)
        self._tell(action, self._image(manifest).id, reference.familiar)

    def keep(self, manifest: Descriptor) -> None:
        """Let an image be here though it has no name; nothing if it has one."""
        try:
            image = self._image(manifest)
            if self.kept(manifest).names:
                return
        except BuildError:
            return  # It was damaged, and is not worth keeping.
        blobs = [image.manifest().config.digest, *(layer.descriptor.digest for layer in image.layers)]
        with self._lock:
            record = self._record()
            record[image.id] = {"manifest": manifest.document(), "blobs": blobs}
            self.store.remember(_NAMELESS, {"images": record})

    def remove(
        self, written: str, *, force: bool, users: Callable[[Digest], str | None]
    ) -> list[dict[str, str]]:
        """Take a name away, or an image with all its names; what is left of it is collected.

        ``users``: who needs the image with an ID, or None. Conflict if somebody does and ``force`` is not
        given, or if an ID has several names.
        """
        with self._lock:
            kept, by_name = self.found(written)
            going = [by_name] if by_name is not None else list(kept.names)
            if by_name is None and len(going) > 1 and not force:
                raise Conflict(
                    f"unable to delete {short(kept.image.id)} (must be forced): image is referenced in "
                    f"multiple names: {', '.join(kept.tags)}"
                )
            is_last = len(going) == len(kept.names)
            user = users(kept.image.id) if is_last else None
            if user is not None and not force:
                raise Conflict(
                    f"unable to remove repository reference {written!r} (must force): container {user} "
                    f"is using its referenced image {short(kept.image.id)}"
                )
            done = []
            for name in going:
                self.store.untag(name)
                self._tell("untag", kept.image.id, name.familiar)
                done.append({"Untagged": name.familiar})
            if is_last:
                self._forget(kept.image.id)
                self.store.collect()
                self._tell("delete", kept.image.id, kept.image.id)
                done.append({"Deleted": kept.image.id})
            return done

    def prune(self, *, named: bool, users: Callable[[Digest], str | None]) -> list[dict[str, str]]:
        """Remove the images without a name that nobody uses; with ``named``, the others as well."""
        done = []
        for kept in self.all():
            if (named or not kept.names) and users(kept.image.id) is None:
                done += self.remove(kept.image.id, force=True, users=users)
        return done

    def forget_cache(self) -> None:
        """Forget what earlier builds did, but not which images have no name."""
        with self._lock:
            record = self._record()
            self.store.forget_cache()
            if record:
                self.store.remember(_NAMELESS, {"images": record})

    def _forget(self, image: Digest) -> None:
        with self._lock:
            record = self._record()
            if record.pop(image, None) is not None:
                self.store.remember(_NAMELESS, {"images": record})

    def _nameless(self) -> Iterator[Descriptor]:
        for entry in self._record().values():
            descriptor = Descriptor.of(entry["manifest"], where="the store's records")
            if self.store.find(descriptor.digest) is not None:
                yield descriptor

    def _record(self) -> dict[str, Any]:
        return dict((self.store.recall(_NAMELESS) or {}).get("images", {}))

    def _image(self, manifest: Descriptor) -> Image:
        """The image at ``manifest``; what was read lately is not read again, for a blob never changes."""
        with self._lock:
            known = self._read.get(manifest.digest)
            if known is None:
                known = self._read[manifest.digest] = Image.load(self.store, manifest)
                if len(self._read) > _REMEMBERED:
                    self._read.popitem(last=False)
            return known


def find_name(written: str) -> Reference | None:
    """The reference that ``written`` is; None if it can only be an ID."""
    try:
        return Reference.parse(written)
    except ReferenceFormatError:
        return None


def _shown(written: str) -> str:
    name = find_name(written)
    return written if name is None else name.familiar


def ordered(images: Iterable[Kept]) -> Sequence[Kept]:
    """The images as a list shows them: the latest first, then by name."""
    by_name = sorted(images, key=lambda kept: (kept.tags, kept.image.id))
    return sorted(by_name, key=lambda kept: kept.image.created or "", reverse=True)
