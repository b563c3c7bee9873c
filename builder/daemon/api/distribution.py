"""``/images/create`` and ``/images/…/push``: images from registries and to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from builder.daemon.credentials import presented
from builder.daemon.http.connection import Exchange
from builder.daemon.http.errors import BadRequest, NotFound
from builder.daemon.http.routes import Asked, Route
from builder.daemon.images import find_name
from builder.daemon.progress import Progress, Transfers, telling
from builder.daemon.service import Service
from builder.daemon.threads import aside
from builder.events import Event, Listener
from builder.image.image import Image
from builder.image.oci import Descriptor, Platform
from builder.image.reference import DEFAULT_REGISTRY, Reference

if TYPE_CHECKING:
    from builder.transport.registry.repository import Registries


async def create(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Pull an image, or all tags of a repository."""
    query = asked.query
    if query.text("fromSrc"):
        raise BadRequest("fromSrc: files do not become an image here; docker load reads images")
    written, word = query.text("fromImage"), query.text("tag")
    if not written:
        raise BadRequest("fromImage is needed: which image to pull")
    reference = Reference.parse(f"{written}@{word}" if word.startswith("sha256:") else _joined(written, word))
    platform = Platform.parse(query.text("platform")) if query.text("platform") else Platform()
    named = find_name(written)
    wants_all = not word and named is not None and reference.digest is None and not _has_tag(written)
    keys = presented(exchange.headers.get("x-registry-auth", ""), reference.registry)
    async with telling(exchange) as progress:

        def work() -> None:
            with service.registries(keys) as registries:
                names = [reference]
                if wants_all and not _is_embedded(service, reference):
                    (repository, *_) = registries.to_pull(reference.registry, reference.repository)
                    names = [
                        Reference(reference.registry, reference.repository, each)
                        for each in repository.tags()
                    ]
                for each in names:
                    _pull(service, registries, each, platform, progress)

        await aside(work)


def _joined(name: str, tag: str) -> str:
    return f"{name}:{tag}" if tag else name


def _has_tag(written: str) -> bool:
    return ":" in written.rpartition("/")[2]


def _is_embedded(service: Service, reference: Reference) -> bool:
    """Whether the image is one that the simulated world brings along, and nobody was named to be asked."""
    if not service.is_simulated or reference.registry != DEFAULT_REGISTRY or reference.digest is not None:
        return False
    if any(each.partition("=")[0] == DEFAULT_REGISTRY for each in service.configuration.mirrors):
        return False
    from builder.strategies.simulated import catalogue

    return catalogue().find(reference.familiar) is not None


def _pull(
    service: Service, registries: Registries, reference: Reference, platform: Platform, progress: Progress
) -> None:
    before = service.store.resolve(reference)
    if _is_embedded(service, reference):
        from builder.strategies.simulated import embedded

        manifest, _ = embedded(service.store, reference)
        digest = manifest.digest
        progress.tell({"status": f"{reference.familiar} is embedded: taken from the simulated world"})
    else:
        from builder.transport.registry.pull import pull

        began = {"status": f"Pulling from {reference.repository}", "id": reference.tag or reference.digest}
        listener = _after(progress, began, Transfers(progress, verb="Downloading", done="Pull complete"))
        pulled = pull(service.store, registries, reference, platform, listener=listener)
        manifest, digest = pulled.manifest, pulled.digest
    service.images.name(reference, manifest, action="pull")
    progress.tell({"status": f"Digest: {digest}"})
    is_same = before is not None and before.digest == manifest.digest
    news = "Image is up to date" if is_same else "Downloaded newer image"
    progress.tell({"status": f"Status: {news} for {reference.familiar}"})


def _after(progress: Progress, began: dict[str, Any], then: Listener) -> Listener:
    """A listener that tells ``began`` before the first event: what fails earlier has a status of its own."""
    told: list[dict[str, Any]] = []

    def listen(event: Event) -> None:
        if not told:
            told.append(began)
            progress.tell(began)
        then(event)

    return listen


async def push(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Send an image to the registry that its name says; without a tag, all tags of that name."""
    word = asked.query.text("tag")
    reference = Reference.parse(_joined(asked.name, word))
    keys = presented(exchange.headers.get("x-registry-auth", ""), reference.registry)
    leaving = await aside(
        lambda: _leaving(service, reference, all_tags=not word and not _has_tag(asked.name))
    )
    async with telling(exchange) as progress:

        def work() -> None:
            from builder.transport.registry.push import push

            progress.tell({"status": f"The push refers to repository [{reference.name}]"})
            shown = Transfers(progress, verb="Pushing", done="Pushed")
            with service.registries(keys) as registries:
                for name, manifest in leaving:
                    pushed = push(service.store, registries, manifest, name, listener=shown)
                    image = Image.load(service.store, manifest)
                    service.image_event("push", image.id, name.familiar)
                    size = f"digest: {pushed.digest} size: {pushed.size}"
                    progress.tell({"status": f"{name.tag}: {size}"})
                    aux = {"Tag": name.tag, "Digest": pushed.digest, "Size": pushed.size}
                    progress.tell({"progressDetail": {}, "aux": aux})

        await aside(work)


def _leaving(service: Service, reference: Reference, *, all_tags: bool) -> list[tuple[Reference, Descriptor]]:
    if not all_tags:
        return [(reference, service.images.find(reference.familiar).manifest)]
    found = [(name, each) for name, each in service.store.tags().items() if name.name == reference.name]
    if not found:
        raise NotFound(f"An image does not exist locally with the tag: {reference.familiar_name}")
    return found


ROUTES: Final = (
    Route("POST", "/images/create", create),
    Route("POST", "/images/{name:.+}/push", push),
)
