"""Stand-ins for ``pwd`` and ``grp``: the accounts are the union's own, read from its /etc."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from unionfs_sim.accounts import groups, users
from unionfs_sim.fakefs.session import Session
from unionfs_sim.filesystem import Filesystem

if TYPE_CHECKING:
    import grp
    import pwd

RecordT = TypeVar("RecordT")


class FakePwd:
    """The module ``pwd`` over /etc/passwd of the union."""

    def __init__(self, session: Session) -> None:
        import pwd  # only a machine that has the module has a stand-in for it

        self._session = session
        self.struct_passwd = pwd.struct_passwd

    def getpwall(self) -> list[pwd.struct_passwd]:
        """All accounts."""
        return [self.struct_passwd(user) for user in users(_read_by(self._session))]

    def getpwuid(self, uid: int) -> pwd.struct_passwd:
        """The account with ``uid``; KeyError if there is none."""
        return _one(self.getpwall(), "pw_uid", uid, f"getpwuid(): uid not found: {uid}")

    def getpwnam(self, name: str) -> pwd.struct_passwd:
        """The account called ``name``; KeyError if there is none."""
        return _one(self.getpwall(), "pw_name", name, f"getpwnam(): name not found: {name!r}")


class FakeGrp:
    """The module ``grp`` over /etc/group of the union."""

    def __init__(self, session: Session) -> None:
        import grp  # only a machine that has the module has a stand-in for it

        self._session = session
        self.struct_group = grp.struct_group

    def getgrall(self) -> list[grp.struct_group]:
        """All groups."""
        return [
            self.struct_group((*group[:3], list(group.members))) for group in groups(_read_by(self._session))
        ]

    def getgrgid(self, gid: int) -> grp.struct_group:
        """The group with ``gid``; KeyError if there is none."""
        return _one(self.getgrall(), "gr_gid", gid, f"getgrgid(): gid not found: {gid}")

    def getgrnam(self, name: str) -> grp.struct_group:
        """The group called ``name``; KeyError if there is none."""
        return _one(self.getgrall(), "gr_name", name, f"getgrnam(): name not found: {name!r}")


def _read_by(session: Session) -> Filesystem:
    """The union as whoever asks may read it."""
    return session.view.acting_as(session.view.caller)


def _one(records: list[RecordT], attribute: str, value: object, message: str) -> RecordT:
    for record in records:
        if getattr(record, attribute) == value:
            return record
    raise KeyError(message)
