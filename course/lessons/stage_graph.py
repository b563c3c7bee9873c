"""The key of notebook 03: what crosses from stage to stage, and what is built at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from builder.events import StageBegan
from builder.image.analysis import Kind
from course.laboratory import Built, Laboratory
from course.lesson import Sealed

SOURCE: Final = "int main(void) { return 0; }\n"
STAGES: Final = """
FROM alpine AS build
RUN apk add --no-cache build-base
COPY hello.c .
RUN cc -o /hello hello.c

FROM build AS docs
RUN echo manual > /manual

FROM alpine
COPY --from=build /hello /hello
"""
ONE: Final = """
FROM alpine
RUN apk add --no-cache build-base
COPY hello.c .
RUN cc -o /hello hello.c
RUN apk del build-base && rm hello.c
"""


def check() -> Mapping[str, Sealed]:
    """The key, by question."""
    laboratory = Laboratory()
    built = laboratory.build(STAGES, {"hello.c": SOURCE})
    again = laboratory.build(STAGES, {"hello.c": "/* a comment */ " + SOURCE})
    one = laboratory.build(ONE, {"hello.c": SOURCE})
    sizes = {
        "one": sum(one.sizes[diff_id] for diff_id in one.image.diff_ids),
        "two": sum(built.sizes[diff_id] for diff_id in built.image.diff_ids),
        "wasted": one.tree().wasted_bytes,
    }
    began = sum(isinstance(event, StageBegan) for event in built.events)
    files = _names(built)
    return {
        "removed": Sealed(sizes["one"] <= sizes["two"], sizes, lambda: "\n".join(_rows(one))),
        "built": Sealed({3: "all", 2: "needed", 1: "last"}[began], shown=lambda: str(built.stage_graph())),
        "crosses": Sealed("file" if len(files) == 1 else "everything", shown=lambda: repr(built.layers[-1])),
        "equal": Sealed(again.cached()[-1], shown=lambda: str(again.cache_comparison(built))),
    }


def _names(built: Built) -> list[str]:
    """The files that the last layer has."""
    last = len(built.layers) - 1
    return [
        path
        for path, record in built.tree().paths.items()
        if any(held.layer == last and held.kind is Kind.FILE for held in record.held)
    ]


def _rows(built: Built) -> list[str]:
    """A line for each layer: its bytes, and how it was made."""
    sizes = (built.sizes[diff_id] for diff_id in built.image.diff_ids)
    return [f"{size:>9,}  {line[:60]}" for size, line in zip(sizes, built.made_by(), strict=True)]
