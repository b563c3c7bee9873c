"""Pages about results: one file each, no script, nothing fetched; what learners wrote is text in them."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from builder.cli.session import visible
from course.catalogue import Catalogue
from course.exercise import Exercise
from course.grader import report
from course.teaching.behaviours import Behaviour
from course.teaching.results import Graded, file_stem

CODE_CHARACTERS: Final = 4000
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
  color: #1a1a1a; background: #fff }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .75rem .25rem 0;
  vertical-align: top; border-bottom: 1px solid #ccc }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
pre { background: #f4f4f4; padding: .75rem; overflow-x: auto; white-space: pre-wrap }
.bar { background: #1f6fb2; display: inline-block; height: .8em } .quiet { color: #555 }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e8e8e8 } pre { background: #22262c }
  th, td { border-color: #444 } .bar { background: #6db3f2 } .quiet { color: #aaa } a { color: #8ec7ff } }
"""


def shown(value: object) -> str:
    """A text as HTML: markup in it is text, and what could steer a reader is an escape."""
    return html.escape(visible(str(value)))


@dataclass(frozen=True, slots=True)
class ClassResults:
    """What a page tells of one exercise."""

    exercise: Exercise
    results: Sequence[Graded]
    behaviours: Sequence[Behaviour]
    sources: Mapping[str, bytes]
    """What was handed in by an example of each behaviour that no mutant has, by the behaviour's name."""


def class_page(classes: Sequence[ClassResults], say: Catalogue, folder: str) -> str:
    """The teacher's page. ``folder``: that of the results, for the commands that it names."""
    body = ["<h1>", shown(say("class.title")), "</h1>"]
    for each in classes:
        body += _exercise(each, say, folder)
    return _page(say("class.title"), body, say.language)


def learner_page(learner: str, results: Sequence[tuple[Exercise, Graded]], say: Catalogue) -> str:
    """A learner's own page: marks, and what to think about; nothing of anybody else."""
    body = [f"<h1>{shown(learner)}</h1>"]
    for exercise, graded in results:
        titles = say.exercise(exercise)
        score = say("score", points=graded.points, of=graded.of_points)
        body += [f"<h2>{shown(exercise.id)} {shown(titles('title'))}</h2><p>{shown(score)}</p>"]
        result = graded.result(exercise)
        if result.refused is not None:
            body += [f"<p>{shown(report.refusal(result, say))}</p>"]
            continue
        for group in result.groups:
            mark = "✓" if group.passed else "✗"
            title = titles(f"groups.{group.name}.title")
            body += [f"<h3>{mark} {shown(title)} <span class=quiet>{group.earned}/{group.points}</span></h3>"]
            if group.failure is not None:
                body += [f"<p>{shown(report.misconception(result, group, say))}</p>"]
                lines = (line.strip() for line in report.details(group.failure, titles, say))
                body += [f"<pre>{shown(chr(10).join(lines))}</pre>"]
    return _page(learner, body, say.language)


def _exercise(of: ClassResults, say: Catalogue, folder: str) -> Iterator[str]:
    titles = say.exercise(of.exercise)
    yield f"<h2>{shown(of.exercise.id)} {shown(titles('title'))}</h2>"
    points = [each.points for each in of.results]
    passed = sum(each.document["status"] == "pass" for each in of.results)
    mean = sum(points) / len(points)
    summary = say(
        "class.summary", count=len(points), passed=passed, mean=f"{mean:.1f}", of=of.exercise.points
    )
    yield f"<p>{shown(summary)}</p>"
    yield from _spread(points, of.exercise.points, say)
    yield from _groups(of, titles, say)
    yield from _wrong(of, titles, say, folder)
    yield f"<h3>{shown(say('class.marks'))}</h3><table>"
    for each in of.results:
        link = f"learners/{file_stem(each.learner)}.html".replace("%", "%25")
        missed = (
            ", ".join(each.failed) if each.document["status"] != "error" else str(each.document["message"])
        )
        yield (
            f'<tr><td><a href="{html.escape(link)}">{shown(each.learner)}</a><td class=number>{each.points}'
            f"<td>{shown(missed)}"
        )
    yield "</table>"


def _spread(points: Sequence[int], of: int, say: Catalogue) -> Iterator[str]:
    """How many have how many points, in ten steps."""
    steps = Counter(min(each * 10 // of, 9) for each in points)
    yield f"<h3>{shown(say('class.spread'))}</h3><table>"
    for step in range(10):
        low, high = of * step // 10, of if step == 9 else of * (step + 1) // 10 - 1
        width = 100 * steps[step] / len(points)
        yield f"<tr><td class=number>{low}–{high}<td class=number>{steps[step]}"
        yield f'<td style="width:70%"><span class=bar style="width:{width:.1f}%"></span>'
    yield "</table>"


def _groups(of: ClassResults, titles: Catalogue, say: Catalogue) -> Iterator[str]:
    """Groups, the hardest first, with the misconceptions that single answers betrayed."""
    count = len(of.results)
    failed = Counter(name for each in of.results for name in each.failed)
    betrayed = Counter(
        (test["name"], test["wrong"]["because"])
        for each in of.results
        for test in each.tests
        if test["wrong"] and test["wrong"]["because"]
    )
    yield f"<h3>{shown(say('class.groups'))}</h3><table>"
    for name in sorted(of.exercise.groups, key=lambda name: -failed[name]):
        share = 100 * failed[name] / count
        yield f"<tr><td>{shown(titles(f'groups.{name}.title'))}<td class=number>{failed[name]}"
        yield f"<td class=number>{share:.0f} %<td>{shown(titles(f'groups.{name}.misconception'))}"
        for (group, because), times in betrayed.most_common():
            if group == name:
                sentence = titles.sentences.get("reasons", {})
                told = sentence.get(because, because) if isinstance(sentence, dict) else because
                yield f"<br><span class=quiet>{times}× {shown(told)}</span>"
    yield "</table>"


def _wrong(of: ClassResults, titles: Catalogue, say: Catalogue, folder: str) -> Iterator[str]:
    """Known misconceptions by how many share them, then what no mutant explains."""
    known = [each for each in of.behaviours if each.mutant]
    yield f"<h3>{shown(say('class.known'))}</h3>"
    if known:
        yield "<table>"
        for each in known:
            yield f"<tr><td>{shown(each.mutant)}<td class=number>{len(each.results)}"
            yield f"<td>{_people(each.results)}"
        yield "</table>"
    else:
        yield f"<p>{shown(say('class.none'))}</p>"
    unknown = [each for each in of.behaviours if not each.mutant]
    yield f"<h3>{shown(say('class.unknown'))}</h3>"
    if not unknown:
        yield f"<p>{shown(say('class.none'))}</p>"
    for each in unknown:
        yield f"<h4>{len(each.results)}× <code>{shown(each.name)}</code></h4><p>{_people(each.results)}</p>"
        result = each.example.result(of.exercise)
        if result.refused is not None:
            yield f"<p>{shown(report.refusal(result, say))}</p>"
        for group in result.groups:
            if group.failure is not None:
                lines = (line.strip() for line in report.details(group.failure, titles, say))
                yield f"<p>{shown(titles(f'groups.{group.name}.title'))}</p>"
                yield f"<pre>{shown(chr(10).join(lines))}</pre>"
                break
        source = of.sources.get(each.name)
        if source is not None:
            text = source.decode(errors="replace")
            cut = "\n…" if len(text) > CODE_CHARACTERS else ""
            summary = shown(say("class.code"))
            code = f"<pre>{shown(text[:CODE_CHARACTERS])}{cut}</pre>"
            yield f"<details><summary>{summary}</summary>{code}</details>"
        if result.refused is None:
            command = f"layerlab learn mutant {of.exercise.id} {each.name} --results {folder} --name NAME"
            yield f"<p>{shown(say('class.to-mutant'))}</p><pre>{shown(command)}</pre>"


def _people(results: Sequence[Graded]) -> str:
    names = ", ".join(shown(each.learner) for each in results[:12])
    return names + (", …" if len(results) > 12 else "")


def _page(title: str, body: Iterable[str], language: str) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{shown(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )
