"""echo and yes: words, printed."""

from __future__ import annotations

from collections.abc import Sequence

from builder.world.machine.process import Process
from builder.world.utilities.escapes import unescape
from builder.world.utilities.streams import octets


def echoed(words: Sequence[str]) -> bytes:
    r"""What busybox's echo prints for ``words``: -n no newline, -e escapes (-E undoes nothing).

    A word with any other letter is no option but text (POSIX has no options for echo at all).

    >>> echoed(["-ne", "a\\tb"])
    b'a\tb'
    """
    newline, escapes, first = True, False, 0
    for word in words:
        if len(word) < 2 or word[0] != "-" or word[1:].strip("neE"):
            break
        newline = newline and "n" not in word
        escapes = escapes or "e" in word
        first += 1
    text = octets(" ".join(words[first:]))
    if escapes:
        text, stopped = unescape(text)
        newline = newline and not stopped
    return text + b"\n" if newline else text


def echo(process: Process) -> int:
    """Print the words."""
    process.stdout.write(echoed(process.argv[1:]))
    return 0


def yes(process: Process) -> int:
    """Print the words (or ``y``) again and again, until nobody reads them."""
    line = octets(" ".join(process.argv[1:]) if len(process.argv) > 1 else "y") + b"\n"
    block = line * max(1, 4096 // len(line))
    while True:
        process.stdout.write(block)
