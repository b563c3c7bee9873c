"""useradd and groupadd against Debian's own, told to work below a prefix."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import oracles
import pytest
from oracles import recorded

from builder.world.supplies import bases
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import mount

WRITTEN = ("passwd", "group", "gshadow")
READ = (*WRITTEN, "shadow", "login.defs", "default/useradd")
HOMES = ("/home/app", "/srv/app")
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


def useradd() -> str | None:
    """Why Debian's useradd cannot be asked here."""
    return "needs root" if os.geteuid() != 0 else oracles.lacks("/usr/sbin/useradd")


def asked(place: Path, files: Mapping[str, bytes], script: str) -> list[Any]:
    """What Debian's tools did below ``place``: status, words, the files they write, owners of homes."""
    for name in ("etc/default", "home", "srv"):
        (place / name).mkdir(parents=True)
    for name, content in files.items():
        (place / "etc" / name).write_bytes(content)
    below = re.sub(r"\b((?:user|group)(?:add|del))\b", rf"/usr/sbin/\1 -P {place}", script)
    real = subprocess.run(
        ["sh", "-c", f"umask 022; {below}"], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    told = (real.stdout + real.stderr).decode().replace(str(place), "")
    homes = {path: owned(os.lstat(f"{place}{path}")) for path in HOMES if os.path.exists(f"{place}{path}")}
    return [real.returncode, told, [(place / "etc" / name).read_text() for name in WRITTEN], homes]


def owned(status: Any) -> list[int]:
    """Owner, group and permissions."""
    return [status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)]


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What Debian's tools did for each script, or did once."""
    image = bases.find("debian:12-slim")
    assert image is not None
    fs = mount(lowers=list(image.layers), upper=Layer())
    files = {name: fs.read_bytes(f"/etc/{name}") for name in READ}

    def ask() -> dict[str, list[Any]]:
        return {script: asked(tmp_path_factory.mktemp("root"), files, script) for script in CASES}

    answers: dict[str, list[Any]] = recorded("accounts", useradd, ask)
    return answers


@pytest.mark.parametrize("script", CASES)
def test_accounts_are_made_as_debian_makes_them(machine, debian, script):
    here = machine("debian:12-slim")
    wanted, told, files, homes = debian[script]

    status, output = here.run(script)

    assert (status, output) == (wanted, told)
    assert [here.fs.read_bytes(f"/etc/{name}").decode() for name in WRITTEN] == files
    found = {path: owned(here.fs.lstat(path)) for path in HOMES if here.fs.exists(path)}
    assert found == homes
