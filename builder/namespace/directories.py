"""The directories of a state, from inside the user namespace: sessions, workspaces, caches, finished layers.

Paths in requests are relative to the helper's working directory.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress

from builder.context.subtree import Subtree
from builder.namespace.channel import Channel, Message
from builder.namespace.owned import OWNER, OwnedDirectory, is_files_own, opened
from builder.namespace.stack import Ownership, Stack
from unionfs_sim.filesystem import Attributes
from unionfs_sim.trees import copy_tree


def publish(new: str, name: str) -> None:
    """Let the directory ``new`` be called ``name``; another builder may have been first."""
    try:
        os.rename(new, name)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        clear(new)


def make_cache(channel: Channel, message: Message, _: list[int]) -> None:
    """A new directory ``name`` for a cache mount, with a mode and an owner, or the files of ``initial``."""
    new, name, ownership = message["new"], message["name"], Ownership(message["ownership"])
    os.mkdir(new, 0o755)
    with OwnedDirectory(new, ownership) as directory:
        initial = message["initial"]
        if initial is not None:
            with opened(Stack.of(initial["stack"])) as view:
                copy_tree(Subtree(view, initial["path"]), directory)
        else:
            owner = Attributes(mode=message["mode"], uid=message["uid"], gid=message["gid"])
            directory.setattr("/", owner)
    publish(new, name)
    channel.send({"made": name})


def prepare(message: Message) -> Message:
    """Make ``upper`` and ``work`` in a workspace; the root looks as it does in ``top``, the layer below."""
    upper, top = f"{message['workspace']}/upper", message["top"]
    os.mkdir(upper, 0o755)
    os.mkdir(f"{message['workspace']}/work", 0o755)
    if top is not None:
        status = os.lstat(top)
        os.chown(upper, status.st_uid, status.st_gid)
        os.chmod(upper, stat.S_IMODE(status.st_mode))
        for name in os.listxattr(top):
            if is_files_own(name) or name.startswith(OWNER):
                os.setxattr(upper, name, os.getxattr(top, name))
        os.utime(upper, ns=(status.st_mtime_ns, status.st_mtime_ns))
    return {"prepared": True}


def make_directory(message: Message) -> Message:
    """Make a directory."""
    os.mkdir(message["path"], 0o755)
    return {"made": True}


def exists(message: Message) -> Message:
    """Whether there is a directory."""
    return {"exists": os.path.isdir(message["path"])}


def commit(message: Message) -> Message:
    """Let the upper directory be the layer ``name`` (None: nothing), and remove the rest of the workspace."""
    workspace, name = message["workspace"], message["name"]
    if name is not None:
        publish(f"{workspace}/upper", name)
    clear(workspace)
    return {"committed": name}


def remove(channel: Channel, message: Message, _: list[int]) -> None:
    """Remove directories with everything below them, whoever owns it."""
    for path in message["paths"]:
        clear(path)
    channel.send({"removed": True})


def retire(channel: Channel, message: Message, _: list[int]) -> None:
    """Remove directories that others can see, each at once: by way of a ``place`` of this builder alone.

    Answers how many bytes that freed.
    """
    freed = 0
    for number, path in enumerate(message["paths"]):
        retired = f"{message['place']}/{number}"
        os.rename(path, retired)
        freed += size_below(retired)
        clear(retired)
    channel.send({"bytes": freed})


def measure(channel: Channel, message: Message, _: list[int]) -> None:
    """How many bytes the files below a directory take."""
    channel.send({"bytes": size_below(message["path"])})


def size_below(path: str) -> int:
    """The bytes of the files below a directory: what they say, or what they occupy if more."""
    total = 0
    waiting = [path]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        status = entry.stat(follow_symlinks=False)
                        total += max(status.st_size, status.st_blocks * 512)
        except FileNotFoundError:
            continue  # removed by the command that is being measured
    return total


def sweep(sessions: str) -> None:
    """Remove what builders left behind that were killed: directories of ``sessions`` that nobody holds."""
    for name in os.listdir(sessions):
        path = f"{sessions}/{name}"
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            continue  # its builder has just removed it, or it is no session
        except PermissionError:
            # The machine's root has not given it away yet. If it still wants one, it makes another.
            with suppress(FileNotFoundError):
                os.rmdir(path)
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            clear(path)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def clear(path: str) -> None:
    """Remove ``path`` with everything below it; absent is no error. However deep: nothing recurses.

    A directory below another is moved up before it is emptied, so that no path becomes long. EXDEV at what
    lies on another file system: that is left alone.
    """
    try:
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        os.unlink(path)
        return
    try:
        number = 0
        while names := os.listdir(top):
            for name in names:
                try:
                    os.unlink(name, dir_fd=top)
                except IsADirectoryError:
                    number = _flatten(top, name, number)
    finally:
        os.close(top)
    os.rmdir(path)


def _flatten(top: int, name: str, number: int) -> int:
    """Empty one directory of ``top`` and remove it; directories in it come to ``top`` under fresh names."""
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    try:
        if os.fstat(inner).st_dev != os.fstat(top).st_dev:
            raise OSError(errno.EXDEV, "on another file system", name)
        for each in os.listdir(inner):
            try:
                os.unlink(each, dir_fd=inner)
            except IsADirectoryError:
                number = _moved_up(top, inner, each, number)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)
    return number


def _moved_up(top: int, inner: int, name: str, number: int) -> int:
    while True:
        number += 1
        fresh = f".removed-{number}"
        try:
            os.mkdir(fresh, dir_fd=top)  # taken from now on: a rename would replace what is empty
        except FileExistsError:
            continue
        os.rename(name, fresh, src_dir_fd=inner, dst_dir_fd=top)
        return number
