"""Names of files: the last component of a path, and the order of versions in names."""

from __future__ import annotations

import re


def base_name(path: str) -> str:
    """The last component of a path, as basename(1) has it."""
    stripped = path.rstrip("/")
    return stripped.rpartition("/")[2] if stripped else path[:1]


def compare_versions(left: bytes, right: bytes) -> int:
    """Negative, 0 or positive, as strverscmp(3) orders: runs of digits by number, leading zeros as fractions.

    >>> compare_versions(b"1.9", b"1.10") < 0
    True
    """
    same = 0
    while same < min(len(left), len(right)) and left[same] == right[same]:
        same += 1
    start = same
    while start and left[start - 1 : start].isdigit():
        start -= 1
    first, second = left[same : same + 1], right[same : same + 1]
    runs = [re.compile(rb"\d*").match(text, start) for text in (left, right)]
    numbers = [run[0] if run else b"" for run in runs]
    zeros = left[start:same].strip(b"0") == b"" and (start < same or first == b"0" or second == b"0")
    if zeros and numbers[0] and numbers[1]:
        # A fraction: the longer run of zeros is the smaller number, and digits come before what ends it.
        if first.isdigit() != second.isdigit() and start < same:
            return -1 if first.isdigit() else 1
    elif numbers[0] and numbers[1] and len(numbers[0]) != len(numbers[1]):
        return len(numbers[0]) - len(numbers[1])
    return (first > second) - (first < second)
