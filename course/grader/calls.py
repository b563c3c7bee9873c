"""System calls that a submission may not make, as programs for seccomp(2).

In namespaces of its own it may do what cannot reach anybody: there only other processes and what outlives it
are refused. Without namespaces it shares processes, sockets and attributes of files with its user, which
Landlock does not guard (landlock(7), "Current limitations"): signals, limits and priorities of others,
sockets, modes, owners, times and extended attributes are refused too.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from builder.namespace import seccomp
from builder.namespace.seccomp import Instruction

_CLONE_THREAD: Final = 0x1_0000
_NUMBER_AT, _ARGUMENTS_AT = 0, 16
"""Where in ``struct seccomp_data`` (seccomp(2)) the number of the call and its first argument are."""

_NUMBERS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "x86_64": {
            "ioctl": 16,
            "shmget": 29,
            "socket": 41,
            "fork": 57,
            "vfork": 58,
            "kill": 62,
            "semget": 64,
            "msgget": 68,
            "fcntl": 72,
            "truncate": 76,
            "chmod": 90,
            "fchmod": 91,
            "chown": 92,
            "fchown": 93,
            "lchown": 94,
            "ptrace": 101,
            "rt_sigqueueinfo": 129,
            "utime": 132,
            "setpriority": 141,
            "sched_setparam": 142,
            "sched_setscheduler": 144,
            "prctl": 157,
            "setxattr": 188,
            "lsetxattr": 189,
            "fsetxattr": 190,
            "removexattr": 197,
            "lremovexattr": 198,
            "fremovexattr": 199,
            "tkill": 200,
            "sched_setaffinity": 203,
            "tgkill": 234,
            "utimes": 235,
            "mq_open": 240,
            "ioprio_set": 251,
            "inotify_init": 253,
            "migrate_pages": 256,
            "fchownat": 260,
            "futimesat": 261,
            "fchmodat": 268,
            "move_pages": 279,
            "utimensat": 280,
            "inotify_init1": 294,
            "rt_tgsigqueueinfo": 297,
            "fanotify_init": 300,
            "prlimit64": 302,
            "process_vm_readv": 310,
            "process_vm_writev": 311,
            "sched_setattr": 314,
        },
        "aarch64": {
            "setxattr": 5,
            "lsetxattr": 6,
            "fsetxattr": 7,
            "fcntl": 25,
            "removexattr": 14,
            "lremovexattr": 15,
            "fremovexattr": 16,
            "inotify_init1": 26,
            "ioctl": 29,
            "ioprio_set": 30,
            "truncate": 45,
            "fchmod": 52,
            "fchmodat": 53,
            "fchownat": 54,
            "fchown": 55,
            "utimensat": 88,
            "ptrace": 117,
            "sched_setparam": 118,
            "sched_setscheduler": 119,
            "sched_setaffinity": 122,
            "kill": 129,
            "tkill": 130,
            "tgkill": 131,
            "rt_sigqueueinfo": 138,
            "setpriority": 140,
            "prctl": 167,
            "mq_open": 180,
            "msgget": 186,
            "semget": 190,
            "shmget": 194,
            "socket": 198,
            "migrate_pages": 238,
            "move_pages": 239,
            "rt_tgsigqueueinfo": 240,
            "prlimit64": 261,
            "fanotify_init": 262,
            "process_vm_readv": 270,
            "process_vm_writev": 271,
            "sched_setattr": 274,
        },
    }
)
"""arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h."""

_EVERYWHERE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "pidfd_send_signal": 424,
        "pidfd_open": 434,
        "pidfd_getfd": 438,
        "process_madvise": 440,
        "process_mrelease": 448,
        "fchmodat2": 452,
        "setxattrat": 463,
        "removexattrat": 466,
    }
)

_LASTING: Final = ("fork", "vfork", "shmget", "semget", "msgget", "mq_open")
"""More processes, to each of which the limits are granted anew, and memory that no process holds."""

_OF_OTHERS: Final = """
    kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal pidfd_open pidfd_getfd ptrace
    process_vm_readv process_vm_writev process_madvise process_mrelease migrate_pages move_pages
    setpriority ioprio_set sched_setparam sched_setscheduler sched_setaffinity sched_setattr
    socket inotify_init inotify_init1 fanotify_init truncate
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat
    setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr setxattrat removexattrat
"""
_SHARED: Final = tuple(_OF_OTHERS.split())

_ANOTHERS: Final = (
    ("fcntl", 1, 8),  # F_SETOWN: the kernel sends its signals to whomever one names
    ("fcntl", 1, 15),  # F_SETOWN_EX
    ("ioctl", 1, 0x8901),  # FIOSETOWN
    ("ioctl", 1, 0x8902),  # SIOCSPGRP
    ("prctl", 0, 1),  # PR_SET_PDEATHSIG: without the grader there is no submission
)
"""Call, argument (from 0) and the value that it may not have."""


def filters(*, shares_processes: bool) -> list[bytes]:
    """What is refused on this machine, as seccomp(2) takes it. KeyError where its calls are not known."""
    machine = os.uname().machine
    refused = [*_answered(_LASTING, machine), *_unless(machine, "clone", 0, _CLONE_THREAD)]
    if shares_processes:
        refused += _answered(_SHARED, machine)
        for name, argument, value in _ANOTHERS:
            refused += _if_equal(machine, name, argument, value)
        refused += _if_other(machine, "prlimit64", 0, 0)
    load = Instruction(seccomp.LOAD, 0, 0, _NUMBER_AT)
    own = [load, *refused, Instruction(seccomp.RETURN, 0, 0, seccomp.ALLOW)]
    return [seccomp.to_bytes(seccomp.program(machine)), seccomp.to_bytes(own)]


_REFUSE: Final = Instruction(seccomp.RETURN, 0, 0, seccomp.ERRNO | errno.EPERM)


def _number(name: str, machine: str) -> int | None:
    known = _EVERYWHERE.get(name, _NUMBERS[machine].get(name))
    return known if known is not None else seccomp.number_of(name, machine)


def _answered(names: Iterable[str], machine: str) -> Iterator[Instruction]:
    for name in names:
        number = _number(name, machine)
        if number is not None:
            yield Instruction(seccomp.JUMP_EQUAL, 0, 1, number)
            yield _REFUSE


def _unless(machine: str, name: str, argument: int, bits: int) -> list[Instruction]:
    """The call is refused unless one of ``bits`` is set in the low half of the argument."""
    return _on(machine, name, argument, Instruction(seccomp.JUMP_SET, 1, 0, bits))


def _if_equal(machine: str, name: str, argument: int, value: int) -> list[Instruction]:
    return _on(machine, name, argument, Instruction(seccomp.JUMP_EQUAL, 0, 1, value))


def _if_other(machine: str, name: str, argument: int, value: int) -> list[Instruction]:
    return _on(machine, name, argument, Instruction(seccomp.JUMP_EQUAL, 1, 0, value))


def _on(machine: str, name: str, argument: int, test: Instruction) -> list[Instruction]:
    """The call is refused where ``test`` of the argument does not jump over the refusal."""
    number = _number(name, machine)
    assert number is not None
    return [
        Instruction(seccomp.JUMP_EQUAL, 0, 4, number),
        Instruction(seccomp.LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument),
        test,
        _REFUSE,
        Instruction(seccomp.LOAD, 0, 0, _NUMBER_AT),
    ]
