"""Exercise 6.1: what the layers of small Dockerfiles weigh; every key is weighed on what was built."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from course.check import Question, Text
from course.laboratory import Built, Laboratory

BASE = "FROM busybox"
RM_CAUSES = ("below-is-kept", "still-open", "pruned-later", "history-lies")
CHMOD_CAUSES = ("whole-file", "mode-is-written", "compressed", "cache-kept")


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    files = {
        "app/data.bin": dice.randrange(3000, 9000),
        "app/main": dice.randrange(700, 2500),
        "app/run.sh": dice.randrange(40, 300),
    }
    archive = dice.randrange(2000, 6000)
    unpacked = dice.randrange(300, 1900)
    copy = "COPY app/ /srv/"
    make = f"head -c {archive} /dev/zero > /tmp/archive"
    use = f"head -c {unpacked} /tmp/archive > /used"
    main, data = files["app/main"], files["app/data.bin"]

    yield weigh("rm-copied", "later-rm", files, [copy, "RUN rm /srv/data.bin"])
    yield weigh("rm-made", "later-rm", files, [f"RUN {make}", f"RUN {use}", "RUN rm /tmp/archive"])
    yield weigh("emptied", "later-rm", files, [copy, "RUN : > /srv/data.bin"])
    together = f"RUN {make} && {use} && rm /tmp/archive"
    yield weigh("same-run", "same-run", files, [together], written=archive + unpacked)
    twice = f"RUN {make} && rm /tmp/archive && {make} && {use} && rm /tmp/archive"
    yield weigh("same-run-twice", "same-run", files, [twice], written=2 * archive + unpacked)
    yield weigh("chmod", "metadata", files, [copy, "RUN chmod 700 /srv/data.bin"])
    yield weigh("chmod-tree", "metadata", files, [copy, "RUN chmod -R go-rwx /srv"])
    yield weigh("chown-tree", "metadata", files, [copy, "RUN chown -R nobody /srv"])
    whole = sum(files.values())
    yield weigh("copy-chown", "flags", files, ["COPY --chown=nobody app/ /srv/"], as_run=2 * whole)
    yield weigh("copy-chmod", "flags", files, ["COPY --chmod=700 app/ /srv/"], as_run=2 * whole)
    more = "x" * dice.randrange(5, 12)
    yield weigh(
        "append", "whole", files, [copy, f"RUN echo {more} >> /srv/data.bin"], changed=whole + len(more) + 1
    )
    yield weigh("move", "whole", files, [copy, "RUN mv /srv/main /srv/server"], changed=whole)
    yield weigh(
        "copy-twice", "whole", files, [copy, "COPY app/main /srv/main"], changed=whole, also=whole + main
    )
    yield why(dice, "why-rm", files, [copy, "RUN rm /srv/data.bin"], RM_CAUSES, data)
    yield why(dice, "why-chmod", files, [copy, "RUN chmod 700 /srv/data.bin"], CHMOD_CAUSES, data)


def weigh(name: str, group: str, files: Mapping[str, int], lines: Sequence[str], **wrong: int) -> Question:
    """How much the layers above the base hold. ``wrong``: answers that betray another idea of it."""
    made = built(tuple(files.items()), tuple(lines))
    own = made.tree().layers[1:]
    total, seen = (
        sum(each.size_bytes for each in own),
        sum(each.size_bytes - each.hidden_bytes for each in own),
    )
    candidates = {
        "frees": seen,
        "metadata-is-free": own[0].size_bytes,
        "counts-all": wrong.get("written", -1),
    }
    candidates |= {"flag-is-a-run": wrong.get("as_run", -1), "only-the-change": wrong.get("changed", -1)}
    wanted = {
        "later-rm": ("frees",),
        "same-run": ("counts-all",),
        "metadata": ("metadata-is-free",),
        "flags": ("flag-is-a-run",),
        "whole": ("only-the-change", "frees"),
    }[group]
    shows = {each: candidates[each] for each in wanted if candidates[each] not in (-1, total)}
    return Question(
        name,
        group,
        Text("questions.weigh"),
        int,
        1000,
        shown=told(files, lines),
        key=total,
        shows=shows,
        given={"seen": seen, "first": own[0].size_bytes, **wrong},
    )


@cache
def built(files: tuple[tuple[str, int], ...], lines: tuple[str, ...]) -> Built:
    texts = {path: "x" * size for path, size in files}
    return Laboratory().build("\n".join((BASE, *lines)) + "\n", texts)


def told(files: Mapping[str, int], lines: Sequence[str]) -> str:
    """The build context with sizes, if anything is copied from it, and the Dockerfile."""
    listing = [*(f"{size:>6} B  {path}" for path, size in files.items()), ""]
    uses_context = any(line.startswith("COPY") for line in lines)
    return "\n".join([*(listing if uses_context else ()), BASE, *lines])


def why(
    dice: random.Random,
    name: str,
    files: Mapping[str, int],
    lines: Sequence[str],
    causes: Sequence[str],
    size: int,
) -> Question:
    return Question(
        name,
        "why",
        Text(f"questions.{name}", {"size": size}),
        shown=told(files, lines),
        key=f"causes.{causes[0]}",
        choices=[Text(f"causes.{cause}") for cause in dice.sample(list(causes), 4)],
        shows={cause: f"causes.{cause}" for cause in causes[1:]},
    )
