"""Which ids each of the three callers gets."""

from __future__ import annotations

import pytest

from builder.errors import BuildError
from builder.namespace import idmap
from builder.namespace.idmap import Caller, IdMap, Machine, Row, choose

EVERY_ID = "         0          0 4294967295\n"


def machine(**changes: object) -> Machine:
    known: dict[str, object] = {
        "uid": 1000,
        "gid": 1001,
        "name": "eve",
        "uid_map": EVERY_ID,
        "gid_map": EVERY_ID,
        "subuid": "",
        "subgid": "",
        "tools": True,
    }
    return Machine(**{**known, **changes})  # type: ignore[arg-type]


def test_root_gets_ids_of_its_own_and_never_the_machines_root() -> None:
    ids = choose(machine(uid=0, gid=0, name="root"))

    assert ids.caller is Caller.ROOT
    assert ids.root == (100_000, 100_000)
    assert str(ids.uids[0]) == "0 100000 65536"


def test_what_etc_subuid_gives_root_is_taken() -> None:
    ids = choose(machine(uid=0, gid=0, name="root", subuid="root:5000:99\n", subgid="root:6000:99\n"))

    assert (str(ids.uids[0]), str(ids.gids[0])) == ("0 5000 99", "0 6000 99")


def test_root_of_a_user_namespace_hands_on_what_there_is() -> None:
    text = "0 1000 1\n1 100000 65536\n"
    ids = choose(machine(uid=0, gid=0, uid_map=text, gid_map=text))

    assert ids.caller is Caller.ROOT
    assert [str(row) for row in (*ids.uids, *ids.gids)] == ["0 0 1", "1 1 65536"] * 2


def test_root_of_a_user_namespace_with_one_id_has_no_more_to_give() -> None:
    ids = choose(machine(uid=0, gid=0, uid_map="0 1000 1\n", gid_map="0 1000 1\n"))

    assert ids.caller is Caller.SINGLE
    assert [str(row) for row in (*ids.uids, *ids.gids)] == ["0 0 1", "0 0 1"]


def test_a_user_with_subordinate_ids_is_root_inside_and_has_them_beside() -> None:
    ids = choose(machine(subuid="bob:1:2\neve:100000:65536\n", subgid="eve:200000:65536\n"))

    assert ids.caller is Caller.RANGE
    assert [str(row) for row in ids.uids] == ["0 1000 1", "1 100000 65536"]
    assert [str(row) for row in ids.gids] == ["0 1001 1", "1 200000 65536"]
    assert ids.note == ""


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({}, "/etc/subuid"),
        ({"subuid": "eve:1:2"}, "/etc/subgid"),
        ({"subuid": "eve:1:2", "subgid": "eve:1:2", "tools": False}, "uidmap"),
    ],
)
def test_a_user_without_has_one_id_and_learns_what_would_give_more(changes: dict, lacking: str) -> None:
    ids = choose(machine(**changes))

    assert ids.caller is Caller.SINGLE
    assert [str(row) for row in (*ids.uids, *ids.gids)] == ["0 1000 1", "0 1001 1"]
    assert lacking in ids.note
    assert "as root" in ids.note


def test_broken_lines_of_subuid_give_nothing() -> None:
    text = "eve\neve:\neve:x:1\neve:5:0\n:1:2\n# eve:1:2\neve:7:8"

    assert idmap.subordinate(text, "eve", 1000) == (7, 8)


def test_maps_of_different_widths_have_different_names() -> None:
    one = IdMap(Caller.SINGLE, (Row(0, 1000, 1),), (Row(0, 1000, 1),))
    many = IdMap(Caller.RANGE, (Row(0, 1000, 1), Row(1, 100000, 65536)), (Row(0, 1000, 1),))

    assert one.name != many.name


def test_where_newuidmap_refuses_one_id_is_written_and_the_reason_kept(monkeypatch) -> None:
    written: dict[str, str] = {}
    monkeypatch.setattr(idmap, "_put", lambda path, text: written.__setitem__(path, text))
    monkeypatch.setattr(idmap, "_text", lambda path: "")
    ids = choose(machine(subuid="eve:100000:65536", subgid="eve:100000:65536"))

    def refuse(command: object) -> None:
        raise BuildError("newuidmap refuses: no setuid bit")

    got = idmap.write(ids, 77, run=refuse)

    assert got.caller is Caller.SINGLE
    assert "no setuid bit" in got.note
    assert written == {
        "/proc/77/setgroups": "deny",
        "/proc/77/uid_map": "0 1000 1",
        "/proc/77/gid_map": "0 1001 1",
    }
