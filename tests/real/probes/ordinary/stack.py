"""The layers that every probe finds: two lowers in the model's words, and the same on a disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from unionfs_sim import WHITEOUT, Device, Dir, Fifo, File, Hardlink, Layer, Symlink, layer
from unionfs_sim.nodes.caller import Caller

PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n"
)
GROUP = "root:x:0:\ntty:x:5:bob\nann:x:1000:\nbob:x:1001:\n"
OLD_NS = 1_234_567_890_123_456_789


def lowers() -> list[Layer]:
    """Base first."""
    base = layer({
        "/etc/passwd": PASSWD,
        "/etc/group": GROUP,
        "/etc/motd": File("hello\n", mtime_ns=OLD_NS),
        "/etc/hosts": "127.0.0.1 localhost\n",
        "/tmp": Dir(mode=0o1777),
        "/tmp/anns": File("a", uid=1000, gid=1000, mode=0o666),
        "/tmp/bobs": File("b", uid=1001, gid=1001, mode=0o666),
        "/home/ann": Dir(uid=1000, gid=1000),
        "/home/ann/notes": File("one\ntwo\nthree\n", uid=1000, gid=1000),
        "/d/a": "1",
        "/d/b/c": "22",
        "/d/b/e/f": "333",
        "/bin/tool": File("#!/bin/sh\n", mode=0o755),
        "/link": Symlink("etc/motd"),
        "/abs": Symlink("/etc/motd"),
        "/dangling": Symlink("nowhere"),
        "/loop": Symlink("loop"),
        "/dlink": Symlink("d"),
        "/secret": File("s", mode=0o600),
        "/private": Dir(mode=0o700),
        "/private/x": "x",
        "/pipe": Fifo(),
        "/big": bytes(range(256)) * 40,
        "/suid": File("s", mode=0o4755),
        "/shared": Dir(mode=0o2775, gid=5),
        "/open": Dir(mode=0o777),
        "/hard1": "h",
        "/hard2": Hardlink("/hard1"),
        "/coloured": File("x", xattrs={"user.color": b"red"}),
        "/dev/null": Device(os.makedev(1, 3), mode=stat.S_IFCHR | 0o666),
        "/world": File("w", mode=0o666),
        "/gone/x": "x",
        "/opq/hidden": "h",
        "/merged/low": "low",
        "/merged/both": "low",
        "/text/utf8": "Grüße\r\nzwei\rdrei\n",
        "/text/latin": "Gr\xfc\xdfe\n".encode("latin-1"),
        **{f"/many/{number:02}": str(number) for number in range(50)},
    })  # fmt: skip
    top = layer(
        {
            "/etc/issue": "issue\n",
            "/d/a": WHITEOUT,
            "/gone": WHITEOUT,
            "/opq": Dir(opaque=True),
            "/opq/shown": "s",
            "/merged/top": "top",
            "/merged/both": "top",
        }
    )
    return [base.freeze(), top.freeze()]


def write(fs: Layer, directory: str) -> None:
    """Write a layer at ``directory`` as overlayfs wants it: owners, modes, marks, links and times."""
    raw = fs.acting_as(Caller())
    first: dict[int, str] = {}
    directories = []
    for path in _parents_first(fs):
        told, place = raw.lstat(path), directory + path
        kind = stat.S_IFMT(told.st_mode)
        if told.st_ino in first and kind != stat.S_IFDIR:
            os.link(first[told.st_ino], place, follow_symlinks=False)
            continue
        first[told.st_ino] = place
        if kind == stat.S_IFDIR:
            os.makedirs(place, exist_ok=True)
            directories.append((place, told))
        elif kind == stat.S_IFLNK:
            os.symlink(raw.readlink(path), place)
        elif kind == stat.S_IFREG:
            with open(place, "xb") as file:
                file.write(raw.read_bytes(path))
        else:
            os.mknod(place, told.st_mode, told.st_rdev)
        os.chown(place, told.st_uid, told.st_gid, follow_symlinks=False)
        if kind != stat.S_IFLNK:
            os.chmod(place, stat.S_IMODE(told.st_mode))
        for name, value in raw.xattrs(path).items():
            os.setxattr(place, name, value, follow_symlinks=False)
        os.utime(place, ns=(told.st_atime_ns, told.st_mtime_ns), follow_symlinks=False)
    for place, told in reversed(directories):
        os.utime(place, ns=(told.st_atime_ns, told.st_mtime_ns))


def _parents_first(fs: Layer) -> Iterator[str]:
    for path, directories, others in fs.walk("/"):
        if path == "/":
            yield path
        stem = path.rstrip("/")
        yield from (f"{stem}/{name}" for name in (*directories, *others))
