"""``buildctl build`` of BuildKit, as far as pipelines use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from builder.engine.order import CacheUse
from builder.errors import BuildError
from builder.events import Event
from builder.pipeline.tools.building import Wanted, build, within, write
from builder.pipeline.tools.flags import Grammar, Words
from builder.pipeline.tools.site import Site
from builder.world.machine.process import Process

_WORDS: Final = Grammar(
    values=frozenset(["frontend", "local", "opt", "output", "metadata-file", "secret"]),
    switches=frozenset(["no-cache", "debug"]),
    without_effect=frozenset(
        ["progress", "export-cache", "import-cache", "trace", "addr", "ref-file", "allow"]
    ),
    short={"o": "output"},
)
_BUILD_ARG: Final = "build-arg:"


def buildctl(site: Site, tell: Callable[[Event], None], process: Process) -> int:
    """``buildctl build --frontend=dockerfile.v0 --local=context=… --output=type=image,name=…,push=true``."""
    words = _WORDS.read("buildctl", process.argv[1:])
    if list(words.rest) not in (["build"], ["b"]):
        raise BuildError(
            f"buildctl {' '.join(words.rest) or '(nothing)'} is not simulated", fix="buildctl build"
        )
    if words.last("frontend") != "dockerfile.v0":
        raise BuildError(f"the frontend {words.last('frontend')!r} is not simulated", fix="dockerfile.v0")
    locals_ = _pairs(words.all("local"), "--local")
    options = _pairs(words.all("opt"), "--opt")
    context = locals_.get("context")
    if context is None:
        raise BuildError("buildctl: no --local=context=DIRECTORY")
    manifest = build(
        site,
        process,
        Wanted(
            context=within(process.cwd, context),
            dockerfile=within(
                within(process.cwd, locals_.get("dockerfile", context)),
                options.get("filename", "Dockerfile"),
            ),
            target=options.get("target", ""),
            build_args={
                name.removeprefix(_BUILD_ARG): value
                for name, value in options.items()
                if name.startswith(_BUILD_ARG)
            },
            secrets=dict(_secrets(process, words)),
            cache=CacheUse.IGNORE if words.has("no-cache") or "no-cache" in options else CacheUse.TAKE,
        ),
        tell,
    )
    names = []
    for output in words.all("output"):
        fields = _fields(output)
        if fields.get("type") not in ("image", "registry"):
            raise BuildError(f"--output {output} is not simulated", fix="type=image,name=…,push=true")
        if fields.get("push") == "true" or fields["type"] == "registry":
            names += [name for name in fields.get("name", "").split(",") if name]
    home = process.env.get("DOCKER_CONFIG", f"{process.env.get('HOME', '/root')}/.docker")
    for name in names:
        site.push(process, name, manifest, f"{home}/config.json")
    metadata = {"containerimage.digest": manifest.digest, "image.name": ",".join(names)}
    write(process, words.last("metadata-file"), json.dumps(metadata, indent=2) + "\n")
    return 0


def _pairs(written: list[str], flag: str) -> dict[str, str]:
    found = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not equals:
            raise BuildError(f"buildctl: {flag} {each} has no value")
        found[name] = value
    return found


def _fields(output: str) -> dict[str, str]:
    """``type=image,"name=a,b",push=true`` as its fields."""
    import csv

    (row,) = csv.reader([output])
    return dict(each.partition("=")[::2] for each in row)


def _secrets(process: Process, words: Words) -> Iterator[tuple[str, bytes]]:
    for each in words.all("secret"):
        fields = _fields(each)
        name = fields.get("id", "")
        path = fields.get("src") or fields.get("source")
        if path:
            yield name, process.fs.read_bytes(path)
        else:
            yield name, process.env.get(fields.get("env") or name, "").encode("utf-8", "surrogateescape")
