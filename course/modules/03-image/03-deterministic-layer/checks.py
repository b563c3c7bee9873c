"""Exercise 3.3: the same files, found on another disk at another time by somebody else, give the same bytes."""

from __future__ import annotations

import io
import random
import stat
from collections.abc import Callable, Generator, Iterator

from builder.errors import BuildError
from builder.image.compression import decompress, pieces
from course.check import Call, Talk, Wrong, call
from unionfs_sim import Layer
from unionfs_sim.tar.pack import LayerFormatError, read_layer

MOTD = {
    "path": "etc/motd",
    "content": b"hello\n",
    "mode": 0o644,
    "mtime": 1700000000,
    "uid": 1000,
    "user": "ada",
}
RUN = {**MOTD, "path": "bin/run", "content": b"echo\n", "mode": 0o755}
NOTE = {**MOTD, "path": "usr/note", "content": b"", "mode": 0o600}
NAMES = ("a", "b", "ab", "app", "etc/a", "etc/b", "srv/app", "srv/b", "usr/lib/x", "usr/lib/y")


def cases(seed: str) -> Iterator[Talk]:
    for files in ([MOTD], [RUN], [NOTE, RUN, MOTD]):
        yield Talk("contents", holds(files))
    yield same("order", [MOTD, RUN], [RUN, MOTD])
    yield same("order", [NOTE, RUN, MOTD], [MOTD, NOTE, RUN])
    yield same("times", [MOTD], [{**MOTD, "mtime": 1700009999}])
    yield same("times", [RUN, MOTD], [RUN, {**MOTD, "mtime": 0}])
    yield same("owners", [MOTD], [{**MOTD, "uid": 0}])
    yield same("owners", [MOTD], [{**MOTD, "user": "grace"}])
    for files in ([MOTD], [RUN, NOTE]):
        yield Talk("gzip-header", has_a_quiet_header(files))
    dice = random.Random(seed)
    for _ in range(8):
        files = random_files(dice)
        yield Talk("any-tree", holds(files))
        yield same("any-tree", files, found_elsewhere(dice, files))


def same(group: str, here: list[dict], there: list[dict]) -> Talk:
    """The bytes of both, compared; a difference is told by its place in the tar."""

    def script() -> Generator[Call, object, Wrong | None]:
        one = yield call(here)
        other = yield call(there)
        if unzipped(one) is None or unzipped(other) is None:
            return Wrong("not-gzip")
        return None if one == other else Wrong(shown=first_difference(unzipped(one), unzipped(other)))

    return Talk(group, script)


def holds(files: list[dict]) -> Callable[[], Generator[Call, object, Wrong | None]]:
    """What a reader of layers finds in the answer: paths, contents, modes."""

    def script() -> Generator[Call, object, Wrong | None]:
        tar = unzipped((yield call(files)))
        if tar is None:
            return Wrong("not-gzip")
        try:
            found = told(read_layer(io.BytesIO(tar)))
        except LayerFormatError as error:
            return Wrong("no-layer", shown=str(error))
        wanted = {"/" + file["path"]: (oct(file["mode"]), file["content"]) for file in files}
        if found == wanted:
            return None
        path = min(path for path in wanted.keys() | found.keys() if found.get(path) != wanted.get(path))
        return Wrong(shown=f"{path}: {found.get(path)}, {wanted.get(path)}", because=why(found, wanted, path))

    return script


def why(found: dict, wanted: dict, path: str) -> str:
    if path not in found or path not in wanted:
        return "paths"
    return "mode" if found[path][0] != wanted[path][0] else ""


def told(layer: Layer) -> dict[str, tuple[str, bytes]]:
    return {
        path: (oct(stat.S_IMODE(inode.mode)), inode.content.read(0, inode.content.size))
        for path, inode in layer.inodes()
        if stat.S_ISREG(inode.mode)
    }


def has_a_quiet_header(files: list[dict]) -> Callable[[], Generator[Call, object, Wrong | None]]:
    """Bytes 4 to 7 of gzip's header are a time, and flag 8 says that the name of a file follows (RFC 1952)."""

    def script() -> Generator[Call, object, Wrong | None]:
        answer = yield call(files)
        if unzipped(answer) is None:
            return Wrong("not-gzip")
        assert isinstance(answer, bytes)
        time = int.from_bytes(answer[4:8], "little")
        if time:
            return Wrong(shown=f"gzip, bytes 4–7: {time}")
        return Wrong("gzip-name", shown="gzip, byte 3: FNAME") if answer[3] & 8 else None

    return script


def unzipped(answer: object) -> bytes | None:
    if not isinstance(answer, bytes) or answer[:2] != b"\x1f\x8b":
        return None
    try:
        return b"".join(decompress(pieces(io.BytesIO(answer)), where="layer"))
    except BuildError:
        return None


def first_difference(one: bytes | None, other: bytes | None) -> str:
    """Where two tars part, by the field of the header that is there (POSIX ustar)."""
    if one == other:
        return "gzip"
    assert one is not None and other is not None
    apart = [n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    cause = [n for n in apart if not 148 <= n % 512 < 156]  # the checksum only follows from what differs
    at = next(iter(cause or apart), min(len(one), len(other)))
    block, within = divmod(at, 512)
    fields = ((100, "name"), (108, "mode"), (116, "uid"), (124, "gid"), (136, "size"), (148, "mtime"))
    later = ((156, "chksum"), (257, "typeflag, linkname"), (297, "uname"), (329, "gname"), (512, "prefix"))
    name = next(
        name for end, name in (*fields, *later) if within < (265 if name == "typeflag, linkname" else end)
    )
    return f"tar, block {block}: {name}"


def random_files(dice: random.Random) -> list[dict]:
    return [
        {
            "path": path,
            "content": dice.choice((b"", b"hello\n", b"x" * 600)),
            "mode": dice.choice((0o644, 0o755, 0o600)),
            "mtime": 1700000000 + dice.randrange(1000),
            "uid": dice.choice((0, 1000)),
            "user": dice.choice(("root", "ada")),
        }
        for path in dice.sample(NAMES, dice.randint(2, 5))
    ]


def found_elsewhere(dice: random.Random, files: list[dict]) -> list[dict]:
    """The same files as another disk, another checkout and another user have them."""
    moved = [{**file, "mtime": dice.randrange(1 << 30), "uid": 1001, "user": "grace"} for file in files]
    return moved[1:] + moved[:1]
