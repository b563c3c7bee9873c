"""Ctrl-C at every event of a build, and what the layers of every kind of step hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builder.image.digest import Digest
from builder.protocols import Execution
from builder.stores.layout import LayoutStore
from unionfs_sim.tar.reader import TarReader

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]

SCRIPT = """
import os, signal, sys
from pathlib import Path
from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.engine.order import CacheUse
from builder.recipe import Recipe, built
from builder.stores.layout import LayoutStore
from builder.strategies.strategy import Strategy
from unionfs_sim.layers.layer import layer

state, dockerfile, wanted = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
count = 0

def listen(event):
    global count
    count += 1
    if count == wanted:
        print(type(event).__name__, flush=True)
        os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
context = Source(BuildContext(layer({"/given": "x" * 100_000}).freeze()), LABEL)
recipe = Recipe(graph=plan(parse(dockerfile)), context=context, strategy=Strategy.ROOTLESS, state_dir=state,
                cache=CacheUse.IGNORE)
with LayoutStore(str(state)) as store:
    try:
        with built(recipe, store, listener=listen) as build:
            print("built", count)
    except KeyboardInterrupt:
        print("interrupted")
"""

DOCKERFILE = """
FROM base
RUN mkdir /d && chown -R 33:44 /d && chmod 0 /d
COPY given /given
RUN --mount=type=cache,target=/c echo begun; sleep {}
"""


@pytest.fixture
def state(tmp_path: Path, add_image: Any) -> Path:
    """A state directory with a base image."""
    with LayoutStore(str(tmp_path / "state")) as store:
        add_image(store, "base")
    return tmp_path / "state"


def ended_at(state: Path, number: int, seconds: int) -> list[str]:
    """What a build prints that is interrupted at its event of that number."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(state), DOCKERFILE.format(seconds), str(number)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        start_new_session=True,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.split()


def test_an_interrupt_at_any_event_ends_everything_and_leaves_nothing(state: Path) -> None:
    kinds = set()
    for number in range(1, 30):
        said = ended_at(state, number, 2718)
        assert said[-1] == "interrupted", (number, said)
        assert not list(state.glob("trees/*/sessions/*")), number
        assert str(state) not in Path("/proc/self/mountinfo").read_text()
        kinds.add(said[0])
        if said[0] == "OutputPrinted":
            break  # what would come after it waits for the command

    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 2718" not in listed
    assert {"StageBegan", "StepBegan", "CacheMissed", "ChangesFound", "LayerMade", "StepDone"} <= kinds


def test_the_build_after_an_interrupted_one_works(state: Path) -> None:
    assert ended_at(state, 6, 0)[-1] == "interrupted"

    said = ended_at(state, 0, 0)

    assert said[0] == "built"


MOUNTS = {
    "nothing else": "RUN echo > /made",
    "a secret": "RUN --mount=type=secret,id=s,target=/run/deep/s cat /run/deep/s > /dev/null; echo > /made",
    "a secret where files are": "RUN --mount=type=secret,id=s,target=/etc/passwd echo > /made",
    "a secret in the environment": 'RUN --mount=type=secret,id=s,env=S test -n "$S" && echo > /made',
    "a cache": "RUN --mount=type=cache,target=/var/deep/c cp /run/x /var/deep/c; echo > /made",
    "a tmpfs": "RUN --mount=type=tmpfs,target=/scratch echo hush-hush > /scratch/f; echo > /made",
    "a tmpfs where files are": "RUN --mount=type=tmpfs,target=/etc echo hush-hush > /etc/f; echo > /made",
    "a bind": "RUN --mount=type=bind,target=/ctx cat /ctx/given > /dev/null; echo > /made",
    "a bind that is written": "RUN --mount=type=bind,target=/ctx,rw echo hush-hush > /ctx/new; echo > /made",
    "devices": "RUN echo hush-hush > /dev/shm/f; mkdir /dev/x; echo > /made",
    "its name": "RUN hostname hush-hush; echo > /made",
    "another root": "WORKDIR /made\nRUN echo hush-hush > /dev/shm/f",
}


@pytest.mark.parametrize("name", MOUNTS)
def test_no_layer_has_a_secret_or_a_place_for_a_mount(builder: Any, name: str) -> None:
    build = builder.build(f"FROM base\n{MOUNTS[name]}\n", {"/given": "g"}, secrets={"s": b"hush-hush"})

    assert build.tools.workshop.execution is Execution.REAL
    (blob,) = build.result.image.layers[1:]
    with builder.store.open(Digest(blob.diff_id)) as stream:
        raw = stream.read()
    assert b"hush-hush" not in raw
    with builder.store.open(Digest(blob.diff_id)) as stream:
        assert [entry.name.strip("./") for entry in TarReader(stream)] == ["made"]
