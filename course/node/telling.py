"""A game on the node in words: what a line showed, what it reached and how, or what stopped it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from builder.cli.session import columned, visible
from builder.security.tables import Edge, nodes
from builder.world.shell.interactive import Leave
from course.catalogue import Catalogue
from course.node.node import PLAYABLE, Move, Node


def transcript(node: Node, lines: Iterable[str], language: str = "en") -> str:
    """Some lines played one after the other, each with what it showed; for notebooks."""
    say = Catalogue.read(language)
    return "\n".join(text for line in lines for text in (f"$ {line}", *played(say, node, line)))


def played(say: Catalogue, node: Node, line: str) -> Iterator[str]:
    """What one line shows; raises Leave for ``quit`` and ``exit``."""
    match line.split():
        case [] | ["#", *_]:
            return
        case ["quit"]:
            raise Leave(0)
        case ["help"]:
            yield say("node.words")
        case ["goals"]:
            yield from goals(say, node)
        case ["why", name] if name in nodes():
            yield from why(say, node, name)
        case ["why", *_]:
            yield say("node.why-what", names=", ".join(PLAYABLE))
        case _:
            yield from told(say, node, node.run(line))
            yield from end(say, node)


def told(say: Catalogue, node: Node, move: Move) -> Iterator[str]:
    """A move: what was printed, what was reached and how, or what stopped it."""
    if move.output:
        yield visible(move.output.rstrip("\n"))
    for name in move.gained:
        yield say("node.gained", node=name, meaning=meaning(say, name))
    for step in move.lit:
        yield f"    {step.id}  {step}"
    for name, steps in move.stopped.items():
        yield say("node.stopped", node=name)
        yield from closed(say, node, steps)


def end(say: Catalogue, node: Node) -> Iterator[str]:
    """Once, after all that can be played here was reached."""
    if not node.left and not node.is_finished:
        node.is_finished = True
        yield say("node.finished")


def closed(say: Catalogue, node: Node, steps: Sequence[Edge]) -> Iterator[str]:
    """Why none of some steps can be taken here."""
    for step in steps:
        missing = ", ".join(step.when.missing(node.build.facts))
        if missing:
            yield say("node.closed", id=step.id, step=str(step), condition=missing)
        else:
            yield say("node.not-there", id=step.id, step=str(step), node=step.source)
    if not steps:
        yield say("node.no-step")


def why(say: Catalogue, node: Node, name: str) -> Iterator[str]:
    """The way to a node of the graph, or what is in it."""
    if name in node.reached:
        steps = node.reached.path(name)
        yield say("node.reachable", node=name)
        yield from (f"    {step.id}  {step}" for step in steps)
    else:
        yield say("node.stopped", node=name)
        yield from closed(say, node, tuple(node.closed(name)))


def goals(say: Catalogue, node: Node) -> Iterator[str]:
    """What can be played, and how far it is."""
    rows = []
    for name in PLAYABLE:
        state = "gained" if name in node.gained else "open" if name in node.reached else "shut"
        rows.append([name, say(f"node.states.{state}"), meaning(say, name)])
    yield from columned(rows)


def meaning(say: Catalogue, name: str) -> str:
    """What who got to a node of the graph can do."""
    return say(f"node.meaning.{name}")
