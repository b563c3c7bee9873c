"""What somebody probably meant to write."""

from __future__ import annotations

from collections.abc import Iterable


def closest(written: str, known: Iterable[str]) -> str | None:
    """The known word that is most like ``written``, whatever its case; None if none is near.

    >>> closest("RUM", ["RUN", "COPY"])
    'RUN'
    """
    by_lower: dict[str, str] = {}
    for word in known:
        by_lower.setdefault(word.lower(), word)
    # difflib is quadratic in the length of a word: nothing that long is a misspelling.
    if len(written) > 100:
        return None
    import difflib  # here, as most words are right

    found = difflib.get_close_matches(written.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(written: str, known: Iterable[str], *, otherwise: str | None = None) -> str | None:
    """``did you mean 'RUN'?``, or ``otherwise`` if nothing is near."""
    found = closest(written, known)
    return f"did you mean {found!r}?" if found is not None else otherwise
