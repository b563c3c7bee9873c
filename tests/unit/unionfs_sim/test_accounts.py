"""Who a name or a number is inside a tree (passwd(5), group(5); OCI image-spec config.md, "User")."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unionfs_sim import accounts, layer, mount
from unionfs_sim.accounts import Identity, IdRangeError, UnknownAccountError
from unionfs_sim.host.directory import HostDirectory
from unionfs_sim.layers.layer import Layer, Symlink

PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:50::/home/app:/bin/sh\n"
GROUP = "root:x:0:\nstaff:x:50:\nweb:x:33:other,app\n"


def tree() -> Layer:
    return layer({"/etc/passwd": PASSWD, "/etc/group": GROUP})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Identity(0, 0, frozenset(), "/root")),
        ("app", Identity(1000, 50, frozenset({33}), "/home/app")),
        ("1000", Identity(1000, 50, frozenset({33}), "/home/app")),
        ("4711", Identity(4711, 0, frozenset(), "/")),
        ("app:web", Identity(1000, 33, frozenset(), "/home/app")),
        ("4711:4712", Identity(4711, 4712, frozenset(), "/")),
    ],
)
def test_a_command_runs_as_whom_user_names(text: str, expected: Identity) -> None:
    assert accounts.identity(tree(), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("app", (1000, 50)), ("app:web", (1000, 33)), ("7", (7, 7)), ("7:0", (7, 0)), (":web", (0, 33))],
)
def test_a_copied_file_belongs_to_whom_chown_names(text: str, expected: tuple[int, int]) -> None:
    assert accounts.owner(tree(), text) == expected


@pytest.mark.parametrize("find", [accounts.identity, accounts.owner])
def test_a_name_that_the_tree_does_not_know_is_refused_with_those_that_it_knows(find) -> None:
    with pytest.raises(UnknownAccountError) as caught:
        find(tree(), "nobody")
    assert caught.value.known == ("root", "app")

    with pytest.raises(UnknownAccountError, match="no group 'none' in the image's /etc/group"):
        find(tree(), "app:none")


@pytest.mark.parametrize("find", [accounts.identity, accounts.owner])
@pytest.mark.parametrize("text", ["4294967295", "0:4294967295", "9" * 5000])
def test_a_number_that_no_id_can_be_is_refused(find, text: str) -> None:
    with pytest.raises(IdRangeError):
        find(tree(), text)


def test_a_union_and_a_real_directory_are_read_as_a_layer_is(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text(PASSWD)
    (tmp_path / "etc" / "group").write_text(GROUP)
    union = mount(lowers=[tree()], upper=Layer())

    assert accounts.users(union) == accounts.users(tree()) == accounts.users(HostDirectory(str(tmp_path)))
    assert accounts.groups(union) == accounts.groups(tree()) == accounts.groups(HostDirectory(str(tmp_path)))


def test_a_link_in_a_real_directory_leads_to_no_file_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    os.symlink("/etc/passwd", tmp_path / "etc" / "passwd")

    assert accounts.users(HostDirectory(str(tmp_path))) == []


def test_a_link_to_the_file_is_followed_and_a_fifo_names_nobody() -> None:
    linked = layer({"/etc/passwd": Symlink("/usr/etc/passwd"), "/usr/etc/passwd": PASSWD})
    fifo = layer({"/etc/hosts": ""})
    fifo.mknod("/etc/passwd", 0o010644)

    assert [user.name for user in accounts.users(linked)] == ["root", "app"]
    assert accounts.users(fifo) == []


@given(st.binary(max_size=200))
def test_whatever_the_files_hold_a_number_can_be_used(content: bytes) -> None:
    odd = layer({"/etc/passwd": content, "/etc/group": content})

    assert accounts.identity(odd, "70000:70001") == Identity(
        70000, 70001, home=accounts.identity(odd, "70000").home
    )
    assert accounts.owner(odd, "70000") == (70000, 70000)


def test_digits_that_are_not_ascii_are_no_number() -> None:
    assert accounts.users(layer({"/etc/passwd": "a:x:²:0::/:\nb:x:1:²::/:\nc:x:2:3\n"})) == [
        accounts.User("c", "x", 2, 3, "", "", "")
    ]
