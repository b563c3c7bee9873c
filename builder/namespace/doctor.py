"""What this machine lets a user do in a user namespace: each thing is tried, and a refusal explained.

One throw-away child tries the steps of a sandbox in their order and stops at the first that it cannot do
without; the explanation comes from what the kernel lets everybody read.
"""

from __future__ import annotations

import enum
import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NoReturn

from builder.errors import BuildError
from builder.namespace import idmap, mounts, seccomp, syscalls
from builder.namespace.idmap import IdMap, Machine, choose


class Step(enum.Enum):
    """What is tried, in this order. ``value``: for people."""

    NAMESPACES = "a user namespace"
    IDS = "ids in it"
    MOUNTS = "mounts in it"
    TMPFS = "mounts by descriptor"
    OVERLAY = "an overlay of layers"
    PROCESSES = "a pid, ipc and host name namespace"
    PROC = "a /proc of its own"
    NETWORK = "a network namespace"
    ROOT = "another root directory"
    FILTER = "a filter of system calls"


REPLACEABLE: Final = {
    Step.OVERLAY: "layers are unpacked into memory, for each build anew",
    Step.PROC: "the machine's own /proc is shown instead, with its processes",
    Step.NETWORK: "RUN --network=none and run -p are refused",
    Step.FILTER: "commands run without a filter",
}
"""Without which a sandbox can still be had, and what that means."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one step went. ``errno``: 0 if well; else there is a ``cause``, and a ``remedy`` that lifts it."""

    step: Step
    errno: int = 0
    cause: str = ""
    remedy: str = ""

    @property
    def went_well(self) -> bool:
        """Whether the machine does it."""
        return not self.errno


@dataclass(frozen=True, slots=True)
class Facts:
    """What the machine says about itself, as texts of files; "" for what it does not have."""

    max_user_namespaces: str = ""
    debian_switch: str = ""
    apparmor_switch: str = ""
    seccomp_mode: str = ""
    state_kind: str = ""

    @classmethod
    def here(cls, state: str) -> Facts:
        """Those of this machine; ``state``: the directory where layers would lie."""
        status = _text("/proc/self/status")
        modes = [line.split()[1] for line in status.splitlines() if line.startswith("Seccomp:")]
        return cls(
            _text("/proc/sys/user/max_user_namespaces"),
            _text("/proc/sys/kernel/unprivileged_userns_clone"),
            _text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            modes[0] if modes else "",
            _file_system_of(state),
        )


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found. ``ids``: those that a build would have."""

    ids: IdMap
    findings: tuple[Finding, ...]

    @property
    def refusal(self) -> Finding | None:
        """The first step that no sandbox can do without and that is refused; None if rootless builds work."""
        return next(
            (each for each in self.findings if not each.went_well and each.step not in REPLACEABLE), None
        )

    @property
    def can_stack(self) -> bool:
        """Whether layers can be stacked by overlayfs."""
        return any(each.step is Step.OVERLAY and each.went_well for each in self.findings)


def examine(state: str) -> Examination:
    """Try everything, below the directory ``state``, and leave nothing behind."""
    ids = choose(Machine.here())
    try:
        with _playground(state, ids) as place:
            ids, tried = _tried(place, ids)
    except OSError as error:
        finding = Finding(
            Step.OVERLAY,
            error.errno or errno.EIO,
            f"{state} cannot be written: {error.strerror}",
            "choose --state",
        )
        return Examination(ids, (finding,))
    facts = Facts.here(state)
    findings = [
        Finding(step) if not number else Finding(step, number, *explain(step, number, facts))
        for step, number in tried.items()
    ]
    return Examination(ids, tuple(findings))


def refuses_root(state: str) -> tuple[str, str] | None:
    """Why root cannot build with the machine's own ids below the directory ``state``, and what lifts that.

    None if it can; nothing is left behind.
    """
    if os.geteuid() != 0:
        return "it needs root", "sudo, or --strategy rootless"
    if not idmap.is_whole(_text("/proc/self/uid_map")):
        return "this root is one of a user namespace, not the machine's", "run it outside of the container"
    try:
        with _playground(state, idmap.MACHINES_OWN) as place:
            child = os.fork()
            if child == 0:
                _try_overlay(place)
            _, status = os.waitpid(child, 0)
    except OSError as error:
        return f"{state} cannot be written: {error.strerror}", "choose --state"
    number = os.waitstatus_to_exitcode(status)
    return explain(Step.OVERLAY, number, Facts.here(state)) if number else None


def _try_overlay(place: str) -> NoReturn:
    """In a child: delete a directory of an overlay's lower layer, exits with the errno."""
    number = errno.EIO
    try:
        os.chdir(place)
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
        _delete_in_an_overlay(trusted=True)
        number = 0
    except OSError as error:
        number = error.errno or errno.EIO
    finally:
        os._exit(number)


def explain(step: Step, number: int, facts: Facts) -> tuple[str, str]:
    """The cause of a refusal, and the command or setting that lifts it."""
    said = os.strerror(number)
    match step:
        case Step.NAMESPACES if number == errno.ENOSPC or facts.max_user_namespaces == "0":
            return (
                "user namespaces are switched off or used up (user.max_user_namespaces)",
                "as root: sysctl -w user.max_user_namespaces=15000",
            )
        case Step.NAMESPACES if facts.debian_switch == "0":
            return (
                "this kernel has Debian's switch, and it is off",
                "as root: sysctl -w kernel.unprivileged_userns_clone=1",
            )
        case Step.NAMESPACES if facts.seccomp_mode == "2":
            return (
                "a seccomp filter refuses unshare(CLONE_NEWUSER), as container runtimes have it",
                "docker run --security-opt seccomp=unconfined, or a profile that allows unshare, mount, "
                "pivot_root and the mount calls by descriptor; in Kubernetes a Localhost profile",
            )
        case Step.NAMESPACES:
            return (
                f"unshare(CLONE_NEWUSER) is refused ({said}): a chroot without pivot_root, a security "
                "module, or the kernel is built without it",
                "run outside of the chroot; see dmesg",
            )
        case Step.IDS | Step.MOUNTS | Step.OVERLAY if facts.apparmor_switch == "1" and number in (
            errno.EPERM,
            errno.EACCES,
        ):
            return (
                "AppArmor gives programs without a profile a user namespace without any power",
                "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or a profile with "
                "`userns,`",
            )
        case Step.TMPFS if number == errno.ENOSYS:
            return (
                "this kernel cannot mount by descriptor (Linux 5.2, and 6.5 for many layers)",
                "use a newer kernel",
            )
        case Step.OVERLAY if facts.state_kind in ("overlay", "nfs", "nfs4", "fuse", "9p"):
            return (
                f"the state directory lies on {facts.state_kind}, which cannot be an upper layer",
                "put it on ext4, xfs, btrfs or tmpfs: --state DIRECTORY, or a volume in a container",
            )
        case Step.OVERLAY:
            return (
                f"the kernel refuses an overlay in a user namespace ({said})",
                "Linux 6.5 or later with CONFIG_OVERLAY_FS: as root, modprobe overlay",
            )
        case Step.PROC:
            return (
                "the kernel gives no new /proc because parts of the present one are covered (a container)",
                "docker run --security-opt systempaths=unconfined; in Kubernetes procMount: Unmasked",
            )
        case Step.NETWORK if number == errno.ENOSPC:
            return "network namespaces are used up", "as root: sysctl -w user.max_net_namespaces=15000"
        case Step.FILTER if number == errno.ENOSYS:
            return "no filter is known for this kind of machine, or the kernel has none", "nothing lifts it"
    return f"the kernel refuses {step.value} ({said})", "see dmesg, and what a security module says"


@contextmanager
def _existing(directory: str) -> Iterator[None]:
    """Let the directory exist inside of the block; what was made for that is removed again."""
    missing: list[str] = []
    here = os.path.abspath(directory)
    while not os.path.isdir(here):
        missing.append(here)
        here = os.path.dirname(here)
    os.makedirs(directory, exist_ok=True)
    try:
        yield
    finally:
        for path in missing:
            try:
                os.rmdir(path)
            except OSError:
                break  # somebody else has put something there meanwhile


@contextmanager
def _playground(state: str, ids: IdMap) -> Iterator[str]:
    """A directory on the file system of ``state`` that root inside owns; it is removed with everything."""
    with _existing(state), tempfile.TemporaryDirectory(dir=state, prefix="doctor-") as place:
        os.chmod(place, 0o755)
        for name in ("", "lower", "lower/gone", "upper", "work", "at"):
            path = os.path.join(place, name)
            if name:
                os.mkdir(path, 0o755)
            if os.geteuid() == 0:
                os.chown(path, *ids.root)
        try:
            yield place
        finally:
            inner = os.path.join(place, "work", "work")
            if os.path.isdir(inner):
                os.chmod(inner, 0o700)  # overlayfs makes it with mode 0


def _tried(place: str, ids: IdMap) -> tuple[IdMap, dict[Step, int]]:
    """The ids that the child got, and the errno of each step that it tried."""
    hears, says = os.pipe2(os.O_CLOEXEC)
    waits, goes = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        os.close(hears)
        os.close(goes)
        _try_all(place, says, waits)
    os.close(says)
    os.close(waits)
    tried: dict[Step, int] = {}
    with open(hears, encoding="utf-8") as lines, open(goes, "wb", buffering=0) as gate:
        for line in lines:
            name, number = json.loads(line)
            tried[Step[name]] = number
            if name == Step.NAMESPACES.name and not number:
                try:
                    ids = idmap.write(ids, child)
                except (OSError, BuildError) as error:
                    tried[Step.IDS] = getattr(error, "errno", None) or errno.EPERM
                    break
                gate.write(b"!")
    os.waitpid(child, 0)
    return ids, tried


def _try_all(place: str, says: int, waits: int) -> NoReturn:
    def told(step: Step, number: int) -> None:
        os.write(says, (json.dumps([step.name, number]) + "\n").encode())

    try:
        os.chdir(place)
        flags = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS
        if _try(told, Step.NAMESPACES, lambda: syscalls.unshare(flags)) and os.read(waits, 1):
            _try_inside(told)
    finally:
        os._exit(0)


def _try(told: Callable[[Step, int], None], step: Step, action: Callable[[], object]) -> bool:
    try:
        action()
    except OSError as error:
        told(step, error.errno or errno.EIO)
        return False
    told(step, 0)
    return True


def _try_inside(told: Callable[[Step, int], None]) -> None:
    def become_root() -> None:
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)

    def leave_mounts() -> None:
        syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)

    if not (_try(told, Step.IDS, become_root) and _try(told, Step.MOUNTS, leave_mounts)):
        return
    if not _try(told, Step.TMPFS, lambda: os.close(mounts.file_system("tmpfs"))):
        return
    _try(told, Step.OVERLAY, _delete_in_an_overlay)
    namespaces = syscalls.CLONE_NEWPID | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
    if not _try(told, Step.PROCESSES, lambda: _in_a_child(namespaces, told)):
        return
    _try(told, Step.NETWORK, lambda: syscalls.unshare(syscalls.CLONE_NEWNET))
    if _try(told, Step.ROOT, lambda: mounts.enter(mounts.file_system("tmpfs"), "at")):
        _try(told, Step.FILTER, _filter)


def _delete_in_an_overlay(*, trusted: bool = False) -> None:
    """Mount one and delete a directory of its lower layer: that makes a whiteout."""
    mounted = mounts.overlay(("lower",), "upper", "work", trusted=trusted)
    try:
        root = os.open(f"/proc/self/fd/{mounted}", os.O_RDONLY | os.O_DIRECTORY)
        os.rmdir("gone", dir_fd=root)
        os.close(root)
    finally:
        os.close(mounted)


def _in_a_child(namespaces: int, told: Callable[[Step, int], None]) -> None:
    child = syscalls.clone(namespaces)
    if child == 0:
        try:
            _try(told, Step.PROC, lambda: os.close(mounts.file_system("proc", mounts.SAFE)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _filter() -> None:
    machine = os.uname().machine
    if not seccomp.knows(machine):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.filter_calls(seccomp.to_bytes(seccomp.program(machine)))


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _file_system_of(path: str) -> str:
    """The type of the file system that ``path`` lies on, by the longest mount point that leads to it."""
    best, kind = "", ""
    real = os.path.realpath(path)
    for line in _text("/proc/self/mountinfo").splitlines():
        fields = line.split()
        point = fields[4].encode().decode("unicode_escape", "replace")
        below = real == point or real.startswith(point.rstrip("/") + "/")
        if below and len(point) >= len(best) and "-" in fields:
            best, kind = point, fields[fields.index("-") + 1]
    return kind
