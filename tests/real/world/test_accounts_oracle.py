"""useradd and groupadd against Debian's own, told to work below a prefix."""

from __future__ import annotations

import os
import re
import stat
import subprocess

import pytest

pytestmark = [pytest.mark.tools("/usr/sbin/useradd"), pytest.mark.kernel]

CASES = [
    "useradd app",
    "useradd -m app",
    "useradd -u 1234 app",
    "useradd -m -u 1234 -s /bin/bash -d /srv/app -c 'A B' app",
    "useradd -r app",
    "useradd --system --no-create-home --shell /bin/false app",
    "groupadd crew",
    "groupadd -g 4000 crew",
    "groupadd -r crew",
    "groupadd -r crew && useradd -r -g crew app",
    "groupadd crew && useradd -g crew -G staff,users app",
    "useradd app && useradd other",
    "useradd -r one && useradd -r two",
    "useradd -u 0 app",
    "useradd root",
    "useradd -g none app",
    "useradd -G none app",
    "useradd -N app",
    "groupadd staff",
    "groupadd -f staff",
    "groupadd -g 0 crew",
    "useradd app && userdel app",
    "userdel none",
    "groupadd crew && groupdel crew",
    "groupdel none",
]


@pytest.mark.parametrize("script", CASES)
def test_accounts_are_made_as_debian_makes_them(machine, tmp_path, script):
    here = machine("debian:12-slim")
    (tmp_path / "etc/default").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "srv").mkdir()
    for name in ("passwd", "group", "shadow", "gshadow", "login.defs", "default/useradd"):
        (tmp_path / "etc" / name).write_bytes(here.fs.read_bytes(f"/etc/{name}"))

    below = re.sub(r"\b((?:user|group)(?:add|del))\b", rf"/usr/sbin/\1 -P {tmp_path}", script)
    real = subprocess.run(
        ["sh", "-c", f"umask 022; {below}"], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    status, output = here.run(script)

    told = (real.stdout + real.stderr).decode().replace(str(tmp_path), "")
    assert (status, output) == (real.returncode, told)
    for name in ("passwd", "group", "gshadow"):
        assert here.fs.read_bytes(f"/etc/{name}").decode() == (tmp_path / "etc" / name).read_text()
    for path in ("/home/app", "/srv/app"):
        assert here.fs.exists(path) == os.path.exists(f"{tmp_path}{path}")
        if here.fs.exists(path):
            made, wanted = here.fs.lstat(path), os.lstat(f"{tmp_path}{path}")
            assert (made.st_uid, made.st_gid) == (wanted.st_uid, wanted.st_gid)
            assert stat.S_IMODE(made.st_mode) == stat.S_IMODE(wanted.st_mode)
