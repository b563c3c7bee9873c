"""Exercise 3.2: digest, diff_id and chain_id; the image model of the project says all three."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator, Sequence

from builder.image.digest import DiffID, chained, digest_of
from course.check import Call, Case, Talk, call, different_answers, same_answers
from course.problems.trees import as_layer, random_tree
from unionfs_sim.tar.pack import pack


def cases(seed: str) -> Iterator[Case | Talk]:
    motd, app = tar({"etc": {"motd": "hello\n"}}), tar({"srv": {"app": "run\n" * 40}})
    for content in (b"", motd, gzip.compress(motd, mtime=0), gzip.compress(app, mtime=0)):
        yield Case(
            "digest", (content,), digest_of(content), function="digest", shows=named_otherwise(content)
        )
    for content in (motd, app):
        stored = gzip.compress(content, mtime=0)
        shows = {"stored-bytes": digest_of(stored)}
        yield Case("diff-id", (stored,), digest_of(content), function="diff_id", shows=shows)
        yield Case("diff-id", (content,), digest_of(content), "plain", function="diff_id")
    yield from stored_twice(app)
    one, two, three = (digest_of(content) for content in (motd, app, tar({"tmp": {}})))
    yield Case("chain-of-one", ([one],), shows={"hashed": [digest_of(one.encode())]})
    yield Case("chain-of-one", ([two],), shows={"hashed": [digest_of(two.encode())]})
    yield Case("chain-of-one", ([],), because="empty")
    yield Case("chain", ([one, two],))
    yield Case("chain", ([two, one],), because="order")
    yield Case("chain", ([one, one],))
    yield Case("chain", ([one, two, three],), shows={"row": in_a_row([one, two, three])})
    yield Case("chain", ([three, two, one, two],))
    dice = random.Random(seed)
    for _ in range(6):
        tars = [tar(random_tree(dice, f"{number}\n")) for number in range(dice.randint(2, 5))]
        yield Case("any-stack", ([digest_of(each) for each in tars],))
        stored = gzip.compress(tars[0], dice.randint(1, 9), mtime=0)
        yield Case("any-stack", (stored,), digest_of(stored), function="digest")
        yield Case("any-stack", (stored,), digest_of(tars[0]), function="diff_id")


def stored_twice(content: bytes) -> Iterator[Talk]:
    """One layer, compressed twice: other bytes, the same change."""
    forms = [gzip.compress(content, level, mtime=0) for level in (1, 9)]
    yield same_answers("compressed-anew", *asked("diff_id", [*forms, content]))
    yield different_answers("compressed-anew", *asked("digest", [*forms, content]), because="other-bytes")


def asked(function: str, contents: Sequence[bytes]) -> list[Call]:
    return [call(content, function=function) for content in contents]


def oracle(diff_ids):
    """The name of every stack, from the base up."""
    names = []
    below = None
    for diff_id in diff_ids:
        below = chained(below, DiffID(diff_id))
        names.append(below)
    return names


def in_a_row(diff_ids: Sequence[str]) -> list[str]:
    """What one gets who hashes all diff_ids of a stack at once."""
    stacks = [diff_ids[: number + 1] for number in range(len(diff_ids))]
    return [digest_of(" ".join(stack).encode()) if len(stack) > 1 else stack[0] for stack in stacks]


def named_otherwise(content: bytes) -> dict[str, str]:
    digits = {"no-algorithm": digest_of(content).removeprefix("sha256:")}
    if content[:2] != b"\x1f\x8b":
        return digits
    return {**digits, "contents": digest_of(gzip.decompress(content))}


def tar(tree) -> bytes:
    return b"".join(pack(as_layer(tree)))
