"""A playground's script once more on the kernel's overlayfs, from the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

SCRIPT = """
mkdir /etc && cd /etc
mv /d /e
chmod 600 /e/a; ln /e/b /bb
rm -r /e
undo
mkfifo /p
ln -s /etc/none /s; cat /s
for n in 1 2 3; do echo $n >> /list; done; sort -r /list | tee /tsil | wc -l
cp -r /e /f && rm /f/a
rm /nothing
find / -type f -exec chmod o+r {} +
ls -l / | grep ^d
(umask 077; echo hidden > /secret); stat /secret
sed -i s/1/one/ /list
tar -cf /t.tar /e && tar -tf /t.tar
"""
USERS = "su 1000:1000\ntouch /mine; rm /motd; cat /secret\nsu 0\nchown 5:6 /motd\nrm /mine\n"
SAME = "the kernel answered, shows and stored the same"


def play(tmp_path: Path, script: str, *options: str, user: Sequence[str] = ()) -> tuple[int, str]:
    lower = tmp_path / "lower"
    (lower / "d").mkdir(parents=True)
    (lower / "d" / "a").write_text("1")
    (lower / "d" / "b").write_text("22")
    (lower / "motd").write_text("hello\n")
    argv = [*user, sys.executable, "-m", "course", "fs", "play", "-", "--real", "--lower", str(lower)]
    done = subprocess.run(
        [*argv, *options], input=script, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout.strip().rpartition("\n")[2].partition(": ")[2] + done.stderr


@pytest.mark.kernel
@pytest.mark.parametrize(
    "options", ["", "redirect_dir=on", "redirect_dir=on,metacopy=on,index=on", "userxattr", "xino=on"]
)
def test_the_kernel_prints_shows_and_stores_what_the_model_does(tmp_path: Path, options: str) -> None:
    assert play(tmp_path, SCRIPT + USERS, "-o", options) == (0, SAME)


@pytest.mark.kernel
def test_a_union_without_an_upper_refuses_alike(tmp_path: Path) -> None:
    status, said = play(tmp_path, SCRIPT, "--read-only")

    assert (status, said) == (0, SAME)


@pytest.mark.kernel
def test_nothing_stays_mounted(tmp_path: Path) -> None:
    before = Path("/proc/self/mounts").read_text()

    play(tmp_path, SCRIPT)

    assert Path("/proc/self/mounts").read_text() == before


@pytest.mark.rootless
def test_a_user_namespace_is_enough(tmp_path: Path) -> None:
    status, said = play(tmp_path, SCRIPT, user=_as_somebody())

    assert (status, said) == (0, SAME)


@pytest.mark.rootless
def test_other_users_need_root(tmp_path: Path) -> None:
    status, said = play(tmp_path, USERS, user=_as_somebody())

    assert status == 1
    assert "su and chown cannot be replayed without root" in said


def _as_somebody() -> list[str]:
    """Uid 1000 of a user namespace, so that Python still may read its own library."""
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
