"""Everything that a step can execute: the simulated world's programs, and the tools of pipelines."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

from builder.errors import BuildError
from builder.events import Event
from builder.pipeline.events import Built
from builder.pipeline.tools.buildah import buildah
from builder.pipeline.tools.buildctl import buildctl
from builder.pipeline.tools.git import git
from builder.pipeline.tools.kaniko import executor
from builder.pipeline.tools.site import Site
from builder.strategies.simulated import programs
from builder.world.machine.process import Process, Program

_Tool: TypeAlias = Callable[[Site, Callable[[Event], None], Process], int]
_TOOLS: Final[Mapping[str, _Tool]] = {
    "pipeline-kaniko": executor,
    "pipeline-buildctl": buildctl,
    "pipeline-buildah": buildah,
    "pipeline-git": git,
}


def programs_for(site: Site, task: str, step: str) -> Mapping[str, Program]:
    """By name; what is built is told to the site's listener, as of this step."""

    def tell(event: Event) -> None:
        site.listener(Built(task, step, event))

    mine = {name: _guarded(partial(tool, site, tell)) for name, tool in _TOOLS.items()}
    return ChainMap(mine, dict(programs()))


def _guarded(tool: Callable[[Process], int]) -> Program:
    """A tool whose errors are said as programs say them."""

    def run(process: Process) -> int:
        try:
            return tool(process)
        except BuildError as error:
            process.complain(f"error: {error}")
        except OSError as error:
            process.complain(f"error: {error.filename or ''}: {error.strerror}")
        return 1

    return run
