"""Formatting as printf(3) does it, for integers, characters and strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from builder.world.programs.cc.machine import Fault

_DIRECTIVE: Final = re.compile(
    rb"%([-+ 0#]*)(\*|[0-9]+)?(?:\.(\*|[0-9]*))?(hh|h|ll|l|z|j|t)?([diouxXcspn%fgeEG])"
)
_WIDTHS: Final = {b"hh": 8, b"h": 16, None: 32}
_LARGEST: Final = 65536


def format_text(template: bytes, arguments: Sequence[int], text_at: Callable[[int], bytes]) -> bytes:
    """``template`` with its directives replaced; a missing argument is a Fault, not a guess."""
    remaining = iter(arguments)

    def take() -> int:
        value = next(remaining, None)
        if value is None:
            raise Fault("Segmentation fault")
        return value

    def one(match: re.Match[bytes]) -> bytes:
        flags, width, precision, length, kind = match.groups()
        if kind == b"%":
            return b"%"
        if kind in b"fgeEG":
            raise Fault("not simulated: floating point in printf", 4)
        wide = take() if width == b"*" else int(width or 0)
        exact = take() if precision == b"*" else int(precision or 0) if precision is not None else None
        if max(abs(wide), exact or 0) > _LARGEST:
            raise Fault("not simulated: fields this wide in printf", 4)
        text = _converted(kind, flags, exact, _WIDTHS.get(length, 64), take(), text_at)
        if b"-" in flags or wide < 0:
            return text.ljust(abs(wide))
        if b"0" in flags and kind in b"diouxX" and exact is None:
            sign = text[:1] if text[:1] in (b"-", b"+") else b""
            return sign + text[len(sign) :].rjust(wide - len(sign), b"0")
        return text.rjust(wide)

    return _DIRECTIVE.sub(one, template)


def _converted(
    kind: bytes, flags: bytes, exact: int | None, bits: int, value: int, text_at: Callable[[int], bytes]
) -> bytes:
    if kind == b"s":
        text = text_at(value) if value else b"(null)"
        return text if exact is None else text[:exact]
    if kind == b"c":
        return bytes([value & 255])
    if kind == b"p":
        return b"0x%x" % value if value else b"(nil)"
    value &= (1 << bits) - 1
    if kind in b"di":
        value -= (1 << bits) if value >> (bits - 1) else 0
        digits = b"%d" % abs(value)
        sign = b"-" if value < 0 else b"+" if b"+" in flags else b" " if b" " in flags else b""
        return sign + digits.rjust(exact or 0, b"0")
    digits = {b"u": b"%d", b"o": b"%o", b"x": b"%x", b"X": b"%X"}[kind] % value
    prefix = {b"x": b"0x", b"X": b"0X", b"o": b"0"}.get(kind, b"") if b"#" in flags and value else b""
    return prefix + digits.rjust(exact or 0, b"0")
