"""``/build``: an image from a context that the client sends, told while it is made."""

from __future__ import annotations

import os
import threading
from typing import Final

from builder.daemon.bodies import received
from builder.daemon.context import Sent, context_of
from builder.daemon.credentials import presented_by_registry
from builder.daemon.http.connection import Exchange
from builder.daemon.http.errors import BadRequest, ClientGone, NotFound
from builder.daemon.http.query import Query
from builder.daemon.http.routes import Asked, Route
from builder.daemon.progress import Progress, telling
from builder.daemon.service import Service
from builder.daemon.threads import aside
from builder.daemon.transcript import Transcript
from builder.dockerfile.plan.scope import EPOCH_ARG
from builder.dockerfile.plan.stages import StageGraph, plan
from builder.dockerfile.syntax.parser import parse
from builder.engine.build import store_image
from builder.engine.order import CacheUse
from builder.errors import BuildError
from builder.image.digest import short
from builder.image.image import Image
from builder.image.oci import Descriptor, Platform
from builder.image.reference import Reference
from builder.protocols import Fetcher
from builder.recipe import Build, Dates, Recipe, built
from builder.transport.registry.credentials import Credentials
from builder.transport.registry.fetcher import Policy, RegistryFetcher

MAX_CONTEXT_BYTES: Final = 4 << 30
_NO_LIMITS: Final = "nothing here limits what a step may use"
_REFUSED: Final = {
    "remote": "a context is not fetched here: send it, as docker build DIRECTORY does",
    "memory": _NO_LIMITS,
    "memswap": _NO_LIMITS,
    "cpushares": _NO_LIMITS,
    "cpusetcpus": _NO_LIMITS,
    "cpusetmems": _NO_LIMITS,
    "cpuperiod": _NO_LIMITS,
    "cpuquota": _NO_LIMITS,
    "ulimits": _NO_LIMITS,
    "cgroupparent": "there are no control groups here",
    "shmsize": "the size of /dev/shm cannot be chosen",
    "extrahosts": "the hosts of a step cannot be chosen",
    "networkmode": "a step's network cannot be chosen (RUN --network can)",
    "squash": "layers are not squashed here",
    "isolation": "there is one isolation here",
    "securityopt": "the confinement of steps cannot be chosen",
    "outputs": "write the image elsewhere with docker save",
}
_BUILDKIT: Final = (
    "BuildKit's protocol is not spoken here. Set DOCKER_BUILDKIT=0 (with the buildx plugin installed, "
    "docker build goes to buildx otherwise)"
)


async def build(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Build the Dockerfile of the context in the body. A client that leaves stops it."""
    query = asked.query
    if query.text("version") == "2":
        raise BadRequest(_BUILDKIT)
    query.refuse(_REFUSED)
    order = _Order(query, presented_by_registry(exchange.headers.get("x-registry-config", "")))
    stop = threading.Event()
    async with received(exchange, limit=MAX_CONTEXT_BYTES) as body:
        size = os.fstat(body.fileno()).st_size
        try:
            sent = await aside(lambda: context_of(body, size, order.dockerfile))
        except BuildError as error:
            raise BadRequest(str(error)) from None
        graph = plan(
            parse(sent.dockerfile, name=os.path.basename(order.dockerfile)),
            target=order.target,
            build_args=order.build_args,
            platform=order.platform,
        )
        async with telling(exchange) as progress:
            await aside(lambda: _Making(service, order, sent, graph, progress, stop).run(), stop=stop)


class _Order:
    """What the query of one build asks for."""

    def __init__(self, query: Query, keys: dict[str, Credentials]) -> None:
        self.keys = keys
        self.tags = [Reference.parse(tag) for tag in query.texts("t")]
        for tag in self.tags:
            if tag.digest is not None:
                raise BadRequest(f"t={tag.familiar}: an image cannot be given a digest as its name")
        self.dockerfile = query.text("dockerfile") or "Dockerfile"
        self.target = query.text("target") or None
        self.build_args = {
            name: value for name, value in query.table("buildargs").items() if value is not None
        }
        self.labels = {name: value or "" for name, value in query.table("labels").items()}
        self.platform = Platform.parse(query.text("platform")) if query.text("platform") else Platform()
        self.cache = CacheUse.IGNORE if query.flag("nocache") else CacheUse.TAKE
        self.caches_from = query.strings("cachefrom")
        self.pulls = query.flag("pull")
        self.is_quiet = query.flag("q")
        epoch = self.build_args.get(EPOCH_ARG, "0")
        if not (epoch.isascii() and epoch.isdigit() and len(epoch) <= 11):
            raise BadRequest(f"{EPOCH_ARG}={epoch!r:.100} is not a number of seconds since 1970")
        self.dates = Dates.at(int(epoch))


class _Making:
    """One build, in a thread of its own. ``stop``: set when nobody waits for it any more."""

    def __init__(
        self,
        service: Service,
        order: _Order,
        sent: Sent,
        graph: StageGraph,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._service = service
        self._order = order
        self._sent = sent
        self._graph = graph
        self._progress = progress
        self._stop = stop

    def run(self) -> None:
        """Build, name, and say so. BuildError if a step fails."""
        order, service = self._order, self._service
        transcript = Transcript(self._say)
        recipe = Recipe(
            graph=self._graph,
            context=self._sent.source,
            strategy=service.configuration.strategy,
            name=f"daemon:{order.tags[0] if order.tags else ''}:{order.dockerfile}",
            cache=order.cache,
            dates=order.dates,
            state_dir=service.configuration.state_dir,
        )
        for name in order.caches_from:
            self._say(
                f"[Warning] --cache-from {name}: steps are known by their inputs here, images need not be\n"
            )
        for name in self._graph.unknown_args:
            self._say(f"[Warning] no ARG takes --build-arg {name}\n")
        try:
            with built(
                recipe, service.store, listener=transcript, fetching=self._fetching, stop=self._stop
            ) as build:
                transcript.finish()
                self._finish(build)
        finally:
            transcript.finish()

    def _finish(self, build: Build) -> None:
        order = self._order
        image, manifest = self._labelled(build)
        for tag in order.tags:
            self._service.images.name(tag, manifest)
        if not order.tags:
            self._service.images.keep(manifest)
        self._progress.tell({"aux": {"ID": image.id}})
        if order.is_quiet:
            self._progress.say(f"{image.id}\n")
            return
        self._say(f"Successfully built {short(image.id)}\n")
        for tag in order.tags:
            self._say(f"Successfully tagged {tag.familiar}\n")

    def _labelled(self, build: Build) -> tuple[Image, Descriptor]:
        """The image with the labels of the request, in the store."""
        if not self._order.labels:
            return build.result.image, build.result.manifest
        config = build.result.image.config.with_labels(self._order.labels)
        image = build.result.image.replace(config=config)
        return image, store_image(image, build.tools.workshop)

    def _fetching(self, here: Fetcher) -> Fetcher:
        """How FROM finds what is not here: with the client's credentials."""
        simulated = self._service.is_simulated
        usual = Policy.NAMED if simulated else Policy.MISSING
        return RegistryFetcher(
            here,
            self._service.store,
            lambda: self._service.registries(self._order.keys),
            policy=Policy.ALWAYS if self._order.pulls else usual,
            mirrored=frozenset(each.partition("=")[0] for each in self._service.configuration.mirrors),
        )

    def _say(self, text: str) -> None:
        if self._order.is_quiet:
            return
        try:
            self._progress.say(text)
        except ClientGone:
            self._stop.set()


async def prune(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """Forget what earlier builds did."""

    def work() -> int:
        before = service.store.usage().bytes
        service.images.forget_cache()
        service.store.collect()
        return before - service.store.usage().bytes

    await exchange.answer(200, {"CachesDeleted": None, "SpaceReclaimed": await aside(work)})


async def session(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """Refused: that is where BuildKit's clients begin."""
    raise NotFound(_BUILDKIT)


ROUTES: Final = (
    Route("POST", "/build", build),
    Route("POST", "/build/prune", prune),
    Route("POST", "/session", session),
    Route("POST", "/grpc", session),
)
