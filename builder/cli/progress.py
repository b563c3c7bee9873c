"""A build while it runs: lines for logs, a live view for terminals, JSON for programs, or silence."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from builder.cli.session import size
from builder.events import (
    BuildBegan,
    BuildDone,
    CacheHit,
    CacheMissed,
    Event,
    Listener,
    OutputPrinted,
    StepBegan,
    StepDone,
    StepFailed,
    TransferDone,
    Warned,
)
from builder.image.digest import short

if TYPE_CHECKING:
    from rich.live import Live

STYLES = ("auto", "plain", "tty", "quiet", "json")
_SHOWN_CHARACTERS = 100


def printable(data: bytes) -> str:
    """Output of a command as text that cannot steer a terminal."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


class Plain:
    """One line an event, in the order in which things happen; whole lines of output only."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._names: dict[int, tuple[str, int]] = {}
        self._rest: dict[tuple[int, int], str] = {}
        self._cached: set[tuple[int, int]] = set()

    def __call__(self, event: Event) -> None:
        """Print what is worth a line."""
        with self._lock:
            for line in self._lines(event):
                self._out.write(line + "\n")
            self._out.flush()

    def _label(self, stage: int, step: int) -> str:
        name, total = self._names.get(stage, (str(stage), 0))
        return f"[{name} {step}/{max(total, step)}]"

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case BuildBegan(stages=stages):
                self._names = {stage.index: (stage.name, len(stage.steps)) for stage in stages}
            case StepBegan(stage=stage, step=step, text=text):
                yield f"{self._label(stage, step)} {shortened(text)}"
            case CacheHit(stage=stage, step=step):
                self._cached.add((stage, step))
                yield f"{self._label(stage, step)} CACHED"
            case CacheMissed(stage=stage, step=step, why=why):
                yield f"{self._label(stage, step)} not cached: {why}"
            case OutputPrinted(stage=stage, step=step, data=data):
                whole = self._rest.pop((stage, step), "") + printable(data)
                *lines, rest = whole.split("\n")
                if rest:
                    self._rest[stage, step] = rest
                yield from (f"{self._label(stage, step)} | {line}" for line in lines)
            case StepDone(stage=stage, step=step, seconds=seconds, changed_files=changed):
                yield from self._leftover(stage, step)
                if changed and (stage, step) not in self._cached:
                    yield f"{self._label(stage, step)} done in {seconds:.2f} s"
            case StepFailed(stage=stage, step=step):
                yield from self._leftover(stage, step)
                yield f"{self._label(stage, step)} FAILED"
            case Warned(text=text, fix=fix):
                yield f"warning: {text}"
                yield from (f"  {line}" for line in fix.splitlines())
            case TransferDone():
                yield _transfer(event)
            case BuildDone(seconds=seconds):
                yield f"built in {seconds:.2f} s"

    def _leftover(self, stage: int, step: int) -> Iterator[str]:
        rest = self._rest.pop((stage, step), "")
        if rest:
            yield f"{self._label(stage, step)} | {rest}"


class Quiet:
    """Warnings and nothing else: that another image was taken matters to whoever reads only the digest."""

    def __init__(self, out: TextIO) -> None:
        self._plain = Plain(out)

    def __call__(self, event: Event) -> None:
        """Print a warning."""
        if isinstance(event, Warned):
            self._plain(event)


def shortened(text: str) -> str:
    """An instruction on one line of bounded length, safe to print."""
    safe = " ".join(printable(text.encode("utf-8", "surrogateescape")).replace("\\\n", " ").split())
    return safe if len(safe) <= _SHOWN_CHARACTERS else safe[: _SHOWN_CHARACTERS - 1] + "…"


class Json:
    """One JSON object a line for every event."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Print the event with its name."""
        import dataclasses  # here, as only JSON needs it

        fields = {"event": type(event).__name__, **_jsonable(dataclasses.asdict(event))}
        fields.pop("inputs", None)  # a name for every file of a COPY: too much for a line
        with self._lock:
            self._out.write(json.dumps(fields, ensure_ascii=True) + "\n")
            self._out.flush()


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(each) for each in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return value


class Terminal:
    """What runs now, with its last line of output, below what is done; drawn by rich."""

    def __init__(self, live: Live) -> None:
        from rich.text import Text

        self._live = live
        self._text: Callable[..., Text] = Text
        self._lock = threading.Lock()
        self._running: dict[tuple[int, int], tuple[str, str]] = {}
        self._names: dict[int, tuple[str, int]] = {}
        self._cached: set[tuple[int, int]] = set()

    def __call__(self, event: Event) -> None:
        """Move what is done up, and draw what runs."""
        with self._lock:
            self._take(event)
            lines = [f"{text}\n    {last}" if last else text for text, last in self._running.values()]
            self._live.update(self._text("\n".join(lines), style="cyan"))

    def _take(self, event: Event) -> None:
        match event:
            case BuildBegan(stages=stages):
                self._names = {stage.index: (stage.name, len(stage.steps)) for stage in stages}
            case StepBegan(stage=stage, step=step, text=text):
                name, total = self._names.get(stage, (str(stage), 0))
                label = f"[{name} {step}/{max(total, step)}] {shortened(text)}"
                self._running[stage, step] = (label, "")
            case OutputPrinted(stage=stage, step=step, data=data):
                label, last = self._running.get((stage, step), ("", ""))
                said = printable(data).strip().rpartition("\n")[2]
                self._running[stage, step] = (label, said or last)
            case CacheHit(stage=stage, step=step):
                self._cached.add((stage, step))
            case StepDone(stage=stage, step=step, seconds=seconds, changed_files=changed):
                label, _ = self._running.pop((stage, step), ("", ""))
                cached = (stage, step) in self._cached
                mark = "CACHED " if cached else "✓ "
                took = "" if cached or not changed else f"  {seconds:.2f} s"
                self._live.console.print(self._text(f"{mark}{label}{took}", style="dim" if cached else ""))
            case StepFailed(stage=stage, step=step):
                label, last = self._running.pop((stage, step), ("", ""))
                self._live.console.print(self._text(f"✗ {label}\n    {last}", style="red"))
            case TransferDone():
                self._live.console.print(self._text(_transfer(event), style="dim"))


def _transfer(done: TransferDone) -> str:
    return f"{short(done.blob)}: {done.how}, {size(done.size)}"


@contextmanager
def progress(style: str, out: TextIO) -> Iterator[Listener]:
    """The listener that shows a build on ``out``; the style "auto" is "tty" on a terminal, else "plain"."""
    if style == "auto":
        style = "tty" if out.isatty() else "plain"
    match style:
        case "quiet":
            yield Quiet(out)
        case "json":
            yield Json(out)
        case "tty":
            from rich.console import Console
            from rich.live import Live

            with Live(console=Console(file=out), refresh_per_second=12, transient=True) as live:
                yield Terminal(live)
        case _:
            yield Plain(out)
