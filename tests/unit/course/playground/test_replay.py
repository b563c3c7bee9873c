"""Replaying what a shell did: the calls, and what is said where the kernel answers otherwise."""

from __future__ import annotations

import json

from course.playground.playground import HISTORY, Playground
from course.playground.replay import Replay
from unionfs_sim import Layer, layer, mount


def played(*lines: str) -> Playground:
    playground = Playground(mount([layer({"/d/a": "1", "/b": "22"})], Layer(), history=HISTORY))
    for line in lines:
        list(playground.play(line))
    return playground


def test_the_calls_of_a_line_are_noted_with_whole_paths_callers_and_answers() -> None:
    calls = played("cd /d", "rm a", "su 5:6", "cat nothing").calls()

    unlink = next(call for call in calls if call.verb == "unlink")
    opened = [call for call in calls if call.verb == "open" and call.args[0] == "/d/nothing"]
    assert (unlink.args, unlink.caller.uid, unlink.answer) == (("/d/a",), 0, None)
    assert [(call.caller.uid, call.caller.gid, call.answer) for call in opened] == [(5, 6, {"errno": 2})]


def test_what_was_undone_is_not_replayed() -> None:
    playground = played("touch /x", "mkdir /y", "undo")

    assert not [call for call in playground.calls() if "/y" in call.args]


def test_devices_of_the_simulated_machine_are_not_the_unions() -> None:
    calls = played("echo x > /dev/null", "cat /dev/zero | head -c 3 > /z").calls()

    assert not [call for call in calls if str(call.args[:1]).startswith("('/dev")]


def test_what_the_kernel_did_otherwise_is_said_call_by_call() -> None:
    playground = played("rm /b")
    replay = Replay(playground.union, playground.calls())
    answers = [call.answer for call in replay.calls]
    at = next(number for number, call in enumerate(replay.calls) if call.verb == "unlink")
    answers[at] = {"errno": 1}
    found = {"answers": answers, "merged": {"/": "drwxr-xr-x 0:0"}, "upper": {"/": "drwxr-xr-x 0:0"}}

    said = replay.differences(json.dumps(found).encode())

    assert said[0] == "unlink('/b') by 0:0: the model says None, the kernel EPERM"
    assert "upper /b: the model has a whiteout, the kernel nothing" in said
