"""A sandbox's root directory: its layers, /dev, /proc, names of hosts, and the mounts of its command.

Everything of the machine is taken as a descriptor before the root changes (pivot_root(2)), and attached after
it: no name in an image can reach the machine any more.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from typing import Final

from builder.context.paths import resolve
from builder.errors import BuildError
from builder.namespace import mounts, syscalls
from builder.namespace.sandbox import HOSTNAME, Attachment, Sandbox
from builder.namespace.stack import NOTHING, STUB, Stack
from unionfs_sim.host.directory import HostDirectory

AT: Final = "at"
"""An empty directory: where the root is attached, in the sandbox's own mount namespace."""

HOLD: Final = "hold"
"""Another: where a file system is attached for as long as a part of it is taken."""

SHARED: Final = "files"
"""Another: where the helper keeps files that all sandboxes see, in its own mount namespace."""

_HOSTS: Final = f"127.0.0.1\tlocalhost {HOSTNAME}\n::1\tlocalhost ip6-localhost ip6-loopback\n".encode()


def enter(sandbox: Sandbox, came: Sequence[int]) -> None:
    """Change the root: what is mounted afterwards is what ``sandbox`` says, and nothing of the machine."""
    root, attached = _root_and_attachments(sandbox, came)
    processes = mounts.processes()
    devices = mounts.Devices()
    files = machines_files()
    mounts.enter(root, AT)
    devices.attach(sandbox.shm_bytes)
    mounts.attach(processes, "/proc")
    mounts.mask_processes()
    for target, mounted in files:
        try:
            mounts.attach(mounted, target)
        except BuildError:
            pass  # the image has no /etc, or a strange one: then there are no names
    covered = ["/dev", "/proc"]
    for target, mounted in sorted(attached, key=lambda each: each[0].count("/")):
        if any(target.startswith(f"{each}/") for each in covered):
            _make_place_in_a_mount(target, is_directory=stat.S_ISDIR(os.fstat(mounted).st_mode))
        mounts.attach(mounted, target)
        covered.append(target)


def equip() -> None:
    """Once, in the helper: files that all sandboxes share. Its mount namespace is copied for each of them.

    They lie on a tmpfs, so that no sandbox sees in its mountinfo where the state directory is.
    """
    mounts.attach(mounts.file_system("tmpfs", mounts.SAFE, {"mode": "755"}), SHARED)
    with open(f"{SHARED}/hosts", "wb") as file:
        file.write(_HOSTS)


def machines_files() -> list[tuple[str, int]]:
    """The machine's resolver configuration and our hosts file, read-only."""
    taken = [("/etc/hosts", mounts.bind(f"{SHARED}/hosts"))]
    try:
        taken.append(("/etc/resolv.conf", mounts.bind("/etc/resolv.conf")))
    except OSError:
        pass  # a machine without a network has none
    for _, mounted in taken:
        mounts.read_only(mounted)
    return taken


def _root_and_attachments(sandbox: Sandbox, came: Sequence[int]) -> tuple[int, list[tuple[str, int]]]:
    """The root and what is to be attached in it, with paths that lead through no symlink.

    Where a place for a mount is missing, it is made in a layer below all others, which no image gets.
    """
    stack = Stack.of(sandbox.stack)
    below = (NOTHING, STUB) if stack.plain is None else ()
    if not sandbox.attachments:
        return stack.mount(below=below), []
    sources = [(each, taken(each, came)) for each in sandbox.attachments]
    look = Stack((*stack.lowers, stack.upper), ownership=stack.ownership) if stack.upper else stack
    root = look.mount(below=below)
    with HostDirectory(f"/proc/self/fd/{root}") as tree:
        os.close(root)
        placed = [(resolve(tree, each.target), each, mounted) for each, mounted in sources]
        missing = [(path, mounted) for path, _, mounted in placed if not _is_there(tree, path)]
    if missing:
        stubs = f"{sandbox.scratch}/stub" if stack.plain is None else stack.plain
        for path, mounted in missing:
            _make_place(stubs, path, is_directory=stat.S_ISDIR(os.fstat(mounted).st_mode))
        if stack.plain is None:
            below = (*below, stubs)
    return stack.mount(below=below), [(path, mounted) for path, _, mounted in placed]


def _is_there(tree: HostDirectory, path: str) -> bool:
    try:
        tree.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _make_place(stubs: str, path: str, *, is_directory: bool) -> None:
    """An empty directory or file at ``path`` of the stub layer, and what leads to it."""
    place = f"{stubs}{path}"
    os.makedirs(place if is_directory else os.path.dirname(place), mode=0o755, exist_ok=True)
    if not is_directory and not os.path.lexists(place):
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))


def _make_place_in_a_mount(path: str, *, is_directory: bool) -> None:
    """A place for a mount in one that was attached before it; nothing of the root is touched."""
    try:
        _make_place("", path, is_directory=is_directory)
    except OSError as error:
        raise BuildError(
            f"cannot mount on {path}, which lies in another mount: {error.strerror}",
            fix="mount the outer one writable, or let it have that place",
        ) from None


def taken(attachment: Attachment, came: Sequence[int]) -> int:
    """The source of an attachment as a mount of its own."""
    if attachment.stack is not None:
        mounted = _part(Stack.of(attachment.stack).mount(), attachment.path)
    elif attachment.came is not None:
        mounted = came[attachment.came]
    elif attachment.host is not None:
        mounted = _hosts(attachment)
    elif attachment.content is not None:
        mounted = _file(attachment)
    else:
        options = {"mode": f"{attachment.mode:o}"}
        if attachment.size_bytes is not None:
            options["size"] = str(attachment.size_bytes)
        return mounts.file_system("tmpfs", syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NODEV, options)
    if attachment.read_only:
        mounts.read_only(mounted)
    return mounted


def _hosts(attachment: Attachment) -> int:
    assert attachment.host is not None
    try:
        return _part(mounts.bind(attachment.host, recursive=True), attachment.path)
    except OSError as error:
        raise BuildError(
            f"cannot mount {attachment.host}: {error.strerror}",
            fix="every directory on the way must be open to the ids of the namespace (chmod o+x)",
        ) from None


def _part(mounted: int, path: str) -> int:
    """What is at ``path`` of a mount, as a mount of its own; no symlink leads out of it."""
    if path in ("/", ""):
        return mounted
    mounts.attach(mounted, HOLD)
    try:
        root = os.open(HOLD, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        rules = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
        place = syscalls.openat2(root, path, os.O_PATH, rules)
        os.close(root)
        part = syscalls.open_tree("", directory=place)
        os.close(place)
        return part
    finally:
        syscalls.unmount(HOLD)


def _file(attachment: Attachment) -> int:
    """A file with these bytes on a tmpfs of its own: it is never on a disk."""
    assert attachment.content is not None
    mounts.attach(mounts.file_system("tmpfs", mounts.SAFE, {"mode": "755"}), HOLD)
    try:
        path = f"{HOLD}/file"
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(attachment.content.encode("latin-1"))
        if attachment.uid or attachment.gid:
            try:
                os.chown(path, attachment.uid, attachment.gid)
            except OSError as error:
                if error.errno != errno.EINVAL:  # with a single id, everything is root's
                    raise
        os.chmod(path, attachment.mode)
        return mounts.bind(path)
    finally:
        syscalls.unmount(HOLD)
