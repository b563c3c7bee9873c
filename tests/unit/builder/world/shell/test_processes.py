"""Pipelines, background processes, signals, time, and commands that never end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from builder.world.machine.limits import Limits
from builder.world.machine.network import Serving
from builder.world.machine.process import Process
from builder.world.machine.scheduler import Cancelled
from builder.world.machine.stopped import LimitError

Sh = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def test_an_endless_writer_ends_when_nobody_reads(sh: Sh) -> None:
    assert sh("yes | head -n 2") == (0, "y\ny\n")


def test_a_shell_that_writes_to_nobody_dies_of_sigpipe(sh: Sh) -> None:
    assert sh("{ while :; do echo y; done; echo never; } | true; echo ${?}") == (0, "0\n")


def test_all_processes_of_a_pipeline_have_ended_when_it_ends(sh: Sh) -> None:
    assert sh("{ sleep 1; echo late >&2; } | true; echo after") == (0, "late\nafter\n")


def test_a_sleep_takes_no_real_time_and_orders_what_happens(sh: Sh) -> None:
    script = "{ sleep 3000; echo c; } & { sleep 1000; echo a; } & sleep 2000; echo b; wait; echo d"

    assert sh(script) == (0, "a\nb\nc\nd\n")


def test_a_background_process_runs_at_the_latest_when_the_shell_ends(sh: Sh) -> None:
    assert sh("echo later & echo first") == (0, "first\nlater\n")


def test_a_background_process_that_sleeps_dies_with_the_first_process(sh: Sh) -> None:
    assert sh("{ sleep 9; echo never; } & echo done") == (0, "done\n")


def test_a_background_loop_without_end_dies_with_the_first_process(sh: Sh) -> None:
    assert sh("while :; do :; done & echo done") == (0, "done\n")


def test_wait_tells_the_status_of_a_background_process(sh: Sh) -> None:
    assert sh("(exit 3) & wait $!; echo $?") == (0, "3\n")


def test_kill_ends_a_background_process(sh: Sh) -> None:
    assert sh("sleep 100 & kill $!; wait $!; echo $?") == (0, "143\n")


def test_a_trap_runs_when_another_process_sends_the_signal(sh: Sh) -> None:
    script = "trap 'echo caught' USR1; (sleep 1; kill -USR1 $$) & sleep 5; echo slept; wait"

    assert sh(script) == (0, "caught\nslept\n")


def test_the_first_process_has_number_one(sh: Sh) -> None:
    assert sh("echo $$; dash -c 'echo $$'; (echo $$)") == (0, "1\n2\n1\n")


def test_the_same_script_always_prints_the_same(sh: Sh) -> None:
    script = "for i in 1 2 3; do { echo a$i; sleep $i; echo b$i; } & done; yes | head -n 1; wait; echo $!"

    assert len({sh(script) for _ in range(5)}) == 1


def test_a_server_in_the_background_stays_until_it_is_killed(sh: Sh, machine: object) -> None:
    def serve(process: Process) -> int:
        process.machine.network.listen(80, lambda _: None)  # type: ignore[arg-type, return-value]
        raise Serving("httpd", (80,))

    def ports(process: Process) -> int:
        process.out(f"{process.machine.network.ports}\n")
        return 0

    machine.install("httpd", serve)  # type: ignore[attr-defined]
    machine.install("ports", ports)  # type: ignore[attr-defined]

    assert sh("httpd & sleep 1; ports; kill $!; wait $!; echo $?; ports") == (0, "(80,)\n143\n()\n")


def test_a_server_in_the_foreground_is_told_to_the_caller(sh: Sh, machine: object) -> None:
    def serve(process: Process) -> int:
        raise Serving("httpd", (80,))

    machine.install("httpd", serve)  # type: ignore[attr-defined]

    with pytest.raises(Serving, match="port 80"):
        sh("httpd")


@pytest.mark.parametrize(
    "script",
    [
        "while :; do :; done",
        "yes | cat >/dev/null",
        "f() { f & wait; }; f",
        "until false; do sleep 1; done",
        "yes",
    ],
)
def test_a_command_that_never_ends_is_stopped_when_it_is_cancelled(
    sh: Sh, machine: object, script: str
) -> None:
    left = iter(range(3000))
    machine.is_cancelled = lambda: next(left, None) is None  # type: ignore[attr-defined]

    with pytest.raises(Cancelled):
        sh(script)


@pytest.mark.parametrize(
    "script", ["while :; do :; done", "while :; do echo y; done | while read x; do :; done"]
)
def test_ctrl_c_gets_through(sh: Sh, script: str) -> None:
    timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            sh(script)
    finally:
        timer.join()


def test_endless_output_is_stopped_with_an_error(sh: Sh, machine: object) -> None:
    machine.limits = Limits(output=1 << 20)  # type: ignore[attr-defined]

    with pytest.raises(LimitError, match="printed more than 1 MiB"):
        sh("yes")


def test_an_endless_substitution_is_stopped_with_an_error(sh: Sh, machine: object) -> None:
    machine.limits = Limits(captured=1 << 20)  # type: ignore[attr-defined]

    with pytest.raises(LimitError, match="substitutions hold more than 1 MiB"):
        sh("x=$(yes)")


@pytest.mark.parametrize(
    "script",
    [
        "(" * 5000 + ":" + ")" * 5000,
        "echo " + "$(" * 3000 + ":" + ")" * 3000,
        "echo $((" + "(" * 9000 + "1" + ")" * 9000 + "))",
    ],
)
def test_a_script_that_nests_without_measure_ends_with_an_error(sh: Sh, script: str) -> None:
    status, said = sh(script)

    assert status in (0, 2)
    assert status == 0 or "nested too deeply" in said


def test_a_program_that_fails_with_an_os_error_says_where(sh: Sh, machine: object) -> None:
    def fail(process: Process) -> int:
        process.fs.open("/none")
        return 0

    machine.install("fails", fail)  # type: ignore[attr-defined]

    assert sh("fails; echo $?") == (0, "fails: /none: No such file or directory\n1\n")
