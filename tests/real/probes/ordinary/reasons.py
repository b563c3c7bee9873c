"""Why a probe may differ from the kernel; a difference without a reason here is a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_REFUSED: Final = "refused by name (ENOSYS): "

REASONS: Final[Mapping[str, str]] = {
    "flock_a_file": _REFUSED + "a learner is one process, and `fcntl` would reach the machine's descriptors",
    "lockf_a_file": _REFUSED + "as flock",
    "fcntl_flags": _REFUSED + "as flock",
    "mmap_reads": _REFUSED + "`mmap` needs a descriptor of the kernel",
    "mmap_writes_back": _REFUSED + "as above",
    "memfd_is_a_file": _REFUSED + "it would be a descriptor of the machine, not of the union",
    "pipe_between_threads": _REFUSED + "as memfd_create; pipes belong to the simulated world's processes",
    "linecache_reads": "`linecache` serves tracebacks, whose sources lie on the machine ",
    "missing_arguments": "the stand-ins are written in Python, which words a missing argument its own way",
}
