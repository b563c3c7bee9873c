"""Commands with the powers of a container; nothing of the machine changes, a canary tells who got out."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

DEFAULT = (
    "audit_write",
    "chown",
    "dac_override",
    "fowner",
    "fsetid",
    "kill",
    "mknod",
    "net_bind_service",
    "net_raw",
    "setfcap",
    "setgid",
    "setpcap",
    "setuid",
    "sys_chroot",
)
"""The capabilities of a container that says nothing."""

_MAP = """
import ctypes, os, shutil, sys
program = shutil.which(sys.argv[1])  # while our files can still be read
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if ctypes.CDLL(None).unshare(0x10020000):  # CLONE_NEWUSER, CLONE_NEWNS
        os._exit(125)
    os.write(ready[1], b"1")
    os.read(go[0], 1)
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    os.execv(program, sys.argv[1:])
os.read(ready[0], 1)
for name in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{name}", "w") as file:
        file.write("0 100000 1000")
os.write(go[1], b"1")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def container(*added: str, dropped: Sequence[str] = ()) -> tuple[str, ...]:
    """A prefix: root with a container's capabilities and those ``added``, in a mount namespace of its own."""
    held = ",".join(["-all", *(f"+{name}" for name in (*DEFAULT, *added) if name not in dropped)])
    return ("unshare", "-m", "setpriv", f"--bounding-set={held}", "--inh-caps=-all")


def with_user_namespace() -> tuple[str, ...]:
    """A prefix: root of a user namespace, who is a user unknown to the host, as hostUsers: false makes it."""
    return (sys.executable, "-I", "-c", _MAP)


def said(script: str, *prefix: str, arguments: Sequence[str | Path] = ()) -> str:
    """What a Python script prints behind ``prefix``; its error, if it ends by one."""
    command = [*prefix, sys.executable, "-I", "-c", textwrap.dedent(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or done.stderr.strip()
