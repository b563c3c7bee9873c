"""The capabilities of a program file: the extended attribute ``security.capability`` (capabilities(7)).

It goes when somebody writes, cuts or gives away the file; what it may hold is fixed (security/commoncap.c).
"""

from __future__ import annotations

import errno
from struct import Struct
from typing import Final

from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.permission import fail

CAPABILITY: Final = "security.capability"

_MAGIC: Final = Struct("<I")
_ROOT: Final = Struct("<I")
_EFFECTIVE: Final = 1
_REVISION_2: Final = 0x02000000
_REVISION_3: Final = 0x03000000
_SIZE_2: Final = 20
_SIZE_3: Final = 24
_NOBODY: Final = 0xFFFFFFFF


def check_capability(value: bytes, caller: Caller) -> None:
    """Raise EINVAL, or EPERM, for a value that the kernel does not take (cap_convert_nscap).

    An empty one passes every check, as there is nothing to convert.
    """
    if not value:
        return
    magic = _MAGIC.unpack_from(value)[0] & ~_EFFECTIVE if len(value) >= _MAGIC.size else 0
    if (magic, len(value)) not in ((_REVISION_2, _SIZE_2), (_REVISION_3, _SIZE_3)):
        fail(errno.EINVAL)
    if caller.uid:
        fail(errno.EPERM)
    if magic == _REVISION_3 and _ROOT.unpack_from(value, _SIZE_2)[0] == _NOBODY:
        fail(errno.EINVAL)


def shown_capability(value: bytes) -> bytes:
    """What getxattr(2) tells of a value (cap_inode_getsecurity): if its root is root, in the older form."""
    if len(value) < _MAGIC.size:
        fail(errno.EINVAL)
    magic = _MAGIC.unpack_from(value)[0]
    if magic & ~_EFFECTIVE == _REVISION_3 and _ROOT.unpack_from(value, _SIZE_2)[0] == 0:
        return _MAGIC.pack(_REVISION_2 | magic & _EFFECTIVE) + value[_MAGIC.size : _SIZE_2]
    return value
