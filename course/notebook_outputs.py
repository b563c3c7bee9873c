"""What the cells of a notebook show: the cells run one after another in this process.

``python -m course.notebook_outputs FOLDER`` keeps it in every notebook of the folder, so that a reader on the
web sees the pictures. The same notebook shows the same, whenever and wherever it runs.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course.figures.picture import write_whole


def run(source: str, names: dict[str, Any]) -> object:
    """The value of a cell's last expression, None if it ends with something else."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return (
        eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        if isinstance(last, ast.Expr)
        else None
    )


def executed(notebook: dict[str, Any], *, language: str = "en") -> dict[str, Any]:
    """The notebook (nbformat 4.5) with what its cells show when LANGUAGE is ``language``."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = []
    number = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            number += 1
            source = "".join(cell["source"]).replace('LANGUAGE = "en"', f'LANGUAGE = "{language}"')
            outputs = list(_outputs(source, names, number))
            cell = {**cell, "execution_count": number, "outputs": outputs}
        cells.append(cell)
    return {**notebook, "cells": cells}


def _outputs(source: str, names: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    from IPython.core.formatters import DisplayFormatter

    formatter: Any = DisplayFormatter()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        value = run(source, names)
    if printed.getvalue():
        yield {"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())}
    if value is not None:
        data, metadata = formatter.format(value)
        shown = {mime: _lines(text) for mime, text in sorted(data.items())}
        yield {
            "data": shown,
            "execution_count": number,
            "metadata": metadata,
            "output_type": "execute_result",
        }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def written(notebook: dict[str, Any]) -> str:
    """The notebook as Jupyter writes it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(folder: Path) -> None:
    """Run every notebook of ``folder`` and keep what it shows."""
    for path in sorted(folder.glob("*.ipynb")):
        done = executed(json.loads(path.read_text(encoding="utf-8")))
        write_whole(path, written(done).encode())
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
