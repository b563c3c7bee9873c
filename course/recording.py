"""One Dockerfile built in four ways by real processes: a run that was recorded, or one that is made now.

``python -m course.recording --allow-host-root`` records anew: on Linux, as root, with a static busybox, of
which the base image is made.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from builder.errors import BuildError
from course.figures import build_cost
from course.figures.picture import Picture, write_whole
from course.figures.stage_graph_layout import bytes_text
from course.figures.table import Table

RECORDED: Final = Path(__file__).parent / "lessons" / "three_ways_to_build.json"
BASE: Final = {
    "Dockerfile": "FROM scratch\nCOPY busybox /bin/busybox\nCOPY etc /etc\nENV PATH=/bin\n",
    "etc/passwd": "root:x:0:0:root:/:/bin/sh\n",
    "etc/os-release": "ID=small\n",
}
DOCKERFILE: Final = """\
FROM base
SHELL ["/bin/busybox", "sh", "-c"]
RUN /bin/busybox --install -s /bin && mkdir -p /var/lib /tmp
COPY site /srv/site
RUN head -c 2000000 /dev/zero > /var/lib/db
RUN chmod 600 /var/lib/db
RUN echo PRETTY=yes >> /etc/os-release && rm -r /srv/site/drafts
"""
FILES: Final = {"Dockerfile": DOCKERFILE, "site/index.html": "<p>hello</p>\n", "site/drafts/one": "draft\n"}
WAYS: Final = ("docker-sock", "privileged", "kaniko-style", "rootless")
"""The ways that are compared, by the names of their strategies."""

APPROACHES: Final[Mapping[str, str]] = {
    "docker-sock": "docker-socket",
    "privileged": "docker-in-docker",
    "kaniko-style": "kaniko",
    "rootless": "buildah-rootless",
}
"""The pod in which each way is used: the attack graph knows it by this name."""


COSTS: Final = ("entries_scanned", "bytes_hashed", "bytes_packed", "mounts", "processes")
"""What a build counts. A daemon behind a socket counts for itself, and does not tell: None."""


@dataclass(frozen=True, slots=True)
class Run:
    """What ``layerlab compare --json`` printed; ``is_recorded``: some time ago, on another machine."""

    document: Mapping[str, Any]
    is_recorded: bool

    @property
    def builds(self) -> Sequence[Mapping[str, Any]]:
        """The ways that built it, each with what it made and cost, in the order of ``WAYS``."""
        return sorted(self.document["builds"], key=lambda build: WAYS.index(build["strategy"]))

    @property
    def counted(self) -> Sequence[Mapping[str, Any]]:
        """Those of ``builds`` of which is known what they cost."""
        return [build for build in self.builds if build["entries_scanned"] is not None]

    def table(self) -> Table:
        """A row for each way that built it."""
        columns = ("way", "same tree", "entries", "hashed", "layers", "mounts", "processes", "seconds")
        rows = [
            (
                build["strategy"],
                "✓" if build["same_tree"] else "✗",
                *(_counted(cost, build[cost]) for cost in COSTS),
                f"{build['seconds']:.2f}",
            )
            for build in self.builds
        ]
        return Table(columns, tuple(rows))

    def costs(self) -> Picture:
        """What each way paid to learn what the steps had changed, and what its layers weigh."""
        ways = [{"name": build["strategy"], **build} for build in self.counted]
        spec = build_cost.spec(ways, ("entries_scanned", "bytes_hashed", "bytes_packed"))
        return Picture(build_cost, spec)

    def _notes(self) -> Iterator[str]:
        made = self.document["recorded"]
        when = "Recorded" if self.is_recorded else "Run"
        place = f"{made['system']}, {made['machine']}, {made['processors']} processors"
        yield f"{when} on {made['at'][:10]}: {place}. Times are of that machine."
        for each in self.document["not_built"]:
            yield f"Not built with {each['strategy']}: {each['reason']}"

    def __str__(self) -> str:
        return "\n".join([str(self.table()), "", *self._notes()])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return f"{self.table()._repr_html_()}{notes}"


def _counted(cost: str, amount: int | None) -> str:
    if amount is None:
        return "–"
    return bytes_text(amount) if cost.startswith("bytes") else f"{amount:,}"


def recorded() -> Run:
    """The run that came with the project."""
    return Run(json.loads(RECORDED.read_text(encoding="utf-8")), is_recorded=True)


def live(*, allow_host_root: bool = False) -> Run:
    """The same run, made now on this machine in every way that it can; BuildError if it can in none.

    ``allow_host_root``: build privileged, too, where uid 0 of a RUN is the machine's root.
    """
    busybox = shutil.which("busybox")
    if busybox is None:
        raise BuildError(
            "the base image of this run is made of busybox, which is not here",
            fix="install busybox-static, or let LIVE be False, for the run that was recorded",
        )
    with tempfile.TemporaryDirectory(prefix="layerlab-") as place:
        folder = Path(place)
        _write(folder / "base", BASE)
        shutil.copy(busybox, folder / "base" / "busybox")
        _write(folder / "app", FILES)
        layout = folder / "layout"
        _layerlab(folder, "build", "--quiet", "-o", f"type=oci,tar=false,dest={layout}", str(folder / "base"))
        words = ["--build-context", f"base=oci-layout://{layout}", "--json"]
        accepted = ["--allow-host-root"] if allow_host_root else []
        printed = _layerlab(folder, "compare", str(folder / "app"), *words, *accepted)
    document = json.loads(printed)
    for build in document["builds"]:
        if build["strategy"] == "docker-sock":
            build |= dict.fromkeys(COSTS)
    return Run({**document, "dockerfile": "Dockerfile"}, is_recorded=False)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _layerlab(folder: Path, *words: str) -> str:
    """What the command prints; BuildError with what it said if it fails."""
    command = [sys.executable, "-m", "course", "--state", str(folder / "state"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(done.stderr.strip().removeprefix("layerlab: ") or f"layerlab {words[0]} failed")
    return done.stdout


def main(words: Sequence[str]) -> None:
    """Record anew."""
    document = dict(live(allow_host_root="--allow-host-root" in words).document)
    release = re.match(r"\S+ \d+\.\d+", document["recorded"]["system"])
    document["recorded"] |= {"system": release[0] if release else "Linux"}
    write_whole(RECORDED, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())
    sys.stdout.write(f"{recorded()}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
