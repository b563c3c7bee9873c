"""Which system calls a RUN may make: a seccomp filter, written as classic BPF.

What is refused is what no build needs and what the kernel has been broken through: mounts, namespaces,
modules, keys, BPF, io_uring. With a single id (no subordinate ids) the calls that change owners answer
success and do nothing, so that package managers go on (the way of fakeroot, without a library).

seccomp(2), "BPF programs"; the layout read is ``struct seccomp_data``.
"""

from __future__ import annotations

import enum
import errno
import stat
import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from builder.namespace import syscalls

LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
JUMP_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
JUMP_GREATER_EQUAL: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
JUMP_SET: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN: Final = 0x06  # BPF_RET | BPF_K

ALLOW: Final = 0x7FFF_0000
ERRNO: Final = 0x0005_0000
KILL_PROCESS: Final = 0x8000_0000

_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32_BIT: Final = 0x4000_0000
_NAMESPACES: Final = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUSER
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWNET
    | 0x0200_0000  # CLONE_NEWCGROUP
)
_ARCHITECTURES: Final[Mapping[str, int]] = MappingProxyType({"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7})
"""AUDIT_ARCH_* (include/uapi/linux/audit.h) by ``os.uname().machine``."""

_SAME_EVERYWHERE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "io_uring_setup": 425,
        "io_uring_enter": 426,
        "io_uring_register": 427,
        "open_tree": 428,
        "move_mount": 429,
        "fsopen": 430,
        "fsconfig": 431,
        "fsmount": 432,
        "fspick": 433,
        "clone3": 435,
        "mount_setattr": 442,
    }
)
_BY_MACHINE: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "x86_64": {
            "clone": 56,
            "chown": 92,
            "fchown": 93,
            "lchown": 94,
            "setuid": 105,
            "setgid": 106,
            "setreuid": 113,
            "setregid": 114,
            "setgroups": 116,
            "setresuid": 117,
            "setresgid": 119,
            "setfsuid": 122,
            "setfsgid": 123,
            "mknod": 133,
            "vhangup": 153,
            "pivot_root": 155,
            "acct": 163,
            "settimeofday": 164,
            "mount": 165,
            "umount2": 166,
            "swapon": 167,
            "swapoff": 168,
            "reboot": 169,
            "iopl": 172,
            "ioperm": 173,
            "init_module": 175,
            "delete_module": 176,
            "quotactl": 179,
            "nfsservctl": 180,
            "lookup_dcookie": 212,
            "clock_settime": 227,
            "kexec_load": 246,
            "add_key": 248,
            "request_key": 249,
            "keyctl": 250,
            "mknodat": 259,
            "fchownat": 260,
            "unshare": 272,
            "perf_event_open": 298,
            "open_by_handle_at": 304,
            "clock_adjtime": 305,
            "setns": 308,
            "finit_module": 313,
            "kexec_file_load": 320,
            "bpf": 321,
            "userfaultfd": 323,
        },
        "aarch64": {
            "lookup_dcookie": 18,
            "mknodat": 33,
            "umount2": 39,
            "mount": 40,
            "pivot_root": 41,
            "nfsservctl": 42,
            "fchownat": 54,
            "fchown": 55,
            "vhangup": 58,
            "quotactl": 60,
            "acct": 89,
            "unshare": 97,
            "kexec_load": 104,
            "init_module": 105,
            "delete_module": 106,
            "clock_settime": 112,
            "reboot": 142,
            "setregid": 143,
            "setgid": 144,
            "setreuid": 145,
            "setuid": 146,
            "setresuid": 147,
            "setresgid": 149,
            "setfsuid": 151,
            "setfsgid": 152,
            "setgroups": 159,
            "settimeofday": 170,
            "add_key": 217,
            "request_key": 218,
            "keyctl": 219,
            "clone": 220,
            "swapon": 224,
            "swapoff": 225,
            "perf_event_open": 241,
            "open_by_handle_at": 265,
            "clock_adjtime": 266,
            "setns": 268,
            "finit_module": 273,
            "bpf": 280,
            "userfaultfd": 282,
            "kexec_file_load": 294,
        },
    }
)

_REFUSED: Final = """
    mount umount2 pivot_root unshare setns
    open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
    bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
    kexec_load kexec_file_load init_module finit_module delete_module
    add_key request_key keyctl open_by_handle_at
    reboot swapon swapoff acct vhangup quotactl iopl ioperm lookup_dcookie nfsservctl
    settimeofday clock_settime clock_adjtime
"""
REFUSED: Final = tuple(_REFUSED.split())
"""Answered by EPERM."""

_OWNERS: Final = """
    chown fchown lchown fchownat
    setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid
"""
OWNERS: Final = tuple(_OWNERS.split())
"""Answered by success, and not done, where there is one id only."""

_DEVICE_MODE_ARGUMENT: Final[Mapping[str, int]] = MappingProxyType({"mknod": 1, "mknodat": 2})


class Owners(enum.Enum):
    """What a change of owner does: what it says, or nothing, with success for an answer."""

    REAL = "real"
    PRETENDED = "pretended"


class Instruction(NamedTuple):
    """One instruction of classic BPF (``struct sock_filter``)."""

    code: int
    if_true: int
    if_false: int
    operand: int

    def to_bytes(self) -> bytes:
        """As the kernel takes it."""
        return struct.pack("HBBI", *self)


def number_of(name: str, machine: str) -> int | None:
    """The number of a system call on ``machine``; None where there is no such call."""
    return _BY_MACHINE[machine].get(name, _SAME_EVERYWHERE.get(name))


def knows(machine: str) -> bool:
    """Whether a filter can be written for ``machine``."""
    return machine in _ARCHITECTURES


def program(machine: str, owners: Owners = Owners.REAL) -> tuple[Instruction, ...]:
    """The filter for ``machine`` (``os.uname().machine``); KeyError for one that is not known.

    clone3 answers ENOSYS, because its flags lie in memory that a filter cannot read: libc then uses clone.
    """
    found = [
        Instruction(LOAD, 0, 0, _ARCHITECTURE_AT),
        Instruction(JUMP_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        Instruction(RETURN, 0, 0, KILL_PROCESS),
        Instruction(LOAD, 0, 0, _NUMBER_AT),
    ]
    if machine == "x86_64":  # the x32 calls have other numbers, and nobody uses them
        found.append(Instruction(JUMP_GREATER_EQUAL, 0, 1, _X32_BIT))
        found.append(Instruction(RETURN, 0, 0, ERRNO | errno.ENOSYS))
    found += _answered(REFUSED, ERRNO | errno.EPERM, machine)
    found += _answered(["clone3"], ERRNO | errno.ENOSYS, machine)
    found += _on_argument("clone", 0, _NAMESPACES, ERRNO | errno.EPERM, machine)
    if owners is Owners.PRETENDED:
        found += _answered(OWNERS, ERRNO | 0, machine)
        for name, argument in _DEVICE_MODE_ARGUMENT.items():
            # S_IFCHR and S_IFBLK have this bit, S_IFIFO, S_IFREG and S_IFSOCK have not.
            found += _on_argument(name, argument, stat.S_IFCHR, ERRNO | 0, machine)
    found.append(Instruction(RETURN, 0, 0, ALLOW))
    return tuple(found)


def to_bytes(instructions: Iterable[Instruction]) -> bytes:
    """The program as the kernel takes it."""
    return b"".join(each.to_bytes() for each in instructions)


def _answered(names: Iterable[str], answer: int, machine: str) -> list[Instruction]:
    """Each of the calls gets ``answer``; a call that the machine lacks needs none."""
    numbers = [number for name in names if (number := number_of(name, machine)) is not None]
    return [
        instruction
        for number in numbers
        for instruction in (Instruction(JUMP_EQUAL, 0, 1, number), Instruction(RETURN, 0, 0, answer))
    ]


def _on_argument(name: str, argument: int, bits: int, answer: int, machine: str) -> list[Instruction]:
    """The call gets ``answer`` if any of ``bits`` is set in the low half of the argument."""
    number = number_of(name, machine)
    if number is None:
        return []
    return [
        Instruction(JUMP_EQUAL, 0, 4, number),
        Instruction(LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument),
        Instruction(JUMP_SET, 0, 1, bits),
        Instruction(RETURN, 0, 0, answer),
        Instruction(LOAD, 0, 0, _NUMBER_AT),
    ]
