"""Real programs on the model: what they do through a FUSE mount is what they would do on overlayfs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.fuse


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    folder = tmp_path / "lower"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "motd").write_text("hello\n")
    (folder / "d").mkdir()
    (folder / "d" / "a").write_text("1")
    return folder


def run_on_the_union(lower: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    target = lower.parent / "merged"
    target.mkdir(exist_ok=True)
    argv = [sys.executable, "-m", "course", "fs", "mount", *options, "--lower", str(lower), str(target)]
    done = subprocess.run(
        [*argv, "--", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert "a bug in the file system" not in done.stderr
    return done


def test_the_command_sees_the_merged_view_and_its_status_is_the_answer(lower: Path) -> None:
    done = run_on_the_union(lower, "cat etc/motd; exit 7")

    assert (done.stdout, done.returncode) == ("hello\n", 7)


def test_the_example_of_the_help_page_works() -> None:
    from course.playground.cli import mount_for_real

    page = mount_for_real.get_help(click.Context(mount_for_real, info_name="mount"))
    (line,) = [line for line in page.splitlines() if line.strip().startswith("layerlab fs mount")]
    argv = [sys.executable, "-m", "course", *shlex.split(line)[1:]]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)

    assert "Dockerfile" in done.stdout
    assert done.returncode == 0


def test_the_lower_stays_as_it_is(lower: Path) -> None:
    done = run_on_the_union(lower, "echo more >> etc/motd && rm -r d && mkdir d && ls d && cat etc/motd")

    assert done.stdout == "hello\nmore\n"
    assert (lower / "etc" / "motd").read_text() == "hello\n"
    assert (lower / "d" / "a").exists()


def test_nothing_stays_mounted(lower: Path) -> None:
    run_on_the_union(lower, "true")

    assert "layerlab" not in Path("/proc/self/mounts").read_text()
    assert os.listdir(lower.parent / "merged") == []


def test_a_lower_directory_cannot_be_renamed_but_mv_copies_it(lower: Path) -> None:
    code = "import os, errno\ntry: os.rename('d', 'e')\nexcept OSError as e: print(errno.errorcode[e.errno])"
    done = run_on_the_union(lower, f'{sys.executable} -c "{code}"; mv d f && cat f/a && echo && ls')

    assert done.stdout.split() == ["EXDEV", "1", "etc", "f"]


def test_rename_flags_are_kept(lower: Path) -> None:
    """The kernel's renameat2: a server that drops the flags answers 0 and destroys a file."""
    code = (
        "import ctypes, errno; libc = ctypes.CDLL(None, use_errno=True);"
        "call = lambda f: libc.renameat2(-100, b'etc/motd', -100, b'd/a', f) and "
        "errno.errorcode[ctypes.get_errno()];"
        "print(call(1), call(2), open('d/a').read().strip(), open('etc/motd').read(), call(4))"
    )
    done = run_on_the_union(lower, f'{sys.executable} -c "{code}"')

    assert done.stdout.split() == ["EEXIST", "0", "hello", "1", "EINVAL"]


def test_hard_links_symlinks_fifos_and_attributes(lower: Path) -> None:
    script = (
        "ln etc/motd etc/two && stat -c %h etc/motd && ln -s motd etc/sym && cat etc/sym && mkfifo p "
        "&& stat -c %F p && chmod 640 etc/motd && stat -c %a etc/two && touch -d @5 etc/motd "
        "&& stat -c %Y etc/motd"
    )

    done = run_on_the_union(lower, script)

    assert done.stdout.split("\n")[:-1] == ["2", "hello", "fifo", "640", "5"]


def test_a_union_without_an_upper_is_read_only(lower: Path) -> None:
    done = run_on_the_union(lower, "cat etc/motd; touch new", "--read-only")

    assert done.stdout == "hello\n"
    assert "Read-only file system" in done.stderr


def test_a_command_that_does_not_exist_is_127(lower: Path) -> None:
    target = lower.parent / "merged"
    target.mkdir()
    argv = [
        sys.executable,
        "-m",
        "course",
        "fs",
        "mount",
        "--lower",
        str(lower),
        str(target),
        "--",
        "no-such-command",
    ]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 127
    assert "no-such-command" in done.stderr


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_a_compiler_and_its_program_run(lower: Path) -> None:
    script = r"""printf '#include <stdio.h>\nint main(){puts("hi");}\n' > h.c && gcc h.c && ./a.out"""

    assert run_on_the_union(lower, script).stdout == "hi\n"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_and_tar_work(lower: Path) -> None:
    script = (
        "git init -q g && cd g && cp ../etc/motd f && git add f "
        "&& git -c user.name=n -c user.email=e commit -qm m && git status --short && git fsck 2>&1 && cd .. "
        "&& tar cf t.tar g etc && tar df t.tar && tar tf t.tar | grep -c ."
    )

    done = run_on_the_union(lower, script)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 10


def test_names_of_any_bytes_and_of_255_bytes(lower: Path) -> None:
    script = r"""n=$(printf '\377x'); touch "$n" && ls | od -c | grep -c 377
    touch $(printf 'a%.0s' $(seq 255)) && echo ok
    touch $(printf 'a%.0s' $(seq 256)) 2>&1 | grep -o 'File name too long'"""

    assert run_on_the_union(lower, script).stdout.split("\n")[:3] == ["1", "ok", "File name too long"]


@pytest.mark.parametrize("options", [(), ("--no-cache",)])
def test_five_hundred_files_come_and_go(lower: Path, options: tuple[str, ...]) -> None:
    script = (
        "mkdir m && for i in $(seq 500); do echo $i > m/$i; done; ls m | wc -l; cat m/* | wc -l; rm -r m; ls"
    )

    assert run_on_the_union(lower, script, *options).stdout.split() == ["500", "500", "d", "etc"]
