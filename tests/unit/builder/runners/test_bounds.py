"""What has no end, or grows without one, is stopped by a limit that the error names and an option lifts."""

from __future__ import annotations

import tracemalloc
from collections import ChainMap
from dataclasses import replace
from typing import Any

import pytest

from builder.errors import StepFailedError
from builder.protocols import Command, Exit, run
from builder.runners.simulated import SimulatedRunner
from builder.world.machine.limits import UNLIMITED, Limits
from builder.world.programs import PROGRAMS
from builder.world.shell import SHELLS
from builder.world.supplies import bases
from builder.world.utilities import UTILITIES
from unionfs_sim import Layer, mount

SMALL = Limits(memory=1 << 20, written=1 << 20, output=1 << 20, captured=1 << 20)
TOGETHER = replace(SMALL, captured=UNLIMITED)
DOUBLED = "while :; do a=$a$a; done"


def root() -> Any:
    image = bases.find("debian")
    assert image is not None
    return mount(lowers=list(image.layers), upper=Layer())


def build(line: str, limits: Limits | None = SMALL, **more: Any) -> Exit:
    runner = SimulatedRunner(ChainMap(dict(SHELLS), PROGRAMS, UTILITIES), None, limits=limits)  # type: ignore[arg-type]
    more.setdefault("timeout_seconds", 120)
    shell = "/bin/bash" if "[[" in line or "//" in line else "/bin/sh"
    command = Command(argv=(shell, "-c", line), cwd="/tmp", **more)
    return run(runner, root(), command, output=lambda _: None)


HOLD_MEMORY = [
    "sort /dev/zero",
    "grep x /dev/zero",
    "sed s/a/b/ /dev/zero",
    "awk 1 /dev/zero",
    "cut -c1 /dev/zero",
    "rev /dev/zero",
    "tac /dev/zero",
    "fold -w 1 /dev/zero | uniq",
    "tail -c 1G /dev/zero",
    "head -c -1G /dev/zero",
    "yes | tail -n 100000000",
    "yes | head -n -100000000",
    "yes | sort",
    "yes | tac",
    "yes | xargs echo",
    "yes | sh",
    "yes | tr -d '\\n' | while read x; do :; done",
    "read x </dev/zero",
    "od /dev/zero",
    "diff /dev/zero /etc/passwd",
    "dd if=/dev/zero of=/dev/null bs=1G count=1",
    f"a=aaaaaaaa; {DOUBLED}",
    "a=aaaaaaaa; export a; while :; do export a=$a$a; done",
    'set -- a a; while :; do set -- "$@" "$@"; done',
    "a=aaaaaaaaaaaaaaaa; while :; do a=${a//a/aa}; done",
    "i=0; while :; do i=$((i + 1)); eval v$i=$i; done",
    "f() { local a; a=$1$1; f $a; }; f aaaaaaaa",
    "printf %999999999d 1",
    "printf %.999999999d 1",
    "printf '%*d' 999999999 1",
    f"printf %{'9' * 5000}d 1",
    "/usr/bin/printf %999999999s x",
    "awk 'BEGIN { printf \"%999999999d\", 1 }'",
    "awk 'BEGIN { s = sprintf(\"%*s\", 1e300, 1) }'",
    "awk 'BEGIN { s = \"a\"; while (1) s = s s }'",
    "awk 'BEGIN { while (1) a[i++] = i }'",
    'awk \'BEGIN { s = "aaaa"; while (1) gsub(/.*/, "&&&&&&&&", s) }\'',
    "awk 'BEGIN { while (1) print 1 | \"cat\" }'",
    "echo a | sed ':x;s/.*/&&&&&&&&/;bx'",
    "echo a | sed ':x;G;h;bx'",
    "echo a | sed ':x;H;g;bx'",
    "nl -w 999999999 /etc/passwd",
    "expand -t 999999999 /etc/passwd",
    "stat -c %999999999n /etc/passwd",
]
WRITE = [
    "yes >f",
    "cat /dev/zero >f",
    "dd if=/dev/zero of=f",
    "dd if=/dev/null of=f bs=1 seek=1G",
    "truncate -s 1000G f",
    "yes | tee f >/dev/null",
    "yes | split -l 100000",
    "yes | gzip -1 >f",
    "head -c 600K /dev/zero >f; cp f g",
    "head -c 900K /dev/zero | gzip >f.gz; cp f.gz g.gz; gunzip f.gz; gunzip g.gz",
    "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done >f",
    'awk \'BEGIN { s = sprintf("%9999s", 1); while (1) print s >"f" }\'',
    "(exec 3>f; while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa >&3; done)",
    "sleep 0 & yes >f & wait",
]


@pytest.mark.parametrize("line", HOLD_MEMORY)
def test_what_holds_too_much_is_stopped(line: str) -> None:
    with pytest.raises(StepFailedError, match=r"holds? more than 1 MiB") as said:
        build(line)

    assert "--limit memory=SIZE" in (said.value.fix or "") or "--limit captured=SIZE" in (
        said.value.fix or ""
    )


HALF = "$(head -c 600000 /dev/zero | tr '\\0' a)"
"""More than half of what all programs together may hold."""


@pytest.mark.parametrize(
    "line",
    [
        f"(a={HALF}; sleep 2) & (a={HALF}; sleep 2) & wait",
        f"a={HALF}; b={HALF}",
        f"a={HALF}; (b={HALF}; :)",
        "head -c 600000 /dev/zero >f; (sort f; sleep 1) | (sort f; cat) | sort >/dev/null",
        'for i in 1 2 3; do (awk \'BEGIN { for (i = 0; i < 3000; i++) a[i] = sprintf("%200s", i); '
        'system("sleep 1") }\') & done; wait',
    ],
)
def test_what_programs_hold_together_counts(line: str) -> None:
    with pytest.raises(StepFailedError, match=r"the programs of the command hold more than 1 MiB in memory"):
        build(line, TOGETHER)


@pytest.mark.parametrize(
    "line",
    [
        f"a={HALF}; a=; b={HALF}",
        f"(a={HALF}); (a={HALF}); (a={HALF})",
        f"a={HALF}; (:) & (:) & wait",
        "head -c 600000 /dev/zero >f; sort f >/dev/null; sort f >/dev/null; sort f >/dev/null",
        "i=0; while [ $i -lt 20 ]; do head -c 200000 /dev/zero | tail -n 1 >/dev/null; i=$((i+1)); done",
    ],
)
def test_what_is_held_no_more_counts_no_more(line: str) -> None:
    assert build(line, TOGETHER) == Exit(0)


@pytest.mark.parametrize("line", WRITE)
def test_what_writes_too_much_is_stopped(line: str) -> None:
    with pytest.raises(StepFailedError, match="wrote more than 1 MiB into files") as said:
        build(line)

    assert "--limit written=SIZE" in (said.value.fix or "")


@pytest.mark.parametrize("line", ["sort /dev/zero", "printf %999999999d 1", f"a=aaaaaaaa; {DOUBLED}"])
def test_what_is_stopped_held_no_more_than_a_few_times_its_limit(line: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(StepFailedError):
            build(line, Limits(memory=20 << 20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 100 << 20


def test_what_prints_too_much_is_stopped() -> None:
    with pytest.raises(StepFailedError, match="printed more than 1 MiB") as said:
        build("yes")

    assert "--limit output=SIZE" in (said.value.fix or "")


@pytest.mark.parametrize(
    "line",
    [
        "truncate -s 3M f",
        "head -c 2M /dev/zero >f && sort f >/dev/null",
        "printf %2000000d 1 >/dev/null",
        "head -c 2M /dev/zero",
    ],
)
def test_a_limit_can_be_lifted(line: str) -> None:
    more = Limits(memory=UNLIMITED, written=UNLIMITED, output=UNLIMITED)

    assert build(line, more) == Exit(0)


def test_a_function_whose_local_variables_are_large_can_be_called_often() -> None:
    large = "a=$(head -c 200000 /dev/zero | tr '\\0' a)"
    loop = "i=0; while [ $i -lt 50 ]; do f; i=$((i+1)); done"

    assert build(f"{large}; f() {{ local b=$a c; c=$b; }}; {loop}") == Exit(0)


def test_elements_that_are_deleted_count_no_more() -> None:
    assert build("awk 'BEGIN { for (i = 0; i < 50000; i++) { a[i] = i; delete a[i] } }'") == Exit(0)


@pytest.mark.parametrize(
    "line",
    [
        r"""grep '\(a*\)*\1b' f""",
        r"""sed -n '/\(a*\)*\1b/p' f | grep -q .""",
        r"""expr $(cat f) : '\(a*\)*\1b'""",
        r"""awk '/(a*)*\1b/' f | grep -q .""",
        r"""[[ $(cat f) =~ (a*)*\1b ]]""",
        r"""[[ $(cat f) =~ (a|aa)+$ ]] || false""",
        r"""grep -E '(a|aa)+\1+$' f""",
    ],
)
def test_back_references_end(line: str) -> None:
    prepare = f"printf %60s x | tr ' x' ac >f; {line}"

    assert build(prepare, timeout_seconds=60).status == 1


def test_a_search_with_back_references_ends_when_its_time_is_over() -> None:
    ticks = iter(range(10_000))
    runner = SimulatedRunner(
        ChainMap(dict(SHELLS), PROGRAMS, UTILITIES),  # type: ignore[arg-type]
        None,
        seconds=lambda: float(next(ticks)),
    )
    line = r"printf %3000s x | tr ' x' ac | grep '\(a*\)*\(a*\)*\1\2b'"
    command = Command(argv=("/bin/sh", "-c", line), cwd="/tmp", timeout_seconds=300)

    with pytest.raises(StepFailedError, match="did not end within 300 s"):
        run(runner, root(), command, output=lambda _: None)
