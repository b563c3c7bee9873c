"""Exercise 4.2: what a container starts and prints; the images are built, and containers of them run."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from course.check import Question, Text
from course.laboratory import Built, Laboratory
from course.problems.containers import ran, started

STOP_CAUSES = ("shell-keeps-it", "always-ten", "still-busy", "only-entrypoint")
VARIABLE_CAUSES = ("no-shell", "quotes", "env-too-early", "not-exported")


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    program = dice.choice(("serve", "worker", "agent"))
    option, value = dice.choice((("--port", "80"), ("--level", "3"), ("--jobs", "4")))
    word, name, other = dice.choice(("hello", "welcome", "bye")), *dice.sample(("ada", "grace", "linus"), 2)
    variable = dice.choice(("NAME", "WHO", "USERNAME"))
    yield argv("argv-exec", "exec", [f'CMD ["{program}", "{option}", "{value}"]'])
    yield argv("argv-both", "exec", [f'ENTRYPOINT ["{program}"]', f'CMD ["{option}", "{value}"]'])
    yield prints(
        "prints-base", "exec", [f'ENTRYPOINT ["echo", "{word}"]'], shows={"inherits": f"{word} /bin/sh"}
    )
    env = f"ENV {variable}={name}"
    expanded = {"expands": f"{word} {name}"}
    yield prints("prints-exec", "exec", [env, f'CMD ["echo", "{word}", "${variable}"]'], shows=expanded)
    line = f"{program} {option} {value}"
    yield argv("argv-shell", "shell", [f"CMD {line}"], shows={"is-the-program": line.split()})
    yield argv("argv-quoted", "shell", [f'CMD {program} "{option} {value}"'])
    lines = [f"ENTRYPOINT {line}", f'CMD ["{other}"]']
    betrayed = {"appended": ["/bin/sh", "-c", f"{line} {other}"], "is-the-program": [*line.split(), other]}
    yield argv("argv-shell-both", "shell", lines, shows=betrayed)
    lines = [f"ENTRYPOINT echo {word}", f'CMD ["{name}"]']
    yield prints("prints-shell-both", "shell", lines, shows={"appended": f"{word} {name}"})
    yield prints(
        "prints-shell",
        "shell",
        [env, f"CMD echo {word} ${variable}"],
        shows={"literally": f"{word} ${variable}"},
    )
    greet = [f'ENTRYPOINT ["echo", "{word}"]', f'CMD ["{name}"]']
    both = {"added": f"{word} {name} {other}"}
    yield prints("prints-words", "words", greet, [other], shows=both)
    yield prints("prints-no-words", "words", greet)
    more = [program, option, value, "id"]
    yield argv(
        "argv-words", "words", [f'CMD ["{program}", "{option}", "{value}"]'], ["id"], shows={"added": more}
    )
    lines = [f"ENTRYPOINT echo {word}", f'CMD ["{name}"]']
    yield prints("prints-lost", "words", lines, [other], shows={"appended": f"{word} {other}"})
    lines = [f'ENTRYPOINT ["echo", "{word}"]', f"CMD {name}"]
    yield prints("prints-mixed", "words", lines, shows={"no-shell-words": f"{word} {name}"})
    yield why(dice, "why-stop", [f"CMD cd /srv && ./{program}"], STOP_CAUSES)
    yield why(dice, "why-variable", [env, f'CMD ["echo", "${variable}"]'], VARIABLE_CAUSES)


@cache
def built(text: str) -> Built:
    return Laboratory().build(text)


def image(lines: Sequence[str]) -> Built:
    return built("\n".join(["FROM alpine", *lines]) + "\n")


def told(lines: Sequence[str], words: Sequence[str]) -> str:
    return "\n".join(["FROM alpine", *lines, "", " ".join(["$ docker run IMAGE", *words])])


def argv(
    name: str,
    group: str,
    lines: Sequence[str],
    words: Sequence[str] = (),
    shows: Mapping[str, object] | None = None,
) -> Question:
    """The words of process 1."""
    key = list(started(image(lines).image.config, words))
    return Question(
        name,
        group,
        Text("questions.argv"),
        list[str],
        ["serve", "--port", "80"],
        told(lines, words),
        key,
        shows=shows or {},
        given={"shows": shows or {}},
    )


def prints(
    name: str,
    group: str,
    lines: Sequence[str],
    words: Sequence[str] = (),
    shows: Mapping[str, object] | None = None,
) -> Question:
    """What the container prints."""
    key = ran(image(lines), words).output.removesuffix("\n")
    return Question(
        name,
        group,
        Text("questions.prints"),
        str,
        "hello ada",
        told(lines, words),
        key,
        shows=shows or {},
        given={"shows": shows or {}},
    )


def why(dice: random.Random, name: str, lines: Sequence[str], causes: Sequence[str]) -> Question:
    return Question(
        name,
        "why",
        Text(f"questions.{name}"),
        shown=told(lines, ()),
        key=f"causes.{causes[0]}",
        choices=[Text(f"causes.{cause}") for cause in dice.sample(list(causes), 4)],
        shows={cause: f"causes.{cause}" for cause in causes[1:]},
        given={"shows": {}},
    )
