"""The playground: a command, what it did, and the layers after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from unionfs_sim import Dir, Layer, Options, RedirectDir, Union, layer, mount
from unionfs_sim.commands import COMMANDS
from unionfs_sim.playground import HISTORY, Playground, Usage, play_all
from unionfs_sim.tar.pack import read_layer


def playground(**options: object) -> Playground:
    lowers = [layer({"/etc/motd": "hello", "/d/a": "1", "/d/b": "2", "/tmp": Dir(mode=0o1777)})]
    union = mount(lowers, Layer(), history=HISTORY, options=Options(**options))  # type: ignore[arg-type]
    made = Playground(union, ("base",))
    made.show()
    return made


def upper_of(union: Union) -> Layer:
    assert union.upper is not None
    return union.upper


def say(played: Playground, line: str) -> list[str]:
    return list(played.play(line))


def test_a_deletion_is_told_and_shown() -> None:
    lines = say(playground(), "rm /d/a")

    assert lines[:2] == ["  ▲ copied up /d (directory)", "  ✗ whiteout for /d/a"]
    assert "*  /d/a       file 1  whiteout" in lines


def test_echo_writes_and_appends() -> None:
    played = playground()
    say(played, "echo one > /new")
    say(played, "echo two >> /new")

    assert say(played, "cat /new") == ["one", "two"]


def test_one_command_is_one_step_of_undo() -> None:
    played = playground()
    say(played, "rm -r /d")
    say(played, "mkdir /d")

    assert say(played, "undo") and say(played, "undo")

    assert say(played, "undo") == ["nothing to undo"]
    assert say(played, "cat /d/a") == ["1"]
    assert say(played, "redo") and say(played, "redo")
    assert say(played, "redo") == ["nothing to redo"]
    assert say(played, "ls /d") == []


def test_undo_gives_back_the_very_upper() -> None:
    played = playground()
    before = upper_of(played.union).copy()
    for line in (
        "chmod 600 /etc/motd",
        "mv /etc/motd /moved",
        "rm -r /d",
        "ln -s moved /l",
        "truncate -s 2 /moved",
    ):
        say(played, line)
    for _ in range(5):
        say(played, "undo")

    assert played.union.upper == before


def test_a_directory_of_a_lower_is_copied_by_mv() -> None:
    lines = say(playground(), "mv /d /e")

    assert lines[0] == "EXDEV: the directory lies in a lower layer; mv copies it instead"
    assert any("whiteout" in line and "/d " in line for line in lines)


def test_with_redirect_dir_it_is_renamed() -> None:
    lines = say(playground(redirect_dir=RedirectDir.ON), "mv /d /e")

    assert not any("EXDEV" in line for line in lines)
    assert any("redirect" in line for line in lines)


def test_cost_adds_up() -> None:
    played = playground()
    say(played, "chmod 600 /etc/motd")

    assert say(played, "cost")[0] == "so far 2 copies up, 5 bytes; 0 whiteouts"


def test_why_names_the_line_since_which_it_is_so() -> None:
    played = playground()
    say(played, "touch /elsewhere")
    say(played, "rm /d/a")
    say(played, "rm -r /etc")

    assert say(played, "why /d/a")[-1] == "  the upper has /d/a like this since: rm /d/a"
    assert say(played, "why /etc/motd")[-1] == "  the upper has /etc like this since: rm -r /etc"
    say(played, "undo")
    assert say(played, "why /etc/motd")[-1] == "  base answers: it is the topmost layer that has it"


def test_another_user_is_refused() -> None:
    played = playground()
    say(played, "su 1000")

    assert say(played, "echo x > /etc/motd") == ["echo: /etc/motd: Permission denied"]
    assert say(played, "touch /tmp/mine")
    say(played, "su 0")
    assert say(played, "echo x > /etc/motd")


def test_export_writes_the_upper_as_a_layer(tmp_path: Path) -> None:
    played = playground()
    say(played, "rm /d/a")

    say(played, f"export {tmp_path / 'layer.tar'}")

    with (tmp_path / "layer.tar").open("rb") as file:
        assert read_layer(file).lstat("/d/a").st_rdev == 0
    with pytest.raises(Usage, match="File exists"):
        say(played, f"export {tmp_path / 'layer.tar'}")


@pytest.mark.parametrize(
    "line", ["rmm /d", "echo 'a", "echo a > ", "echo > a b", "why", "su x", "export", "su 1:2:3"]
)
def test_a_line_that_is_no_command_is_a_usage(line: str) -> None:
    with pytest.raises(Usage):
        say(playground(), line)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_survives_wrong_operands(name: str) -> None:
    for words in ("", "-z", "/absent", "/absent /absent2 /absent3", "999 /d", "/ /", "-s"):
        for line in say(playground(), f"{name} {words}"):
            assert "Traceback" not in line


def test_the_nearest_command_is_named() -> None:
    with pytest.raises(Usage, match="did you mean mkdir"):
        say(playground(), "mkdirr /x")


def test_a_script_stops_at_a_line_that_is_no_command_and_names_it() -> None:
    with pytest.raises(Usage, match="line 3: nonsense: no such command"):
        list(play_all(playground(), ["# comment", "mkdir /x", "nonsense"], str))


def test_a_name_with_control_characters_cannot_write_to_the_terminal() -> None:
    played = playground()
    lines = say(played, "touch '/a\x1b[31m'")

    assert not any("\x1b" in line for line in lines)
    assert any("/a\\x1b[31m" in line for line in lines)


def test_a_long_table_shows_what_changed() -> None:
    union = mount([layer({f"/many/f{n:04}": "x" for n in range(300)})], Layer(), history=HISTORY)
    played = Playground(union)
    played.show()

    lines = say(played, "rm /many/f0007")

    assert any("/many/f0007" in line and "whiteout" in line for line in lines)
    assert "more paths that nothing changed" in lines[-1]
    assert len(lines) < 50


def test_undoing_ten_thousand_operations_copies_no_tree() -> None:
    big = layer({f"/d{n % 100}/f{n}": "x" for n in range(50_000)}).freeze()
    union = mount([big], Layer(), history=HISTORY)
    before = upper_of(union).copy()
    for n in range(10_000):
        union.unlink(f"/d{n % 100}/f{n}")
    undone = sum(union.undo() for _ in range(10_000))

    assert undone == 10_000
    assert union.upper == before
    assert union.exists("/d0/f0")


def test_save_writes_the_commands_that_count_for_a_replay(tmp_path: Path) -> None:
    played = playground()
    for line in (
        "rm /d/a",
        "ls /d",
        "mkdir /e",
        "undo",
        "su 1000",
        "touch /tmp/x",
        "undo",
        "redo",
        "why /d/a",
    ):
        say(played, line)

    say(played, f"save {tmp_path / 'script'}")

    assert (tmp_path / "script").read_text() == "rm /d/a\nls /d\nsu 1000\ntouch /tmp/x\n"
    again = playground()
    list(play_all(again, (tmp_path / "script").read_text().splitlines(), str))
    assert upper_of(again.union) == upper_of(played.union)


def test_save_overwrites_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="File exists"):
        say(playground(), f"save {tmp_path}")
