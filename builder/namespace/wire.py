"""What travels between the builder and its helper, as JSON holds it: errors, attributes, edits.

An error travels as what it says, and is raised again at the other end. The bytes of a file never travel in a
message: they follow the edit on a pipe.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any

from builder.context.edit import (
    Edit,
    MakeDirectory,
    MakeHardlink,
    MakeNode,
    MakeSymlink,
    Remove,
    SetAttributes,
    WriteFile,
)
from builder.errors import BuildError, StepFailedError
from builder.namespace.channel import Message
from unionfs_sim.filesystem import Attributes
from unionfs_sim.nodes.content import Content
from unionfs_sim.tar.header import LayerFormatError


def error_told(error: BaseException) -> Message:
    """What of ``error`` travels."""
    match error:
        case BuildError():
            return {
                "kind": "build",
                "what": error.what,
                "where": None if error.where is None else str(error.where),
                "fix": error.fix,
                "status": getattr(error, "exit_status", None),
            }
        case LayerFormatError():
            return {"kind": "layer", "what": error.what, "entry": error.entry}
        case OSError():
            name = error.filename
            path = os.fsdecode(name) if isinstance(name, (str, bytes)) else None
            return {"kind": "os", "errno": error.errno, "what": error.strerror or str(error), "path": path}
    what = f"the helper in the user namespace failed: {type(error).__name__}: {error}"
    return {"kind": "build", "what": what, "where": None, "fix": None, "status": None}


def error_of(message: Message) -> Exception:
    """The error that ``error_told`` made the message of."""
    match message["kind"]:
        case "os":
            return OSError(message["errno"], message["what"], message["path"])
        case "layer":
            return LayerFormatError(message["what"], message["entry"])
    what, where, fix = message["what"], message["where"], message["fix"]
    if message["status"] is None:
        return BuildError(what, where=where, fix=fix)
    return StepFailedError(what, where=where, fix=fix, exit_status=message["status"])


def xattrs_told(xattrs: Mapping[str, bytes | None]) -> dict[str, str | None]:
    """Extended attributes; None removes one."""
    return {
        name: None if value is None else base64.b64encode(value).decode() for name, value in xattrs.items()
    }


def xattrs_of(told: Mapping[str, str | None]) -> dict[str, bytes | None]:
    """What ``xattrs_told`` made the texts of."""
    return {name: None if value is None else base64.b64decode(value) for name, value in told.items()}


def attributes_told(change: Attributes) -> list[Any]:
    """A change of attributes."""
    xattrs = None if change.xattrs is None else xattrs_told(change.xattrs)
    return [change.mode, change.uid, change.gid, change.atime_ns, change.mtime_ns, xattrs]


def attributes_of(told: list[Any]) -> Attributes:
    """What ``attributes_told`` made the list of."""
    mode, uid, gid, atime_ns, mtime_ns, xattrs = told
    if xattrs is not None:
        xattrs = xattrs_of(xattrs)
    return Attributes(mode=mode, uid=uid, gid=gid, atime_ns=atime_ns, mtime_ns=mtime_ns, xattrs=xattrs)


def edit_told(edit: Edit) -> list[Any]:
    """An edit without the bytes that it writes."""
    match edit:
        case MakeDirectory(path=path, attributes=attributes):
            return ["directory", path, attributes_told(attributes)]
        case WriteFile(path=path, content=content, attributes=attributes):
            return ["file", path, attributes_told(attributes), content.size]
        case MakeSymlink(path=path, target=target, attributes=attributes):
            return ["symlink", path, attributes_told(attributes), target]
        case MakeHardlink(path=path, source=source):
            return ["hardlink", path, source]
        case MakeNode(path=path, mode=mode, rdev=rdev, attributes=attributes):
            return ["node", path, attributes_told(attributes), mode, rdev]
        case Remove(path=path):
            return ["remove", path]
        case SetAttributes(path=path, attributes=attributes):
            return ["attributes", path, attributes_told(attributes)]


def edit_of(told: list[Any], content: Content) -> Edit:
    """What ``edit_told`` made the list of; ``content``: the bytes of a file."""
    kind, path, *more = told
    match kind:
        case "directory":
            return MakeDirectory(path, attributes_of(more[0]))
        case "file":
            return WriteFile(path, content, attributes_of(more[0]))
        case "symlink":
            return MakeSymlink(path, more[1], attributes_of(more[0]))
        case "hardlink":
            return MakeHardlink(path, more[0])
        case "node":
            return MakeNode(path, more[1], more[2], attributes_of(more[0]))
        case "remove":
            return Remove(path)
    return SetAttributes(path, attributes_of(more[0]))
