"""``layerlab learn export``: graders and marks for other programs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import click

from builder.errors import BuildError
from course.figures.picture import write_whole
from course.learn.desk import SEED, Desk, at_the_desk
from course.learn.word import Word
from course.teaching.export import NAMES, Wishes, platform
from course.teaching.results import results_in

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell: the same files make the same zip."""


@click.command("export", cls=Word)
@click.argument("source", metavar="ID|RESULTS")
@click.option("--to", "name", type=click.Choice(NAMES), required=True, help="For which program.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A folder to write, a .zip, or the file if there is only one.",
)
@click.option("--seed", default=SEED, show_default=True, help="Chooses the random cases, for all alike.")
@click.option("--shards", type=click.IntRange(1, 10_000), default=4, show_default=True, help="Pods of a job.")
@click.option("--image", default="layerlab:latest", show_default=True, help="The image of a job's pods.")
@at_the_desk
def command(desk: Desk, source: str, name: str, output: Path, seed: str, shards: int, image: str) -> int:
    """Write what another program needs: for an exercise ID its grader, for a folder of RESULTS their marks.

    A .zip is what a teacher uploads as it is. No solution and no mutant is in it.

    \b
    Example:
      layerlab learn export 1.3 --to gradescope -o autograder.zip
      layerlab learn export results --to junit -o results.xml
    """
    if Path(source).is_dir():
        files: dict[str, bytes] = {}
        several = results_in(Path(source))
        for each in several:
            exercise = desk.course.find(each.exercise_id)
            below = "" if len(several) == 1 else f"{each.place.name}/"
            for path, content in platform(name).marks(exercise, each.read()).items():
                files[below + path] = content
    else:
        wishes = Wishes(seed, shards, image)
        files = dict(platform(name).package(desk.course.find(source), wishes))
    _write(output, files)
    desk.session.print(f"{output}: for {name}")
    return 0


def _write(output: Path, files: Mapping[str, bytes]) -> None:
    if output.suffix == ".zip":
        write_whole(output, _zipped(files))
    elif len(files) == 1 and output.suffix:
        (content,) = files.values()
        write_whole(output, content)
    elif output.is_file():
        raise BuildError(
            "that is a file, and there are several to write", where=str(output), fix="name a folder"
        )
    else:
        for name, content in files.items():
            path = output / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BuildError(f"cannot write here: {error.strerror}", where=str(path.parent)) from None
            write_whole(path, content)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """The files as a zip, scripts executable."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o100755 if content.startswith(b"#!") else 0o100644) << 16
            archive.writestr(member, content)
    return whole.getvalue()
