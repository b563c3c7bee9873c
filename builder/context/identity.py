"""Whose a copied file is: ``--chown`` in terms of the image it is copied into."""

from __future__ import annotations

from builder.errors import BuildError
from unionfs_sim.accounts import PASSWD, IdRangeError, UnknownAccountError
from unionfs_sim.accounts import owner as find_owner
from unionfs_sim.filesystem import Filesystem


def owner(fs: Filesystem, text: str) -> tuple[int, int]:
    """The uid and gid that ``user[:group]`` means in ``fs``; BuildError if a name is not known there."""
    try:
        return find_owner(fs, text)
    except UnknownAccountError as error:
        what, number = ("user", "uid") if error.file == PASSWD else ("group", "gid")
        raise BuildError(
            str(error), fix=f"create the {what} in an earlier RUN, or write its {number}"
        ) from None
    except IdRangeError as error:
        raise BuildError(str(error)) from None
