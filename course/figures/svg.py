"""Draws a scene as SVG text: no fonts, no numpy, same scene same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from course.figures import palette
from course.figures.lettering import Face
from course.figures.scene import Box, Line, Scene, Shape, Stroke, Text

MOST_PIXELS: Final = 770
"""As wide as a notebook's outputs on a page of 900 pixels, where nothing else makes a picture fit."""

_DASHES = {
    Stroke.SOLID: "",
    Stroke.DASHED: ' stroke-dasharray="7 4"',
    Stroke.DOTTED: ' stroke-dasharray="2 3"',
}
_FACES = {
    Face.REGULAR: "",
    Face.BOLD: ' font-weight="700"',
    Face.MONO: " font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\"",
}


def render(scene: Scene, *, prefix: str = "f") -> str:
    """The scene as one ``<svg>`` element. ``prefix`` keeps ids apart where a page holds several."""
    colours = sorted({shape.line for shape in scene.shapes if isinstance(shape, Line) and shape.arrow})
    arrows = "".join(_arrow(prefix, colour) for colour in colours)
    wide, high = _number(scene.width), _number(scene.height)
    shown = min(1.0, MOST_PIXELS / scene.width)
    head = (
        f'<svg id="{prefix}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        f'width="{_number(scene.width * shown)}" height="{_number(scene.height * shown)}" '
        f'style="max-width:100%;height:auto" role="img" aria-labelledby="{prefix}-title {prefix}-desc" '
        "font-family=\"'DejaVu Sans',Verdana,Geneva,sans-serif\">\n"
        f'<title id="{prefix}-title">{_clean(scene.title)}</title>\n'
        f'<desc id="{prefix}-desc">{_described(scene)}</desc>\n'
        f"{_dark(scene, prefix)}"
        f'<defs><pattern id="{prefix}-hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><path d="M0 0V7" stroke="'
        f'{palette.HATCH}" stroke-width="2"/></pattern>{arrows}</defs>\n'
        f'<rect width="{wide}" height="{high}" fill="{palette.WHITE}"/>\n'
    )
    return head + "\n".join(_shape(shape, prefix) for shape in scene.shapes) + "\n</svg>\n"


def _dark(scene: Scene, prefix: str) -> str:
    """The rules by which the picture turns dark where the page around it is."""
    used = {palette.WHITE, palette.HATCH, *_colours(scene)}
    rules = "".join(
        f'#{prefix} [{name}="{light}"]{{{name}:{dark}}}'
        for light, dark in palette.DARK.items()
        if light in used
        for name in ("fill", "stroke")
    )
    return f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>\n"


def _colours(scene: Scene) -> Iterator[str]:
    for shape in scene.shapes:
        match shape:
            case Box():
                yield from (shape.fill, shape.line)
            case Text():
                yield from (shape.fill, shape.halo)
            case Line():
                yield shape.line


def _described(scene: Scene) -> str:
    """What the picture says, its lines kept."""
    return "\n".join(_clean(line) for line in scene.describe.split("\n"))


def _shape(shape: Shape, prefix: str) -> str:
    match shape:
        case Box():
            return _box(shape, prefix)
        case Text():
            return _text(shape)
        case Line():
            return _line(shape, prefix)


def _box(box: Box, prefix: str) -> str:
    place = f'x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.w)}" height="{_number(box.h)}"'
    corner = f' rx="{_number(box.radius)}"' if box.radius else ""
    outline = f'stroke="{box.line}" stroke-width="{_number(box.line_width)}"{_DASHES[box.stroke]}'
    tip = f"<title>{_clean(box.tip)}</title>" if box.tip else ""
    plain = f'<rect {place}{corner} fill="{box.fill}" {outline}>{tip}</rect>'
    if not box.hatched:
        return plain
    return plain + f'<rect {place}{corner} fill="url(#{prefix}-hatch)" pointer-events="none"/>'


def _text(text: Text) -> str:
    anchor = "" if text.anchor.value == "start" else f' text-anchor="{text.anchor.value}"'
    halo = (
        f' stroke="{text.halo}" stroke-width="5" paint-order="stroke" stroke-linejoin="round"'
        if text.halo
        else ""
    )
    tip = f"<title>{_clean(text.tip)}</title>" if text.tip else ""
    return (
        f'<text x="{_number(text.x)}" y="{_number(text.y)}" font-size="{_number(text.size)}"'
        f'{_FACES[text.face]}{anchor} fill="{text.fill}"{halo}>{_clean(text.text)}{tip}</text>'
    )


def _line(line: Line, prefix: str) -> str:
    first, *rest = [f"{_number(x)} {_number(y)}" for x, y in line.points]
    path = f"M{first}C{' '.join(rest)}" if line.curved else f"M{first}L{' '.join(rest)}"
    arrow = f' marker-end="url(#{prefix}-arrow-{line.line[1:]})"' if line.arrow else ""
    outline = f'stroke="{line.line}" stroke-width="{_number(line.line_width)}"{_DASHES[line.stroke]}'
    return f'<path d="{path}" fill="none" {outline}{arrow}/>'


def _arrow(prefix: str, colour: str) -> str:
    return (
        f'<marker id="{prefix}-arrow-{colour[1:]}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="5.5" '
        f'markerHeight="5.5" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="{colour}"/></marker>'
    )


def _number(value: float) -> str:
    """At most two decimals: enough for a pixel, and the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _clean(text: str) -> str:
    """Text that XML allows: names of files may hold any byte."""
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return escape("".join(char if char.isprintable() else "\ufffd" for char in shown))
