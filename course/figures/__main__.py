"""``python -m course.figures FOLDER``: draws the pictures of the documentation."""

from __future__ import annotations

import sys
from pathlib import Path

from course.figures.gallery import attack_graph_example, overlay_stack_example, stage_graph_example


def main(folder: Path) -> None:
    """Write every picture into ``folder``, as SVG and as text."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "overlay_stack": overlay_stack_example(),
        "stage_graph": stage_graph_example(),
        "attack_graph": attack_graph_example(),
    }
    for name, picture in pictures.items():
        for suffix in (".svg", ".txt"):
            sys.stdout.write(f"{picture.save(folder / (name + suffix))}\n")
    for name in ("stage_graph", "attack_graph"):
        sys.stdout.write(f"{pictures[name].save(folder / f'{name}.mmd')}\n")


main(Path(sys.argv[1]))
