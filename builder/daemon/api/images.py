"""``/images``: list, look at, name, remove."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from builder.daemon.http.connection import Exchange
from builder.daemon.http.errors import BadRequest
from builder.daemon.http.routes import Asked, Route
from builder.daemon.images import Images, Kept, ordered
from builder.daemon.service import Service
from builder.daemon.threads import aside
from builder.image.reference import Reference

_FILTERS: Final = ("reference", "dangling", "label", "before", "since")
_NONE: Final = "<none>"
_WITHOUT_NONE: Final = (1, 43)
"""From here on an image without names has empty lists (moby ``image_routes.go``, ``getImagesJSON``)."""

_SHARED: Final = (1, 44)
_NO_SEARCH: Final = (
    "there is no search here: a registry is asked for an image by its name, docker pull REGISTRY/NAME:TAG"
)


def seconds_of(created: str | None) -> int:
    """An image's date in seconds since 1970; 0 where it has none."""
    try:
        return int(datetime.fromisoformat(created or "").timestamp())
    except ValueError:
        return 0


def listed(kept: Kept, version: tuple[int, int], containers: int = -1) -> dict[str, Any]:
    """One image in a list (Engine API, "ImageSummary")."""
    image = kept.image
    nameless = not kept.names and version < _WITHOUT_NONE
    virtual = {"VirtualSize": image.size} if version < _SHARED else {}
    return {
        "Id": image.id,
        "ParentId": "",
        "RepoTags": [f"{_NONE}:{_NONE}"] if nameless else kept.tags,
        "RepoDigests": [f"{_NONE}@{_NONE}"] if nameless else kept.digests,
        "Created": seconds_of(image.created),
        "Size": image.size,
        **virtual,
        "SharedSize": -1,
        "Containers": containers,
        "Labels": dict(image.config.labels) or None,
    }


async def list_images(service: Service, exchange: Exchange, asked: Asked) -> None:
    """The images; ``filters`` choose among them."""
    filters = dict(asked.query.filters(_FILTERS))
    if name := asked.query.text("filter"):
        filters["reference"] = [name]

    def find() -> list[dict[str, Any]]:
        found = ordered(service.images.all())
        return [listed(each, asked.version) for each in _chosen(service.images, found, filters)]

    await exchange.answer(200, await aside(find))


def _chosen(images: Images, found: Any, filters: dict[str, list[str]]) -> Iterator[Kept]:
    bounds = {
        name: seconds_of(images.find(values[0]).image.created)
        for name, values in filters.items()
        if name in ("before", "since") and values
    }
    for kept in found:
        created = seconds_of(kept.image.created)
        if "before" in bounds and not created < bounds["before"]:
            continue
        if "since" in bounds and not created > bounds["since"]:
            continue
        if all(_fits(kept, name, values) for name, values in filters.items() if values):
            yield kept


def _fits(kept: Kept, name: str, values: list[str]) -> bool:
    match name:
        case "reference":
            return any(_matches(reference, value) for reference in kept.names for value in values)
        case "dangling":
            return (not kept.names) is (values[0].lower() in ("1", "true"))
        case "label":
            labels = kept.image.config.labels
            return all(
                labels.get(key) == wanted if equals else key in labels
                for key, equals, wanted in (value.partition("=") for value in values)
            )
    return True


def _matches(reference: Reference, pattern: str) -> bool:
    """Whether a name fits a pattern of ``docker images``: with a tag, or without one (path.Match)."""
    import fnmatch

    shown = (reference.familiar, reference.familiar_name, str(reference), reference.name)
    return any(fnmatch.fnmatchcase(each, pattern) for each in shown)


async def inspect(service: Service, exchange: Exchange, asked: Asked) -> None:
    """All that is known of one image (Engine API, "ImageInspect")."""
    kept = await aside(lambda: service.images.find(asked.name))
    image = kept.image
    config = json.loads(image.config_bytes()).get("config") or {}
    await exchange.answer(
        200,
        {
            "Id": image.id,
            "RepoTags": kept.tags,
            "RepoDigests": kept.digests,
            "Parent": "",
            "Comment": image.history[-1].comment if image.history else "",
            "Created": image.created or "0001-01-01T00:00:00Z",
            "DockerVersion": "",
            "Author": image.author,
            "Config": config,
            "Architecture": image.platform.architecture,
            "Variant": image.platform.variant,
            "Os": image.platform.os,
            "Size": image.size,
            "VirtualSize": image.size,
            "GraphDriver": {"Name": "layerlab", "Data": None},
            "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
            "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
            "Descriptor": kept.manifest.document(),
        },
    )


async def history(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Which instruction made which layer, the last one first."""
    kept = await aside(lambda: service.images.find(asked.name))
    steps: list[dict[str, Any]] = [
        {
            "Id": "<missing>",
            "Created": seconds_of(entry.created),
            "CreatedBy": entry.created_by,
            "Tags": None,
            "Size": 0 if layer is None else layer.descriptor.size,
            "Comment": entry.comment,
        }
        for entry, layer in kept.image.steps()
    ]
    if steps:
        steps[-1].update(Id=kept.image.id, Tags=kept.tags or None)
    await exchange.answer(200, steps[::-1])


async def tag(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Give an image one more name."""
    repository, word = asked.query.text("repo"), asked.query.text("tag")
    if not repository:
        raise BadRequest("repo is needed: the new name of the image")
    reference = Reference.parse(f"{repository}:{word}" if word else repository)
    if reference.digest is not None:
        raise BadRequest("refusing to create a tag with a digest reference")

    def name() -> None:
        service.images.name(reference, service.images.find(asked.name).manifest)

    await aside(name)
    await exchange.answer(201)


async def remove(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Take a name away; with its last one the image goes."""
    force = asked.query.flag("force")
    users = service.containers.user
    await exchange.answer(
        200, await aside(lambda: service.images.remove(asked.name, force=force, users=users))
    )


async def prune(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Remove the images without a name; with ``dangling=false`` all that no container uses."""
    filters = asked.query.filters(("dangling",))
    named = filters.get("dangling", ["true"])[0].lower() in ("false", "0")

    def work() -> tuple[list[dict[str, str]], int]:
        before = service.store.usage().bytes
        removed = service.images.prune(named=named, users=service.containers.user)
        return removed, before - service.store.usage().bytes

    removed, freed = await aside(work)
    await exchange.answer(200, {"ImagesDeleted": removed or None, "SpaceReclaimed": freed})


async def search(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """Refused."""
    raise BadRequest(_NO_SEARCH)


ROUTES: Final = (
    Route("GET", "/images/json", list_images),
    Route("GET", "/images/search", search),
    Route("POST", "/images/prune", prune),
    Route("GET", "/images/{name:.+}/json", inspect),
    Route("GET", "/images/{name:.+}/history", history),
    Route("POST", "/images/{name:.+}/tag", tag),
    Route("DELETE", "/images/{name:.+}", remove),
)
