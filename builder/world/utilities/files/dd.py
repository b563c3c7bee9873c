"""dd: blocks, copied."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.streams import reason

_USAGE: Final = (
    "[if=FILE] [of=FILE] [ibs=N obs=N/bs=N] [count=N] [skip=N] [seek=N]\n"
    "\t[conv=notrunc|noerror|sync|fsync]\n"
    "\t[iflag=skip_bytes|count_bytes|fullblock|direct] [oflag=seek_bytes|append|direct]"
)
_SUFFIXES: Final = {
    "": 1, "c": 1, "w": 2, "b": 512, "kB": 1000, "k": 1024, "K": 1024, "kD": 1000,
    "MB": 10**6, "MD": 10**6, "M": 1 << 20, "GB": 10**9, "GD": 10**9, "G": 1 << 30,
}  # fmt: skip
_CONVERSIONS: Final = frozenset({"notrunc", "noerror", "sync", "fsync", "swab"})
_FLAGS: Final = {
    "iflag": frozenset({"skip_bytes", "count_bytes", "fullblock", "direct"}),
    "oflag": frozenset({"seek_bytes", "append", "direct"}),
}
_LARGEST: Final = 1 << 30


def _number(text: str) -> int:
    digits = text.rstrip("".join({letter for suffix in _SUFFIXES for letter in suffix}))
    suffix = text[len(digits) :]
    if not digits.isascii() or not digits.isdigit() or suffix not in _SUFFIXES:
        raise UsageError(f"invalid number '{text}'")
    return int(digits) * _SUFFIXES[suffix]


@dataclass(slots=True)
class Job:
    """What the operands of dd say."""

    source: str = ""
    target: str = ""
    ibs: int = 512
    obs: int = 512
    count: int | None = None
    skip: int = 0
    seek: int = 0
    conversions: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    status: str = ""

    def take(self, name: str, value: str) -> None:
        """Read one ``name=value``. Raises UsageError."""
        if name in ("if", "of"):
            self.source, self.target = (value, self.target) if name == "if" else (self.source, value)
        elif name in ("ibs", "obs", "bs"):
            size = _number(value)
            if not size:
                raise UsageError(f"number {value} is not in 1..9223372036854775807 range")
            if size > _LARGEST:
                raise UsageError(f"a block of {value} bytes is too large; at most {_LARGEST} are simulated")
            self.ibs = size if name != "obs" else self.ibs
            self.obs = size if name != "ibs" else self.obs
        elif name in ("count", "skip", "seek"):
            setattr(self, name, _number(value))
        elif name in ("conv", "iflag", "oflag"):
            known = _CONVERSIONS if name == "conv" else _FLAGS[name]
            for word in value.split(","):
                if word not in known:
                    raise UsageError(f"invalid argument '{word}' to '{name}'")
                (self.conversions if name == "conv" else self.flags).add(word)
        elif name == "status" and value in ("none", "noxfer"):
            self.status = value
        else:
            raise UsageError("", _USAGE)


class _Counter:
    """Full and partial records."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.full = self.part = 0

    def add(self, length: int) -> None:
        if length == self.size:
            self.full += 1
        else:
            self.part += 1

    def __str__(self) -> str:
        return f"{self.full}+{self.part} records"


def _opened(process: Process, job: Job) -> tuple[Stream, Stream]:
    name = job.source
    try:
        source = process.open(name) if name else process.stdin
        name = job.target
        if not name:
            return source, process.stdout
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if "append" in job.flags else 0)
        if "notrunc" not in job.conversions and not job.seek:
            flags |= os.O_TRUNC
        # A file of the image can be positioned; what only a process can open (/dev/stdout) cannot.
        return source, process.fs.open(name, flags) if job.seek else process.open(name, flags)
    except OSError as error:
        raise UsageError(f"can't open '{name}': {reason(error)}") from error


def _skip(source: Stream, size: int) -> None:
    while size and (piece := source.read(min(size, 1 << 16))):
        size -= len(piece)


def _seek(process: Process, job: Job, sink: Stream) -> None:
    """Leave what is before the place to write, as a hole if there is nothing (POSIX dd, seek=)."""
    offset = job.seek * (1 if "seek_bytes" in job.flags else job.obs)
    if not offset or not job.target:
        return
    if "notrunc" not in job.conversions:
        process.fs.truncate(job.target, offset)
    move = getattr(sink, "seek", None)
    if move is None:
        raise UsageError(f"{job.target}: cannot seek")
    move(offset)


def _read(source: Stream, size: int, *, full: bool) -> bytes:
    block = source.read(size)
    while full and block and len(block) < size and (piece := source.read(size - len(block))):
        block += piece
    return block


def dd(process: Process) -> int:
    """Copy blocks; says on descriptor 2 how many."""
    job = Job()
    for word in process.argv[1:]:
        if word == "--":
            continue
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError("", _USAGE)
        job.take(name, value)
    source, sink = _opened(process, job)
    _skip(source, job.skip * (1 if "skip_bytes" in job.flags else job.ibs))
    _seek(process, job, sink)
    process.machine.account_memory(job.ibs + job.obs)
    read, written = _copy(job, source, sink)
    if job.target:
        sink.close()
    if job.status != "none":
        process.stderr.write(f"{read} in\n{written} out\n".encode())
    return 0


def _copy(job: Job, source: Stream, sink: Stream) -> tuple[_Counter, _Counter]:
    read, written = _Counter(job.ibs), _Counter(job.obs)
    left = job.count
    waiting = b""
    regrouped = job.ibs != job.obs
    while left is None or left > 0:
        size = job.ibs if left is None or "count_bytes" not in job.flags else min(job.ibs, left)
        block = _read(source, size, full="fullblock" in job.flags or bool(job.source))
        if not block:
            break
        read.add(len(block))
        if left is not None:
            left -= len(block) if "count_bytes" in job.flags else 1
        if "swab" in job.conversions:
            pairs = len(block) // 2 * 2
            block = (
                b"".join(block[at + 1 : at + 2] + block[at : at + 1] for at in range(0, pairs, 2))
                + block[pairs:]
            )
        if "sync" in job.conversions:
            block = block.ljust(job.ibs, b"\0")
        if not regrouped:
            sink.write(block)
            written.add(len(block))
            continue
        waiting += block
        while len(waiting) >= job.obs:
            sink.write(waiting[: job.obs])
            written.add(job.obs)
            waiting = waiting[job.obs :]
    if waiting:
        sink.write(waiting)
        written.add(len(waiting))
    return read, written
