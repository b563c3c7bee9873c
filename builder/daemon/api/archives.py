"""``/images/get`` and ``/images/load``: images as archives, out and in."""

from __future__ import annotations

from typing import Final

from builder.daemon.bodies import ChunkWriter, received
from builder.daemon.http.connection import Exchange
from builder.daemon.http.errors import BadRequest
from builder.daemon.http.routes import Asked, Route
from builder.daemon.progress import telling
from builder.daemon.service import Service
from builder.daemon.threads import aside


async def save_one(service: Service, exchange: Exchange, asked: Asked) -> None:
    """One image as an archive."""
    await _save(service, exchange, [asked.name])


async def save(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Images as an archive: an OCI layout that ``docker load`` of any version reads."""
    names = asked.query.texts("names")
    if not names:
        raise BadRequest("names are needed: which images to save")
    await _save(service, exchange, names)


async def _save(service: Service, exchange: Exchange, names: list[str]) -> None:
    from builder.transport.output import STDOUT, Output, OutputKind
    from builder.transport.save import Named, export

    def chosen() -> list[Named]:
        images: dict[str, Named] = {}
        for written in names:
            kept, by_name = service.images.found(written)
            known = images.get(kept.image.id, Named(kept.manifest))
            mine = kept.names if by_name is None else (by_name,)
            images[kept.image.id] = Named(known.manifest, tuple(dict.fromkeys((*known.references, *mine))))
        return list(images.values())

    leaving = await aside(chosen)
    await exchange.begin("application/x-tar")
    writer = ChunkWriter(exchange)

    def work() -> None:
        with service.store.lease(), writer.file() as file:
            export(service.store, leaving, Output(OutputKind.DOCKER, STDOUT), stdout=file)

    await aside(work)
    await exchange.end()


async def load(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """Take images from an archive: what docker, podman or layerlab saved."""
    async with received(exchange) as body, telling(exchange) as progress:

        def work() -> None:
            from builder.transport.load import arrived, opened

            with service.store.lease(), opened("-", stdin=body) as source:
                for each in arrived(service.store, source):
                    for reference in each.references:
                        service.images.name(reference, each.manifest, action="load")
                        progress.say(f"Loaded image: {reference.familiar}\n")

        await aside(work)


ROUTES: Final = (
    Route("GET", "/images/get", save),
    Route("POST", "/images/load", load),
    Route("GET", "/images/{name:.+}/get", save_one),
)
