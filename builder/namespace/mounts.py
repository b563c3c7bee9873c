"""Mounts as descriptors: made while the machine's files can be named, attached when they cannot any more.

Nothing is ever mounted by a path of an image, so no symlink in it can lead a mount elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from typing import Final

from builder.errors import BuildError
from builder.namespace import syscalls

SAFE: Final = syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NODEV | syscalls.MOUNT_ATTR_NOEXEC
DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")
MAX_LOWERS: Final = 500
"""As many lower layers as the kernel stacks (OVL_MAX_STACK, fs/overlayfs/params.h)."""

_LINKS: Final = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)
_MASKED: Final = (
    "acpi",
    "asound",
    "kcore",
    "key-users",
    "keys",
    "latency_stats",
    "sched_debug",
    "scsi",
    "sysrq-trigger",
    "timer_list",
)
"""What of /proc says something about the machine, as container runtimes hide it (runtime-spec config.md)."""


def file_system(kind: str, attributes: int = 0, options: Mapping[str, str] | None = None) -> int:
    """A new file system of this type, mounted nowhere yet, as a descriptor."""
    context = syscalls.fsopen(kind)
    try:
        for key, value in {"source": kind, **(options or {})}.items():
            syscalls.fsconfig_string(context, key, value)
        syscalls.fsconfig_create(context)
        return syscalls.fsmount(context, attributes)
    finally:
        os.close(context)


def overlay(
    lowers: Sequence[str], upper: str | None = None, work: str | None = None, *, trusted: bool = False
) -> int:
    """An overlay of directories, mounted nowhere yet, as a descriptor. ``lowers``: base first.

    ``trusted``: with ``trusted.*`` attributes, for the machine's root; what a layer cannot hold is switched
    off, and devices do not work there: root could make any. Relative paths keep the machine's own out of the
    sandbox's /proc/mounts. BuildError for too many layers; OSError with the kernel's own words for what it
    refuses.
    """
    if len(lowers) > MAX_LOWERS:
        raise BuildError(
            f"{len(lowers)} layers: the kernel stacks {MAX_LOWERS}",
            fix="join some RUN lines with &&, or start a new stage from a copy: FROM scratch, COPY --from",
        )
    context = syscalls.fsopen("overlay")
    try:
        syscalls.fsconfig_string(context, "source", "overlay")
        for lower in reversed(lowers):
            syscalls.fsconfig_string(context, "lowerdir+", lower)
        if upper is not None and work is not None:
            syscalls.fsconfig_string(context, "upperdir", upper)
            syscalls.fsconfig_string(context, "workdir", work)
        if trusted:
            for option in ("redirect_dir", "metacopy", "index"):
                syscalls.fsconfig_string(context, option, "off")
        else:
            syscalls.fsconfig_flag(context, "userxattr")
        syscalls.fsconfig_create(context)
        return syscalls.fsmount(context, syscalls.MOUNT_ATTR_NODEV if trusted else 0)
    except OSError as error:
        raise OSError(error.errno, f"overlay: {_kernels_words(context) or error.strerror}") from None
    finally:
        os.close(context)


def _kernels_words(context: int) -> str:
    """What the kernel wrote into a file system context about its last refusal."""
    try:
        # One message each, after a letter for how grave it is (fs/fs_context.c): "e overlay: …".
        return os.read(context, 4096).decode(errors="replace").strip().removeprefix("e overlay: ")
    except OSError:
        return ""


def bind(path: str, *, recursive: bool = False) -> int:
    """The file or directory at ``path`` as a mount of its own, attached nowhere yet."""
    return syscalls.open_tree(path, recursive=recursive)


def bind_for(path: str, user_namespace: int) -> int:
    """By the machine's root, from outside: the file or directory at ``path`` for use inside.

    Root's files are root's in there too, where the file system can show them so (ext4, xfs, btrfs, tmpfs; not
    every other), and else belong to nobody.
    """
    mounted = syscalls.open_tree(path)
    try:
        syscalls.mount_setattr(mounted, syscalls.MOUNT_ATTR_IDMAP, user_namespace=user_namespace)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP):
            os.close(mounted)
            raise
    return mounted


def read_only(mounted: int) -> None:
    """Let nobody write through the mount, nor through those below it."""
    syscalls.mount_setattr(mounted, syscalls.MOUNT_ATTR_RDONLY, recursive=True)


def attach(mounted: int, target: str) -> None:
    """Attach a mount at ``target`` and let go of its descriptor; a symlink there is not followed.

    BuildError if something stands there that a mount cannot cover.
    """
    try:
        syscalls.move_mount(mounted, target)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTDIR, errno.ELOOP, errno.ENOENT):
            raise BuildError(_in_the_way(target), fix="let the image have a directory there") from None
        raise
    finally:
        os.close(mounted)


def _in_the_way(target: str) -> str:
    try:
        mode = os.lstat(target).st_mode
    except OSError as error:
        return f"cannot mount on {target}: {error.strerror}"
    kind = "a symlink" if stat.S_ISLNK(mode) else "no directory" if not stat.S_ISDIR(mode) else "in the way"
    return f"the image makes {target} {kind}, and a command needs a mount there"


class Devices:
    """The machine's harmless devices, taken before the root changes and attached after."""

    def __init__(self) -> None:
        self._taken = [(name, bind(f"/dev/{name}")) for name in DEVICES]

    def attach(self, shm_bytes: int) -> None:
        """A fresh /dev with them, /dev/pts and /dev/shm (runtime-spec config-linux.md, "Default Devices")."""
        options = {"mode": "755", "size": "64k", "nr_inodes": "1024"}
        attach(file_system("tmpfs", syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NOEXEC, options), "/dev")
        for name, mounted in self._taken:
            place = f"/dev/{name}"
            os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
            attach(mounted, place)
        for name, target in _LINKS:
            os.symlink(target, f"/dev/{name}")
        os.mkdir("/dev/shm", 0o755)
        os.mkdir("/dev/pts", 0o755)
        attach(file_system("tmpfs", SAFE, {"mode": "1777", "size": str(shm_bytes)}), "/dev/shm")
        # No gid=5 (tty): with a single id there is no such group.
        quiet = syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NOEXEC
        attach(file_system("devpts", quiet, {"ptmxmode": "0666", "mode": "620"}), "/dev/pts")


def processes() -> int:
    """A new /proc of this pid namespace; the machine's own where the kernel refuses one (in a container).

    It must be made while a complete /proc can be seen (mount_too_revealing, fs/namespace.c).
    """
    try:
        return file_system("proc", SAFE)
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        return bind("/proc", recursive=True)


def mask_processes() -> None:
    """Cover what /proc tells of the machine; afterwards it reads as empty."""
    for name in _MASKED:
        path = f"/proc/{name}"
        try:
            is_directory = stat.S_ISDIR(os.lstat(path).st_mode)
        except OSError:
            continue
        if is_directory:
            empty = file_system("tmpfs", SAFE | syscalls.MOUNT_ATTR_RDONLY, {"size": "4k", "mode": "555"})
            attach(empty, path)
        else:
            attach(bind("/dev/null"), path)


def count() -> int:
    """How many mounts this process sees (proc_pid_mountinfo(5)); 0 without a /proc."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return file.read().count(b"\n")
    except OSError:
        return 0


def enter(mounted: int, at: str) -> None:
    """Make the mount the root directory of this process's mount namespace; what was there cannot be reached.

    ``at``: an empty directory, relative to the working directory or absolute.
    """
    attach(mounted, at)
    os.chdir(at)
    syscalls.pivot_root(".", ".")
    syscalls.unmount(".")
    os.chdir("/")
