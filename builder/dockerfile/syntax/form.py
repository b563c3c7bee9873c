"""What instructions are made of: command forms, pair forms, and the fields that all of them have."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import ClassVar, Self, TypeAlias

from builder.dockerfile.span import Span
from builder.dockerfile.syntax.mount import MountError
from builder.dockerfile.syntax.ports import PortError
from builder.dockerfile.syntax.signals import SignalError
from builder.dockerfile.variables.expand import ExpansionError, Lookup, expand
from builder.errors import DockerfileError
from unionfs_sim.nodes.record import Record, field

Expand: TypeAlias = Callable[[str], str]


class ShellForm(Record):
    """A command line that the image's shell reads: ``RUN make && make install``."""

    text: str


class ExecForm(Record):
    """A command as words, run without a shell: ``CMD ["nginx", "-g", "daemon off;"]``."""

    argv: tuple[str, ...]


CommandForm: TypeAlias = ShellForm | ExecForm


class PairForm(enum.Enum):
    """How ENV and LABEL are written."""

    EQUALS = "key=value …"
    LEGACY = "key value"


class NetworkMode(enum.Enum):
    """RUN --network."""

    DEFAULT = "default"
    NONE = "none"
    HOST = "host"


class SecurityMode(enum.Enum):
    """RUN --security."""

    SANDBOX = "sandbox"
    INSECURE = "insecure"


class Instruction(Record, kw_only=True):
    """What all instructions have. ``source``: as written in the file. ``keyword``: in the case as written.

    ``comments``: the comment lines directly above. ``gaps``: numbers of empty lines inside continuations.
    """

    name: ClassVar[str] = ""
    span: Span
    source: str = field(repr=False)
    keyword: str = field(repr=False)
    escape: str = field(default="\\", repr=False)
    comments: tuple[str, ...] = field(default=(), repr=False)
    gaps: tuple[int, ...] = field(default=(), repr=False)

    def expanded(self, lookup: Lookup) -> Self:
        """The instruction with its variables replaced; DockerfileError names the line if that fails."""
        try:
            return self._expanded(lambda word: expand(word, lookup, self.escape), lookup)
        except (ExpansionError, PortError, SignalError, MountError) as error:
            raise DockerfileError(f"{self.name}: {error}", where=self.span, fix=error.fix) from None

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002 - for those that override it
        return self
