"""``buildah build``, ``push`` and ``tag``, as far as pipelines use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.engine.order import CacheUse
from builder.errors import BuildError
from builder.events import Event
from builder.image.oci import Descriptor
from builder.image.reference import Reference
from builder.pipeline.tools.building import Wanted, build, within, write
from builder.pipeline.tools.flags import Grammar, Words, pairs
from builder.pipeline.tools.site import Site
from builder.world.machine.process import Process

_WORDS: Final = Grammar(
    values=frozenset(["file", "tag", "target", "build-arg", "digestfile", "authfile", "iidfile"]),
    switches=frozenset(["no-cache", "layers", "tls-verify", "quiet", "squash", "rm", "force-rm", "pull"]),
    without_effect=frozenset(
        ["storage-driver", "isolation", "format", "log-level", "cgroup-manager", "network", "root", "runroot"]
    ),
    short={"f": "file", "t": "tag", "q": "quiet"},
)


def buildah(site: Site, tell: Callable[[Event], None], process: Process) -> int:
    """``buildah [build|bud|push|tag] …``."""
    words = _WORDS.read("buildah", process.argv[1:])
    verb, *rest = words.rest or [""]
    match verb:
        case "build" | "bud":
            return _build(site, tell, process, words, rest)
        case "push":
            return _push(site, process, words, rest)
        case "tag" if len(rest) > 1:
            manifest = _known(site, rest[0])
            site.local |= {_name(each): manifest for each in rest[1:]}
            return 0
    raise BuildError(f"buildah {verb or '(nothing)'} is not simulated", fix="build, push or tag")


def _build(site: Site, tell: Callable[[Event], None], process: Process, words: Words, rest: list[str]) -> int:
    context = within(process.cwd, rest[0] if rest else ".")
    written = words.last("file")
    # As buildah has it: from the working directory on, else from the context on.
    dockerfile = within(process.cwd, written) if written else within(context, "Dockerfile")
    if written and not process.fs.exists(dockerfile):
        dockerfile = within(context, written)
    manifest = build(
        site,
        process,
        Wanted(
            context=context,
            dockerfile=dockerfile,
            target=words.last("target"),
            build_args=pairs(words.all("build-arg"), process.env),
            cache=CacheUse.TAKE if words.has("layers") and not words.has("no-cache") else CacheUse.IGNORE,
        ),
        tell,
    )
    for each in words.all("tag"):
        site.local[_name(each)] = manifest
    write(process, words.last("iidfile"), manifest.digest)
    return 0


def _push(site: Site, process: Process, words: Words, rest: list[str]) -> int:
    if not rest:
        raise BuildError("buildah push: which image?")
    manifest = _known(site, rest[0])
    credentials = words.last("authfile") or process.env.get(
        "REGISTRY_AUTH_FILE", "/run/containers/0/auth.json"
    )
    site.push(process, rest[-1], manifest, credentials)
    write(process, words.last("digestfile"), manifest.digest)
    return 0


def _name(written: str) -> str:
    return str(Reference.parse(written))


def _known(site: Site, written: str) -> Descriptor:
    found = site.local.get(_name(written))
    if found is None:
        there = ", ".join(site.local) or "none"
        raise BuildError(f"there is no image {written}", fix=f"there is: {there}")
    return found
