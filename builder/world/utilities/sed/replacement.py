"""What the command s of sed makes of a line, and how l shows one."""

from __future__ import annotations

from collections.abc import Callable

from builder.world.matching.regex import Match, Pattern
from builder.world.utilities.sed.reader import Substitution


def substituted(
    text: bytes, pattern: Pattern, substitution: Substitution, account: Callable[[int], None]
) -> tuple[bytes, int]:
    """``text`` after the substitution, and how many matches were replaced."""
    pieces: list[bytes] = []
    at, seen, replaced, held = 0, 0, 0, 0
    end_of_last = -1
    while at <= len(text):
        match = pattern.search(text, at)
        if match is None:
            break
        begin, end = match.span()
        empty_again = begin == end and begin == end_of_last
        pieces.append(text[at:begin])
        if not empty_again:
            seen += 1
            wanted = (
                seen >= max(1, substitution.nth)
                if substitution.everywhere
                else seen == max(1, substitution.nth)
            )
            pieces.append(_expanded(match, substitution) if wanted else text[begin:end])
            held += len(pieces[-1])
            account(held)
            replaced += wanted
        end_of_last = end
        if begin == end:
            pieces.append(text[end : end + 1])
            at = end + 1
        else:
            at = end
        if replaced and not substitution.everywhere:
            break
    pieces.append(text[at:])
    return b"".join(pieces), replaced


def _expanded(match: Match, substitution: Substitution) -> bytes:
    made = bytearray()
    mode, once = "E", ""
    for part in substitution.replacement:
        if isinstance(part, str):
            mode, once = (mode, part) if part in "ul" else (part, "")
            continue
        piece = (match[part] or b"") if isinstance(part, int) else part
        piece = piece.upper() if mode == "U" else piece.lower() if mode == "L" else piece
        if once and piece:
            piece = (piece[:1].upper() if once == "u" else piece[:1].lower()) + piece[1:]
            once = ""
        made += piece
    return bytes(made)


def unambiguous(text: bytes) -> bytes:
    """The text as the command l shows it."""
    names = {92: rb"\\", 7: rb"\a", 8: rb"\b", 12: rb"\f", 10: rb"\n", 13: rb"\r", 9: rb"\t", 11: rb"\v"}
    shown = [names.get(byte, bytes([byte]) if 32 <= byte < 127 else b"\\%03o" % byte) for byte in text]
    return b"".join(shown) + b"$"
