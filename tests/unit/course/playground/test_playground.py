"""The playground: a line, what it did, and the layers after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.playground.playground import HISTORY, Playground, Usage, play_all
from course.playground.text import fitted, width_of
from unionfs_sim import Dir, Layer, Options, RedirectDir, Union, layer, mount
from unionfs_sim.tar.pack import read_layer


def playground(*, columns: int = 100, lines: int = 40, **options: object) -> Playground:
    lowers = [layer({"/etc/motd": "hello", "/d/a": "1", "/d/b": "2", "/tmp": Dir(mode=0o1777)})]
    union = mount(lowers, Layer(), history=HISTORY, options=Options(**options))  # type: ignore[arg-type]
    return Playground(union, ("base",), window=lambda: (columns, lines))


def upper_of(union: Union) -> Layer:
    assert union.upper is not None
    return union.upper


def say(played: Playground, line: str) -> list[str]:
    return [each.text for each in played.play(line)]


def test_a_deletion_is_told_and_shown() -> None:
    assert say(playground(), "rm /d/a") == [
        "  1 name gone: 1 whiteout, 1 directory copied up, 0 bytes",
        "  ▲ copied up /d (directory)",
        "  ✗ whiteout for /d/a",
        "  path  base    upper     merged",
        "* /d    dir     dir       0755 0:0 dir",
        "- /d/a  file 1  whiteout",
    ]


def test_a_line_is_what_a_shell_makes_of_it() -> None:
    played = playground()
    for line in ("cd /d && X=new", "for n in 1 2; do echo $X.$n; done | sort -r > list; ls"):
        say(played, line)

    assert played.prompt == "/d # "
    assert say(played, "cat list | head -n 1") == ["new.2"]
    assert say(played, "find / -name 'm*'") == ["/etc/motd"]
    assert say(played, "rm -z; echo $?")[-1] == "1"
    assert say(played, "nosuch")[0].startswith("sh: nosuch: not found")


def test_what_was_typed_at_once_is_one_step_of_undo() -> None:
    played = playground()
    say(played, "rm -r /d && mkdir /d; touch /d/new")

    lines = say(played, "undo")

    assert lines[0] == "took back: rm -r /d && mkdir /d; touch /d/new"
    assert say(played, "cat /d/a") == ["1"]
    assert say(played, "redo")[0] == "did again: rm -r /d && mkdir /d; touch /d/new"
    assert say(played, "ls /d") == ["new"]
    assert say(played, "redo") == ["nothing to redo"]


def test_undo_takes_back_as_many_lines_as_it_is_told() -> None:
    played = playground()
    before = upper_of(played.union).copy()
    for line in ("touch /1", "ls /", "touch /2", "touch /3"):
        say(played, line)

    lines = say(played, "undo 2")

    assert [each for each in lines if each.startswith("took back")] == [
        "took back: touch /3",
        "took back: touch /2",
    ]
    assert say(played, "undo 5")[-1] == "nothing to undo"
    assert upper_of(played.union) == before


def test_undo_gives_back_the_very_upper() -> None:
    played = playground()
    before = upper_of(played.union).copy()
    for line in (
        "chmod 600 /etc/motd",
        "mv /etc/motd /moved",
        "rm -r /d",
        "ln -s moved /l",
        "echo x >> /moved",
    ):
        say(played, line)
    say(played, "undo 5")

    assert played.union.upper == before


def test_a_directory_of_a_lower_is_moved_name_by_name() -> None:
    assert say(playground(), "mv /d /e")[0].startswith("  3 names moved from /d to /e: 3 whiteouts, ")


def test_with_redirect_dir_it_is_renamed() -> None:
    lines = say(playground(redirect_dir=RedirectDir.ON), "mv /d /e")

    assert lines[0] == "  3 names moved from /d to /e: 1 whiteout, 1 directory copied up, 0 bytes"
    assert "  ↪ redirect: the lower part of /d stays at d" in lines


def test_cost_adds_up() -> None:
    played = playground()
    say(played, "chmod 600 /etc/motd")

    assert say(played, "cost")[0] == "so far: 1 file copied up, 1 directory copied up, 5 bytes"


def test_diff_says_what_the_layer_adds_changes_and_deletes() -> None:
    played = playground()
    say(played, "rm /d/a; touch /new; chmod 600 /etc/motd")

    assert say(played, "diff") == ["C /d", "D /d/a", "C /etc", "C /etc/motd", "A /new"]


def test_why_names_the_line_since_which_it_is_so() -> None:
    played = playground()
    say(played, "touch /elsewhere")
    say(played, "rm /d/a")
    say(played, "rm -r /etc")

    assert say(played, "cd /d; true") == []
    assert say(played, "why a")[-1] == "  the upper has /d/a like this since: rm /d/a"
    assert say(played, "why /etc/motd")[-1] == "  the upper has /etc like this since: rm -r /etc"
    say(played, "undo")
    assert say(played, "why /etc/motd")[-1] == "  base answers: it is the topmost layer that has it"


def test_another_user_is_refused() -> None:
    played = playground()
    say(played, "su 1000")

    assert say(played, "echo x > /etc/motd")[0].endswith("Permission denied")
    assert played.prompt == "/ $ "
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


def test_export_of_a_variable_is_the_shells() -> None:
    played = playground()
    say(played, "export X=1")

    assert say(played, "env | grep ^X") == ["X=1"]


@pytest.mark.parametrize(
    "line", ["why", "why /a /b", "su x", "export", "su 1:2:3", "undo x", "undo 0", "why 'a"]
)
def test_a_word_that_is_used_wrongly_is_a_usage(line: str) -> None:
    with pytest.raises(Usage):
        say(playground(), line)


def test_help_of_a_word_says_what_it_does_or_what_was_meant() -> None:
    played = playground()

    assert say(played, "help undo")[0].startswith("undo [N]: take the last N lines back")
    assert "as in busybox" in say(played, "help sed")[0]
    assert say(played, "help udno") == ["udno: no such command; did you mean undo?"]


def test_exit_and_quit_leave() -> None:
    for line in ("quit", "exit", "exit 3"):
        with pytest.raises(EOFError):
            say(playground(), line)


@pytest.mark.parametrize(
    "line", ["echo 'open", "break", "f() {", "echo ${x", "cat < /nope", "return 3", "yes | head -n 3"]
)
def test_a_line_that_goes_wrong_does_not_end_the_session(line: str) -> None:
    played = playground()
    say(played, line)

    assert say(played, "echo still here") == ["still here"]


def test_tab_completes_commands_and_paths_of_the_union() -> None:
    played = playground()
    say(played, "cd /d")

    assert "undo " in played.completions("un", "un")
    assert "find " in played.completions("fi", "fi")
    assert played.completions("/e", "cat /e") == ["/etc/"]
    assert played.completions("/etc/m", "cat /etc/m") == ["/etc/motd"]
    assert played.completions("", "cat ") == ["a", "b"]
    assert played.completions("../t", "ls ../t") == ["../tmp/"]
    assert played.completions("/none/", "ls /none/") == []


def test_a_script_says_which_of_its_lines_is_wrong() -> None:
    with pytest.raises(Usage, match="line 3: why PATH"):
        list(play_all(playground(), ["# comment", "mkdir /x", "why"]))


def test_a_name_with_control_characters_cannot_write_to_the_terminal() -> None:
    played = playground()
    lines = say(played, "touch '/a\x1b[31m'; ls")

    assert not any("\x1b" in line for line in lines)
    assert any("/a\\x1b[31m" in line for line in lines)


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
def test_a_long_table_hides_nothing_that_changed_and_fits_the_window(columns: int) -> None:
    lowers = [
        layer({f"/many/{n}{'x' * 30}": "x" for n in range(300)}),
        layer({"/b": "2"}),
        layer({"/c": "3"}),
    ]
    union = mount(lowers, Layer(), history=HISTORY)
    played = Playground(
        union, ("the first layer", "the second layer", "the third"), window=lambda: (columns, 24)
    )
    say(played, "rm /many/1*")

    lines = [each.text for each in played.show()]

    gone = [line for line in lines if line.startswith("- ")]
    assert len(gone) == 111
    assert all("whiteout" in line for line in gone)
    assert max(map(width_of, lines)) <= max(columns, 70)
    assert "more paths, all as they were" in lines[-1]
    assert len(say(played, "show all")) > 300


@pytest.mark.parametrize("width", range(12))
def test_a_fitted_text_takes_exactly_the_room_it_is_given(width: int) -> None:
    for text in ("", "abc", "abcdefghijklmnop", "层一层一层一层", "a层b层c层"):
        assert width_of(fitted(text, width)) == width


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
    list(play_all(again, (tmp_path / "script").read_text().splitlines()))
    assert upper_of(again.union) == upper_of(played.union)


def test_save_overwrites_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="File exists"):
        say(playground(), f"save {tmp_path}")
