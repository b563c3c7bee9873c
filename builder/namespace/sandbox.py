"""A command and everything around it, as the builder asks the helper for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from builder.namespace.channel import Message

HOSTNAME: Final = "buildkitsandbox"
"""What BuildKit calls the machine that RUN runs on."""


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
    ``counts_mounts``: whether it says how many mounts the command sees.
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
    no_new_privileges: bool = False
    terminal: tuple[int, int] | None = None
    shm_bytes: int = 64 << 20
    counts_mounts: bool = False

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
