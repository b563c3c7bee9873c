"""RUN --mount: what is attached to the root for one command (Dockerfile reference, "RUN --mount")."""

from __future__ import annotations

import enum
import posixpath
import re
from collections.abc import Callable
from typing import Any, Final

from builder.dockerfile.suggest import did_you_mean
from unionfs_sim.nodes.record import Record

_SIZE: Final = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?([kmgtp]?)i?b?", re.IGNORECASE | re.ASCII)


class MountError(ValueError):
    """A --mount that makes no sense: what is wrong, and what to write instead."""

    def __init__(self, what: str, *, fix: str | None = None) -> None:
        super().__init__(f"--mount: {what}")
        self.fix = fix


class MountType(enum.Enum):
    """Where the content of a mount comes from."""

    BIND = "bind"
    CACHE = "cache"
    TMPFS = "tmpfs"
    SECRET = "secret"
    SSH = "ssh"


class Sharing(enum.Enum):
    """What happens when two steps use one cache at the same time."""

    SHARED = "shared"
    PRIVATE = "private"
    LOCKED = "locked"


class RunMount(Record, kw_only=True):
    """One mount; None: not given. ``from_``: a stage, its index, or an image; "" is the build context.

    ``target``: relative to the working directory, which "" names.
    ``env``: the variable that a secret is put into.
    """

    type: MountType = MountType.BIND
    from_: str = ""
    source: str = ""
    target: str = ""
    id: str = ""
    read_only: bool = True
    sharing: Sharing | None = None
    required: bool = False
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size_bytes: int | None = None
    env: str | None = None


_KEYS: Final = {
    "type": "type",
    "from": "from_",
    "source": "source",
    "src": "source",
    "target": "target",
    "dst": "target",
    "destination": "target",
    "id": "id",
    "readonly": "read_only",
    "ro": "read_only",
    "readwrite": "read_write",
    "rw": "read_write",
    "sharing": "sharing",
    "required": "required",
    "mode": "mode",
    "uid": "uid",
    "gid": "gid",
    "size": "size_bytes",
    "env": "env",
}
_FLAGS: Final = frozenset({"read_only", "read_write", "required"})
_ONLY_FOR: Final = {
    "size_bytes": {MountType.TMPFS},
    "sharing": {MountType.CACHE},
    "required": {MountType.SECRET, MountType.SSH},
    "env": {MountType.SECRET},
    "mode": {MountType.SECRET, MountType.SSH, MountType.CACHE},
    "uid": {MountType.SECRET, MountType.SSH, MountType.CACHE},
    "gid": {MountType.SECRET, MountType.SSH, MountType.CACHE},
}


def read_mount(written: str, expand: Callable[[str], str] | None = None) -> RunMount:
    """The mount in ``type=cache,target=/root/.cache``.

    Without ``expand``, values with variables in them are left out. Raises MountError.
    """
    values: dict[str, Any] = {}
    complete = True
    for field in _fields(written):
        key, equals, value = field.partition("=")
        name = _KEYS.get(key.lower())
        if name is None:
            known = did_you_mean(key.lower(), _KEYS, otherwise="keys are " + ", ".join(sorted(_KEYS)))
            raise MountError(f"no such key: {key!r}", fix=known)
        if not equals and name not in _FLAGS:
            raise MountError(f"{key} has no value", fix=f"write {key}=…")
        if "$" in value and name == "from_":
            raise MountError(
                f"from={value}: variables are not expanded here", fix=f"FROM {value} AS name, then from=name"
            )
        if "$" in value:
            if expand is None:
                complete = False
                continue
            value = expand(value)
        values[name] = _value(name, key, value if equals else "true")
    mount = _made(values)
    if complete:
        _check(mount, values)
    return mount


def _fields(written: str) -> list[str]:
    import csv  # here, as most RUNs have no mount

    try:
        rows = list(csv.reader([written], strict=True))
    except csv.Error:
        raise MountError(
            f"{written!r} is no comma-separated list", fix='put quotes around a whole field: "source=a,b"'
        ) from None
    if len(rows) != 1 or not rows[0]:
        raise MountError("nothing is mounted", fix="write type=bind,source=…,target=…")
    return rows[0]


def _value(name: str, key: str, value: str) -> Any:
    match name:
        case "type":
            return _choice(MountType, key, value)
        case "sharing":
            return _choice(Sharing, key, value)
        case "read_only" | "read_write" | "required":
            return _truth(key, value)
        case "mode":
            return _number(key, value, 8)
        case "uid" | "gid":
            return _number(key, value, 10)
        case "size_bytes":
            return _size(value)
    return value


def _choice(kind: type[MountType] | type[Sharing], key: str, value: str) -> MountType | Sharing:
    names = [each.value for each in kind]
    if value.lower() not in names:
        raise MountError(
            f"{key}={value}: no such {key}",
            fix=did_you_mean(value, names, otherwise="use " + ", ".join(names)),
        )
    return kind(value.lower())


def _truth(key: str, value: str) -> bool:
    # Go's strconv.ParseBool.
    if value in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if value in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    raise MountError(f"{key}={value}: neither true nor false", fix=f"write {key}=true or {key}=false")


def _number(key: str, value: str, base: int) -> int:
    digits = "01234567" if base == 8 else "0123456789"
    if not value or len(value) > 12 or value.strip(digits):
        raise MountError(
            f"{key}={value}: no {'octal ' if base == 8 else ''}number",
            fix=f"write {key}={'0755' if base == 8 else '1000'}",
        )
    number = int(value, base)
    if number >= 2**32:
        raise MountError(f"{key}={value}: too large", fix="use 32 bits")
    return number


def _size(value: str) -> int:
    found = _SIZE.fullmatch(value)
    if found is None:
        raise MountError(f"size={value}: no size", fix="write size=64m or a number of bytes")
    return int(float(found[1]) * 1024 ** " kmgtp".index(found[2].lower() or " "))


def _made(values: dict[str, Any]) -> RunMount:
    kind: MountType = values.get("type", MountType.BIND)
    if "read_write" in values:
        read_only = not values["read_write"]
    else:
        read_only = values.get("read_only", kind not in (MountType.CACHE, MountType.TMPFS))
    known = {name: value for name, value in values.items() if name not in ("type", "read_only", "read_write")}
    if kind is MountType.SECRET and "id" not in known:
        # A secret without an id is the one that its source names, or else the last name of its target.
        known["id"] = known.get("source") or posixpath.basename(known.get("target", ""))
    return RunMount(type=kind, read_only=read_only, **known)


def _check(mount: RunMount, values: dict[str, Any]) -> None:
    kind = mount.type.value
    for name, types in _ONLY_FOR.items():
        if name in values and mount.type not in types:
            allowed = ", ".join(sorted(each.value for each in types))
            raise MountError(
                f"{name.removesuffix('_bytes')} makes no sense with type={kind}", fix=f"it is for {allowed}"
            )
    if mount.type is MountType.SECRET:
        if mount.from_:
            raise MountError("a secret comes from no stage", fix="remove from=")
        if mount.source and "id" in values:
            raise MountError("a secret has either id or source", fix="write id alone")
        if not mount.id:
            raise MountError("which secret?", fix="write type=secret,id=…")
    elif mount.type is MountType.CACHE and not mount.target:
        raise MountError("a cache has no place", fix="write target=/path")
    elif mount.target and posixpath.normpath(mount.target) in ("/", "//"):
        raise MountError(f"target={mount.target} would cover the whole root", fix="write target=/path")
