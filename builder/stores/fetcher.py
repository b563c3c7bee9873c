"""Where FROM finds images without a network: names in the local store, then the embedded base images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from builder.errors import StoreError, UnknownImageError
from builder.image.config import ImageConfig
from builder.image.digest import DiffID
from builder.image.image import SCALED, History, Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor, Platform
from builder.image.reference import Reference
from builder.protocols import Fetcher
from builder.stores.cachemounts import RecordingStore
from unionfs_sim.nodes.record import replace

if TYPE_CHECKING:
    from unionfs_sim.layers.layer import Layer


class Embedded(Protocol):
    """An image that the program brings along (``builder.world.supplies.bases.BaseImage`` is one)."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Frozen trees, base first."""
        ...

    @property
    def created_by(self) -> tuple[str, ...]:
        """A history line for each layer."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration, as an image's JSON has it (OCI image-spec config.md, "config")."""
        ...

    @property
    def scale(self) -> int:
        """How many bytes of the real image one of its own stands for."""
        ...

    @property
    def created(self) -> str:
        """When the real image was made."""
        ...


class Catalogue(Protocol):
    """The embedded images (the module ``builder.world.supplies.bases`` is one)."""

    @property
    def find(self) -> Callable[[str], Embedded | None]:
        """The image that a reference in its familiar form names, or None."""
        ...

    @property
    def names(self) -> Callable[[], Sequence[str]]:
        """Every name there is."""
        ...

    @property
    def relative(self) -> Callable[[str], str | None]:
        """The name of the same repository that is nearest to a reference, or None."""
        ...

    @property
    def nearest(self) -> Callable[[str], Sequence[str]]:
        """The names that look most like another."""
        ...


class LocalFetcher:
    """Finds images in the store and in the catalogue. Implements ``builder.protocols.Fetcher``.

    Every layer of a fetched image lies uncompressed in the store. Safe for threads. ``named``: manifests in
    the store that a name means for this build alone (``--build-context``). ``catalogue`` is opened when an
    image is neither in the store nor known from an earlier build with the same ``edition`` of it.
    """

    def __init__(
        self,
        store: RecordingStore,
        catalogue: Callable[[], Catalogue],
        named: Mapping[Reference, Descriptor] | None = None,
        *,
        edition: Callable[[], str],
    ) -> None:
        self._store = store
        self._open = catalogue
        self._named = named or {}
        self._edition = edition
        self._fetched: dict[tuple[Reference, Platform], Image] = {}
        self._lock = threading.Lock()

    def fetch(self, reference: Reference, platform: Platform, /) -> Image:
        """The image; UnknownImageError says what exists instead."""
        with self._lock:
            known = self._fetched.get((reference, platform))
            if known is None:
                known = self._fetched[reference, platform] = self._find(reference, platform)
            return known

    def _find(self, reference: Reference, platform: Platform) -> Image:
        manifest = self._named.get(reference) or self._store.resolve(reference)
        if manifest is not None:
            return self._unpacked(Image.load(self._store, manifest, platform=platform))
        key = f"embedded:{reference}:{platform}:{self._edition()}"
        known = self._known(key)
        if known is None:
            known = self._embedded(reference, platform)
            self._remember(key, known)
        return known

    def _known(self, key: str) -> Image | None:
        """The embedded image that an earlier build put into the store, if all of it is still there."""
        record = self._store.recall(key)
        if record is None:
            return None
        manifest = Descriptor.of(record["manifest"], where=key)
        if self._store.find(manifest.digest) is None:
            return None
        image = Image.load(self._store, manifest)
        if any(self._store.find(layer.descriptor.digest) is None for layer in image.layers):
            return None
        return image

    def _remember(self, key: str, image: Image) -> None:
        """Keep what an embedded image is, so that the next build need not open the catalogue."""
        self._store.put([image.config_bytes()])
        manifest = image.manifest()
        stored = self._store.put([manifest.to_bytes()])
        written = Descriptor(manifest.media_type, stored.digest, stored.size).document()
        # The layers are named too: what a record names is not collected.
        layers = [layer.descriptor.digest for layer in image.layers]
        self._store.remember(key, {"manifest": written, "config": manifest.config.digest, "layers": layers})

    def _embedded(self, reference: Reference, platform: Platform) -> Image:
        catalogue = self._open()
        embedded = catalogue.find(reference.familiar)
        if embedded is None:
            raise _unknown(catalogue, reference)
        comment = f"{SCALED}{embedded.scale}" if embedded.scale != 1 else ""
        history = tuple(History(embedded.created, line, comment) for line in embedded.created_by)
        layers = tuple(self._put(layer) for layer in embedded.layers)
        config = ImageConfig.of(embedded.config, where=reference.familiar)
        return Image(config, layers, history, platform, embedded.created)

    def _put(self, layer: Layer) -> LayerBlob:
        from unionfs_sim.tar.pack import pack

        stored = self._store.put(pack(layer, latest_ns=None))
        return LayerBlob(replace(stored, media_type=MEDIA_LAYER), DiffID(stored.digest))

    def _unpacked(self, image: Image) -> Image:
        """The same image with its layers uncompressed in the store; nothing to do for those built here."""
        layers = tuple(map(self._decompressed, image.layers))
        return image if layers == image.layers else image.replace(layers=layers)

    def _decompressed(self, layer: LayerBlob) -> LayerBlob:
        if self._store.find(layer.descriptor.digest) is None:
            raise StoreError(
                "a layer of the image is missing or damaged",
                where=layer.descriptor.digest,
                fix="layerlab image check --repair says what to build, load or pull again",
            )
        if str(layer.descriptor.digest) == layer.diff_id:
            return layer
        from builder.image.compression import decompress, pieces

        with self._store.open(layer.descriptor.digest) as stream:
            stored = self._store.put(decompress(pieces(stream), where=layer.diff_id))
        if str(stored.digest) != layer.diff_id:
            raise UnknownImageError("a layer of the image is not what its config says", where=layer.diff_id)
        return LayerBlob(replace(stored, media_type=MEDIA_LAYER), layer.diff_id)


def _unknown(catalogue: Catalogue, reference: Reference) -> UnknownImageError:
    near = catalogue.nearest(reference.familiar)
    guess = f"did you mean {near[0]!r}? " if near else ""
    known = ", ".join(catalogue.names())
    return UnknownImageError(
        f"no image {reference.familiar!r} here",
        fix=f"{guess}Without a network there are: {known}, and what `layerlab load` has read.\n"
        f"  A real build would fetch it: docker pull {reference.familiar} && "
        f"docker save {reference.familiar} | layerlab load",
    )


class NearestFetcher:
    """Takes, for a tag that nobody has, the nearest embedded image of its family, and says so."""

    def __init__(
        self, fetcher: Fetcher, catalogue: Callable[[], Catalogue], say: Callable[[str, str], None]
    ) -> None:
        self._fetcher = fetcher
        self._catalogue = catalogue
        self._say = say
        self._said: set[Reference] = set()

    def fetch(self, reference: Reference, platform: Platform, /) -> Image:
        """The image, or what stands in for it; UnknownImageError where nothing of the family is embedded."""
        try:
            return self._fetcher.fetch(reference, platform)
        except UnknownImageError:
            relative = None if reference.digest else self._catalogue().relative(reference.familiar)
            if relative is None:
                raise
        if reference not in self._said:
            self._said.add(reference)
            self._say(
                f"{reference.familiar} is not here: {relative} is taken for it, the nearest that is embedded",
                "--strict refuses, --pull asks its registry",
            )
        return self._fetcher.fetch(Reference.parse(relative), platform)
