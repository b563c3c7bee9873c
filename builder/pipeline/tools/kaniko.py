"""The executor of Kaniko, as far as pipelines use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.engine.order import CacheUse
from builder.errors import BuildError
from builder.events import Event
from builder.image.reference import Reference
from builder.pipeline.tools.building import Wanted, build, within, write
from builder.pipeline.tools.flags import Grammar, pairs
from builder.pipeline.tools.site import Site
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from builder.world.machine.process import Process

_WORDS: Final = Grammar(
    values=frozenset(
        [
            "context",
            "dockerfile",
            "destination",
            "digest-file",
            "image-name-with-digest-file",
            "build-arg",
            "target",
            "image-name-tag-with-digest-file",
            "snapshot-mode",
            "snapshotMode",
            "context-sub-path",
        ]
    ),
    switches=frozenset(
        [
            "no-push",
            "cache",
            "reproducible",
            "single-snapshot",
            "skip-unused-stages",
            "use-new-run",
            "insecure",
            "insecure-pull",
            "skip-tls-verify",
            "skip-tls-verify-pull",
            "force",
            "cleanup",
            "compressed-caching",
            "cache-copy-layers",
            "cache-run-layers",
            "log-timestamp",
            "ignore-var-run",
            "push-ignore-immutable-tag-errors",
        ]
    ),
    without_effect=frozenset(
        [
            "cache-repo",
            "cache-dir",
            "cache-ttl",
            "verbosity",
            "log-format",
            "push-retry",
            "image-fs-extract-retry",
            "image-download-retry",
            "registry-mirror",
            "registry-certificate",
            "ignore-path",
            "compression",
            "kaniko-dir",
            "compression-level",
        ]
    ),
    short={"c": "context", "f": "dockerfile", "d": "destination", "v": "verbosity"},
)
_MODES: Final = {"full": Mode.FULL, "redo": Mode.REDO, "time": Mode.TIME}
_CREDENTIALS: Final = "/kaniko/.docker"


def executor(site: Site, tell: Callable[[Event], None], process: Process) -> int:
    """``/kaniko/executor --context=… --destination=…``."""
    words = _WORDS.read("executor", process.argv[1:])
    if words.rest:
        raise BuildError(f"executor: {words.rest[0]!r} is no flag")
    destinations = words.all("destination")
    if not destinations and not words.has("no-push"):
        raise BuildError("executor: --destination is needed", fix="or write --no-push")
    context = words.last("context", "/workspace").removeprefix("dir://")
    if "://" in context:
        raise BuildError(
            f"executor: the context {context} is not simulated", fix="clone it in a step before: dir://PATH"
        )
    context = within(context, words.last("context-sub-path"))
    mode = words.last("snapshot-mode") or words.last("snapshotMode") or "full"
    if mode not in _MODES:
        raise BuildError(f"executor: --snapshot-mode={mode}", fix="full, redo or time")
    manifest = build(
        site,
        process,
        Wanted(
            context=context,
            dockerfile=within(context, words.last("dockerfile", "Dockerfile")),
            target=words.last("target"),
            build_args=pairs(words.all("build-arg"), process.env),
            strategy=Strategy.KANIKO_STYLE,
            mode=_MODES[mode],
            # Kaniko looks for cached layers only where it is told to.
            cache=CacheUse.TAKE if words.has("cache") else CacheUse.IGNORE,
        ),
        tell,
    )
    if not words.has("no-push"):
        directory = process.env.get("DOCKER_CONFIG", _CREDENTIALS)
        for each in destinations:
            site.push(process, each, manifest, f"{directory}/config.json")
    names = [Reference.parse(each) for each in destinations]
    write(process, words.last("digest-file"), manifest.digest)
    write(
        process,
        words.last("image-name-with-digest-file"),
        "".join(f"{each.name}@{manifest.digest}\n" for each in names),
    )
    write(
        process,
        words.last("image-name-tag-with-digest-file"),
        "".join(f"{each.name}:{each.tag}@{manifest.digest}\n" for each in names),
    )
    return 0
