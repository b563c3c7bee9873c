"""What the first process of a sandbox does until it is the command: a root of its own, less power, one user.

Everything of the machine is taken as a descriptor before the root changes, and attached after it: no name in
an image can reach the machine any more. ``become`` runs in a child that the helper cloned into new mount,
pid, ipc and uts namespaces (and a network namespace, if asked for).
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import socket
import stat
import struct
import termios
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Final, NoReturn

from builder.context.paths import resolve
from builder.errors import BuildError, StepFailedError
from builder.namespace import mounts, seccomp, syscalls
from builder.namespace.channel import Channel, Message
from builder.namespace.stack import NOTHING, STUB, Ownership, Stack
from unionfs_sim.accounts import Identity, IdRangeError, UnknownAccountError, identity
from unionfs_sim.host.directory import HostDirectory, HostFile

HOSTNAME: Final = "buildkitsandbox"
"""What BuildKit calls the machine that RUN runs on."""

AT: Final = "at"
"""An empty directory: where the root is attached, in the sandbox's own mount namespace."""

HOLD: Final = "hold"
"""Another: where a file system is attached for as long as a part of it is taken."""

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where the image sets none (BuildKit ``system.DefaultPathEnvUnix``)."""

ONE_ID_APT: Final = "/etc/apt-one-id.conf"
"""Tells apt to stay root: in the stub layer, for sandboxes with a single id."""

KEPT_CAPABILITIES: Final = frozenset([0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31])
"""Docker's fourteen: CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW
SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP (capability.h)."""

TOY: Final = b"\x7fSIM"
"""How programs of the embedded base images begin."""

_LAST_CAPABILITY: Final = 40
FILES: Final = "files"
"""Another: where the helper keeps files that all sandboxes see, in its own mount namespace."""

_HOSTS: Final = f"127.0.0.1\tlocalhost {HOSTNAME}\n::1\tlocalhost ip6-localhost ip6-loopback\n".encode()
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP_RUNNING: Final = 0x41
_TIOCGPTPEER: Final = 0x5441


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One more mount for the command. Exactly one of the sources, or none for an empty tmpfs.

    ``stack``: layers, of which ``path`` is mounted; ``host``: a path of this machine, or below the helper's
    working directory; ``content``: the bytes (latin-1) of a file with ``mode``, ``uid`` and ``gid``.
    ``came``: ``host`` is a mount already, the descriptor of this number behind the streams.
    """

    target: str
    stack: Message | None = None
    host: str | None = None
    came: int | None = None
    path: str = "/"
    content: str | None = None
    read_only: bool = False
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """One command and everything around it.

    ``stack``: its root. ``scratch``: a directory below the helper's working directory for what only this
    sandbox needs. ``network``: whether it has the machine's. ``limits``: RLIMIT_* by name, soft and hard.
    ``files``: descriptors that come along are stdin, stdout and stderr; with a ``terminal`` there are none.
    """

    stack: Message
    scratch: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = ""
    network: bool = True
    hostname: str = HOSTNAME
    attachments: tuple[Attachment, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    allows_setuid: bool = False
    terminal: tuple[int, int] | None = None
    shm_bytes: int = 64 << 20

    def told(self) -> Message:
        """As a request to the helper."""
        return {"verb": "run", **asdict(self)}

    @classmethod
    def of(cls, told: Message) -> Sandbox:
        """What ``told`` made the message of."""
        fields: dict[str, Any] = {name: value for name, value in told.items() if name != "verb"}
        fields["argv"] = tuple(told["argv"])
        fields["attachments"] = tuple(Attachment(**each) for each in told["attachments"])
        fields["terminal"] = None if told["terminal"] is None else tuple(told["terminal"])
        return cls(**fields)


def flags(message: Message) -> int:
    """The namespaces that the sandbox of a request gets."""
    own = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
    return own if message["network"] else own | syscalls.CLONE_NEWNET


def become(channel: Channel, message: Message, descriptors: list[int]) -> NoReturn:
    """Make the sandbox and become its command; raises what hinders that. A good execve closes the channel."""
    sandbox = Sandbox.of(message)
    ownership = Ownership(sandbox.stack["ownership"])
    os.setsid()
    streams = 3 if sandbox.terminal is None else 0
    _streams(descriptors[:streams])
    socket.sethostname(sandbox.hostname)
    if not sandbox.network:
        _loopback_up()
    _enter(sandbox, descriptors[streams:])
    if sandbox.terminal is not None:
        _terminal(channel, sandbox.terminal)
    _execute(sandbox, ownership)


# ---- the root ----


def _enter(sandbox: Sandbox, came: Sequence[int]) -> None:
    """Change the root: what is mounted afterwards is what ``sandbox`` says, and nothing of the machine."""
    root, attached = _root_and_attachments(sandbox, came)
    processes = mounts.processes()
    devices = mounts.Devices()
    files = _files()
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
    """Once, in the helper: what all sandboxes share. Its mount namespace is copied for each of them.

    The hosts file lies on a tmpfs, so that no sandbox sees in its mountinfo where the state directory is.
    Capabilities leave the bounding set here: the helper keeps those it has, because it executes nothing.
    """
    mounts.attach(mounts.file_system("tmpfs", mounts.SAFE, {"mode": "755"}), FILES)
    with open(f"{FILES}/hosts", "wb") as file:
        file.write(_HOSTS)
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in KEPT_CAPABILITIES:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
    machine = os.uname().machine
    if seccomp.knows(machine):
        for owners in seccomp.Owners:
            _filter(machine, owners)


@cache
def _filter(machine: str, owners: seccomp.Owners) -> bytes:
    return seccomp.to_bytes(seccomp.program(machine, owners))


def _files() -> list[tuple[str, int]]:
    """The machine's resolver configuration and our hosts file, read-only."""
    taken = [("/etc/hosts", mounts.bind(f"{FILES}/hosts"))]
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
    taken = [(each, _taken(each, came)) for each in sandbox.attachments]
    look = Stack((*stack.lowers, stack.upper), ownership=stack.ownership) if stack.upper else stack
    root = look.mount(below=below)
    with HostDirectory(f"/proc/self/fd/{root}") as tree:
        os.close(root)
        placed = [(resolve(tree, each.target), each, mounted) for each, mounted in taken]
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


def _taken(attachment: Attachment, came: Sequence[int]) -> int:
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


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING))


# ---- the command ----


def _streams(descriptors: Sequence[int]) -> None:
    """stdin, stdout, stderr: what came along, in this order."""
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)


def _terminal(channel: Channel, size: tuple[int, int]) -> None:
    """A terminal made in the sandbox, so that it has a name there; its master end goes out."""
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    fcntl.ioctl(master, getattr(termios, "TIOCSPTLCK", 0x40045431), struct.pack("i", 0))
    slave = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for standard in range(3):
        os.dup2(slave, standard)
    channel.send({"terminal": True}, [master])
    os.close(master)
    if slave > 2:
        os.close(slave)


def _execute(sandbox: Sandbox, ownership: Ownership) -> NoReturn:
    """Give up what a build needs no power for, and become the command."""
    user = _user(sandbox.user)
    _make_directory(sandbox.cwd)
    _confine(sandbox, ownership)
    if ownership is Ownership.REAL:
        _switch(user)
    try:
        os.chdir(sandbox.cwd)
    except OSError as error:
        raise StepFailedError(
            f"cannot enter the working directory {sandbox.cwd}: {error.strerror}",
            fix="is it closed to the user that USER names?",
            exit_status=126,
        ) from None
    os.umask(0o022)
    env = {"PATH": DEFAULT_PATH, "HOSTNAME": sandbox.hostname, "HOME": user.home, **sandbox.env}
    if ownership is Ownership.KEPT:
        env.setdefault("APT_CONFIG", ONE_ID_APT)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    _exec(sandbox.argv, env)


class _Here(HostDirectory):
    """The root that this process is in: nothing outside can be named any more, so paths need no care."""

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o666, /) -> HostFile:
        """An open file; whatever it is, opening does not wait for anybody."""
        return HostFile(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, mode))


def _user(text: str) -> Identity:
    """Who ``USER text`` means in this root. StepFailedError if nobody."""
    try:
        return identity(_Here("/"), text)
    except UnknownAccountError as error:
        names = ", ".join(error.known)
        raise StepFailedError(
            f"unable to find user {text}: {error}",
            fix=f"make it first (RUN adduser …), or use a number; there are: {names}",
            exit_status=126,
        ) from None
    except IdRangeError as error:
        raise StepFailedError(f"USER {text}: {error}", exit_status=126) from None


def _make_directory(path: str) -> None:
    """The working directory, made if it does not exist, as runc does."""
    try:
        os.makedirs(path, 0o755, exist_ok=True)
    except OSError as error:
        raise StepFailedError(
            f"the working directory {path} cannot be made: {error.strerror}",
            fix="WORKDIR must name a directory; is something else there?",
            exit_status=126,
        ) from None


def _confine(sandbox: Sandbox, ownership: Ownership) -> None:
    for name, value in sandbox.limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    try:
        syscalls.join_new_keyring()
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM, errno.EDQUOT):
            raise
    if not sandbox.allows_setuid:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    machine = os.uname().machine
    if seccomp.knows(machine):
        owners = seccomp.Owners.PRETENDED if ownership is Ownership.KEPT else seccomp.Owners.REAL
        syscalls.filter_calls(_filter(machine, owners))


def _switch(user: Identity) -> None:
    try:
        if user.uid or user.gid or user.groups:
            os.setgroups(sorted(user.groups))
            os.setresgid(user.gid, user.gid, user.gid)
            os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:
        raise StepFailedError(
            f"cannot become user {user.uid}, group {user.gid}: {error.strerror}",
            fix="the range of /etc/subuid and /etc/subgid is too small for these ids",
            exit_status=126,
        ) from None


def _exec(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """execvp(3) with the PATH of ``env``; StepFailedError worded as runc words it."""
    name = argv[0]
    found = [name] if "/" in name else [f"{each or '.'}/{name}" for each in env["PATH"].split(":")]
    denied = None
    for path in found:
        try:
            os.execve(path, list(argv), dict(env))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR) or "/" in name:
                denied = (path, error)
            if "/" in name:
                break
    raise _not_executed(name, denied)


def _why_no_program(path: str) -> str:
    try:
        with open(path, "rb") as file:
            is_toy = file.read(len(TOY)) == TOY
    except OSError:
        is_toy = False
    if is_toy:
        return (
            "the programs of this base image are toys of the simulated world, which no machine runs: "
            "load or pull a real base image (docker save NAME | layerlab load), or use --strategy simulated"
        )
    return "it is no program of this machine's kind: was the image made for another --platform?"


def _not_executed(name: str, denied: tuple[str, OSError] | None) -> StepFailedError:
    if denied is None:
        what = f'exec: "{name}": executable file not found in $PATH'
        return StepFailedError(what, fix="no such file in the PATH of the image", exit_status=127)
    path, error = denied
    fix: str | None = None
    if error.errno == errno.ENOENT:
        if os.path.exists(path):
            fix = "it is there, but the interpreter that it names, or its loader, is not"
        elif name in ("/bin/sh", "/bin/bash"):
            fix = 'the image has no shell: use the JSON form, RUN ["/path"], or an image that has one'
        else:
            fix = "is the path right?"
    elif error.errno == errno.ENOEXEC:
        fix = _why_no_program(path)
    status = 127 if error.errno == errno.ENOENT else 126
    what = f'exec: "{name}": {(error.strerror or "").lower()}'
    return StepFailedError(what, fix=fix, exit_status=status)


# ---- beside a command that runs ----


def join(channel: Channel, message: Message, descriptors: list[int]) -> None:
    """One more command in a sandbox that runs: the first descriptor is a pidfd of its first process.

    The command is a child of this process, because a pid namespace is only entered by children; this one
    reports how it ended.
    """
    sandbox = Sandbox.of({**message, "verb": "run"})
    ownership = Ownership(sandbox.stack["ownership"])
    namespaces = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
    syscalls.join(descriptors[0], namespaces | (0 if sandbox.network else syscalls.CLONE_NEWNET))
    os.close(descriptors[0])
    child = os.fork()
    if child == 0:
        _join_as_child(channel, sandbox, ownership, descriptors[1:])
    pidfd = os.pidfd_open(child)
    channel.send({"started": True}, [pidfd])
    os.close(pidfd)
    _, status = os.waitpid(child, 0)
    channel.send({"exited": os.waitstatus_to_exitcode(status)})


def _join_as_child(
    channel: Channel, sandbox: Sandbox, ownership: Ownership, descriptors: Sequence[int]
) -> NoReturn:
    from builder.namespace.wire import error_told

    try:
        os.setsid()
        _streams(descriptors)
        if sandbox.terminal is not None:
            _terminal(channel, sandbox.terminal)
        _execute(sandbox, ownership)
    except (BuildError, OSError) as error:
        channel.send({"failed": error_told(error)})
    finally:
        os._exit(127)


def forward(channel: Channel, _: Message, descriptors: list[int]) -> None:
    """Hand out connections to ports of a sandbox's own network, whose pidfd came along.

    For each ``{"port": N}`` a connected socket goes out, or an error.
    """
    syscalls.join(descriptors[0], syscalls.CLONE_NEWNET)
    os.close(descriptors[0])
    while (received := channel.receive()) is not None:
        question = received[0]
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with connection:
            number = connection.connect_ex(("127.0.0.1", question["port"]))
            if number:
                channel.send({"refused": number})
            else:
                channel.send({"connected": True}, [connection.fileno()])
