"""``python -m course.figures FOLDER``: draws the pictures of the documentation."""

from __future__ import annotations

import sys
from pathlib import Path

from course.figures.gallery import overlay_stack_example, stage_graph_example


def main(folder: Path) -> None:
    """Write every picture into ``folder``, as SVG and as text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in (("overlay_stack", overlay_stack_example()), ("stage_graph", stage_graph_example())):
        for suffix in (".svg", ".txt"):
            sys.stdout.write(f"{picture.save(folder / (name + suffix))}\n")
    sys.stdout.write(f"{stage_graph_example().save(folder / 'stage_graph.mmd')}\n")


main(Path(sys.argv[1]))
