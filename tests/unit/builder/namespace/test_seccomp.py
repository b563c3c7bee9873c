"""The filter of system calls, run by an interpreter of classic BPF instead of by the kernel."""

from __future__ import annotations

import errno
import stat
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.namespace import seccomp, syscalls
from builder.namespace.seccomp import Owners

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
EVERY_MACHINE = pytest.mark.parametrize("machine", sorted(MACHINES))


def verdict(program: bytes, number: int, architecture: int, arguments: tuple[int, ...] = ()) -> int:
    """What the kernel would do: ``struct seccomp_data`` interpreted as net/core/filter.c does."""
    padded = (*arguments, *[0] * 6)[:6]
    seen = struct.pack("<iIQ6Q", number, architecture, 0, *padded)
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator = at = 0
    for _ in range(len(instructions) + 1):
        code, if_true, if_false, operand = instructions[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", seen, operand)
            case 0x15:
                at += if_true if accumulator == operand else if_false
            case 0x35:
                at += if_true if accumulator >= operand else if_false
            case 0x45:
                at += if_true if accumulator & operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")
    raise AssertionError("the program does not end")


def asked(machine: str, name: str, *arguments: int, owners: Owners = Owners.REAL) -> int:
    number = seccomp.number_of(name, machine)
    assert number is not None
    program = seccomp.to_bytes(seccomp.program(machine, owners))
    return verdict(program, number, MACHINES[machine], arguments)


REFUSED = seccomp.ERRNO | errno.EPERM
DONE = seccomp.ERRNO | 0


@EVERY_MACHINE
@pytest.mark.parametrize(
    "name", ["mount", "unshare", "bpf", "keyctl", "io_uring_setup", "setns", "open_tree"]
)
def test_what_no_build_needs_is_refused(machine: str, name: str) -> None:
    assert asked(machine, name) == REFUSED


@EVERY_MACHINE
def test_clone_may_make_processes_and_threads_but_no_namespaces(machine: str) -> None:
    threads = 0x3D0F00

    assert asked(machine, "clone", 17) == seccomp.ALLOW
    assert asked(machine, "clone", threads) == seccomp.ALLOW
    for namespace in (syscalls.CLONE_NEWUSER, syscalls.CLONE_NEWNS, syscalls.CLONE_NEWNET, 0x0200_0000):
        assert asked(machine, "clone", namespace | 17) == REFUSED


@EVERY_MACHINE
def test_clone3_is_said_not_to_exist_so_that_libc_uses_clone(machine: str) -> None:
    assert asked(machine, "clone3") == seccomp.ERRNO | errno.ENOSYS


@EVERY_MACHINE
def test_another_architecture_is_killed(machine: str) -> None:
    program = seccomp.to_bytes(seccomp.program(machine))

    assert verdict(program, 1, 0x4000_0003) == seccomp.KILL_PROCESS


def test_x32_calls_are_said_not_to_exist() -> None:
    program = seccomp.to_bytes(seccomp.program("x86_64"))

    assert verdict(program, 0x4000_0000 | 165, MACHINES["x86_64"]) == seccomp.ERRNO | errno.ENOSYS


@EVERY_MACHINE
@pytest.mark.parametrize("name", ["fchown", "fchownat", "setuid", "setresgid", "setgroups"])
def test_owners_are_changed_really_or_for_show(machine: str, name: str) -> None:
    assert asked(machine, name, 3) == seccomp.ALLOW
    assert asked(machine, name, 3, owners=Owners.PRETENDED) == DONE


@EVERY_MACHINE
def test_for_show_devices_are_made_and_fifos_really(machine: str) -> None:
    def mknodat(kind: int) -> int:
        return asked(machine, "mknodat", 3, 0, kind | 0o600, owners=Owners.PRETENDED)

    assert mknodat(stat.S_IFCHR) == mknodat(stat.S_IFBLK) == DONE
    assert mknodat(stat.S_IFIFO) == mknodat(stat.S_IFREG) == mknodat(stat.S_IFSOCK) == seccomp.ALLOW


@EVERY_MACHINE
@given(number=st.integers(0, 600), owners=st.sampled_from(Owners))
def test_what_is_not_listed_is_allowed_and_every_way_through_ends(
    machine: str, number: int, owners: Owners
) -> None:
    listed = {seccomp.number_of(name, machine) for name in (*seccomp.REFUSED, "clone3")}
    if owners is Owners.PRETENDED:
        listed |= {seccomp.number_of(name, machine) for name in seccomp.OWNERS}
    program = seccomp.to_bytes(seccomp.program(machine, owners))

    found = verdict(program, number, MACHINES[machine])

    assert (found == seccomp.ALLOW) == (number not in listed)


def test_the_numbers_are_those_of_this_machines_headers() -> None:
    """unistd_64.h of linux-libc-dev, where it is installed: an oracle for the table."""
    import os
    import pathlib
    import re

    machine = os.uname().machine
    header = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if machine != "x86_64" or not header.exists():
        pytest.skip("needs linux-libc-dev on x86-64")
    known = dict(re.findall(r"#define __NR_(\w+) (\d+)", header.read_text()))
    for name in (*seccomp.REFUSED, *seccomp.OWNERS, "clone", "clone3", "mknod", "mknodat"):
        assert known.get(name) == str(seccomp.number_of(name, machine)), name
