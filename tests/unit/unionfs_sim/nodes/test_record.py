"""Records: frozen nouns that do not cost what ``dataclasses`` costs, and behave as its own do."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from unionfs_sim import Caller, File, Options
from unionfs_sim.events import OpaqueMade, WhiteoutMade
from unionfs_sim.nodes.record import replace


def test_records_are_equal_by_type_and_fields() -> None:
    assert Caller(1, 2) == Caller(uid=1, gid=2)
    assert WhiteoutMade("/a") != OpaqueMade("/a")
    assert {Caller(1, 2): "x"}[Caller(1, 2)] == "x"


def test_records_cannot_change() -> None:
    with pytest.raises(AttributeError, match="uid cannot change"):
        Caller().uid = 5  # type: ignore[misc]


def test_fields_that_do_not_exist_are_refused() -> None:
    with pytest.raises(TypeError, match="no field 'uidd'"):
        Caller(uidd=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="lacks its field 'path'"):
        WhiteoutMade()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes 0 positions"):
        Options(True)  # type: ignore[misc]


def test_a_record_is_replaced_by_either_module() -> None:
    assert replace(Caller(1), umask=0) == dataclasses.replace(Caller(1), umask=0) == Caller(1, umask=0)  # type: ignore[type-var]


def test_records_match_by_position() -> None:
    match File("x", 0o600):
        case File(content, mode):
            assert (content, mode) == ("x", 0o600)


def test_importing_the_union_loads_no_dataclasses_and_no_openssl() -> None:
    code = (
        "import unionfs_sim, sys; print(sorted({'dataclasses', 'inspect', '_hashlib'} & sys.modules.keys()))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "[]\n"
