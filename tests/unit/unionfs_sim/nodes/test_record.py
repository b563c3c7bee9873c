"""Records: frozen nouns that do not cost what ``dataclasses`` costs, and behave as its own do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from typing import ClassVar, Generic, TypeVar

import pytest

from unionfs_sim import Caller, File, Options
from unionfs_sim.events import OpaqueMade, WhiteoutMade
from unionfs_sim.nodes.record import Record, field, fields, replace


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


class Named(Record, kw_only=True):
    """What all have."""

    kind: ClassVar[str] = "any"
    name: str
    source: str = field(default="", repr=False)


class Stage(Named, kw_only=True):
    """With fields of its own."""

    kind: ClassVar[str] = "stage"
    steps: list[str] = field(default_factory=list)
    raw: bytes | None = field(default=None, compare=False, repr=False)
    labels: dict[str, str] = field(default_factory=dict, hash=False)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AsStandard:
    """The same as a dataclass."""

    name: str
    source: str = dataclasses.field(default="", repr=False)
    steps: list[str] = dataclasses.field(default_factory=list)
    raw: bytes | None = dataclasses.field(default=None, compare=False, repr=False)
    labels: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)


def test_a_record_has_the_fields_of_the_record_that_it_derives_from_first() -> None:
    assert fields(Stage) == tuple(each.name for each in dataclasses.fields(AsStandard))


def test_what_is_said_of_a_field_is_what_a_dataclass_says() -> None:
    told, standard = (
        [(f.name, f.default, f.default_factory, f.repr, f.compare) for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
        for kind in (Stage, AsStandard)
    )

    assert told == standard


def test_what_is_hidden_from_repr_and_comparison_is_what_a_dataclass_hides() -> None:
    one, other = Stage(name="a", source="x", raw=b"1"), Stage(name="a", source="x", raw=b"2")

    assert repr(one) == repr(AsStandard(name="a", source="x", raw=b"1")).replace("AsStandard", "Stage")
    assert one == other
    assert one != Stage(name="a", source="y", raw=b"1")


def test_what_is_hidden_from_hash_may_be_unhashable() -> None:
    assert hash(Stage(name="a", steps=(), labels={"a": "b"})) == hash(Stage(name="a", steps=()))  # type: ignore[arg-type]


def test_a_default_that_is_made_is_made_each_time() -> None:
    one, other = Stage(name="a"), Stage(name="b")
    one.steps.append("x")

    assert other.steps == []
    assert replace(one, name="c").steps is one.steps


def test_the_standard_librarys_functions_take_a_record() -> None:
    stage = Stage(name="a", labels={"k": "v"})

    assert dataclasses.asdict(stage) == dataclasses.asdict(AsStandard(name="a", labels={"k": "v"}))  # type: ignore[call-overload]
    assert dataclasses.replace(stage, name="b") == Stage(name="b", labels={"k": "v"})  # type: ignore[type-var]


@pytest.mark.parametrize("record", [Stage(name="a"), Caller(1)])
def test_a_record_survives_being_pickled_and_copied(record: Record) -> None:
    assert pickle.loads(pickle.dumps(record)) == copy.copy(record) == copy.deepcopy(record) == record


def test_a_generic_record_takes_its_argument() -> None:
    assert Boxed[int](3) == Boxed(3)


T = TypeVar("T")


class Boxed(Record, Generic[T]):
    """Something in something."""

    content: T


def test_importing_the_union_loads_no_dataclasses_and_no_openssl() -> None:
    code = (
        "import unionfs_sim, sys; print(sorted({'dataclasses', 'inspect', '_hashlib'} & sys.modules.keys()))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "[]\n"
