"""The instructions of a Dockerfile, one frozen noun each (Dockerfile reference).

What a variable may stand in is text until ``expanded(lookup)``, which returns the same instruction with
the variables replaced. Which words those are is the reference's list, "Environment replacement".
"""

from __future__ import annotations

from typing import ClassVar, Self

from builder.dockerfile.syntax.form import CommandForm as CommandForm
from builder.dockerfile.syntax.form import ExecForm as ExecForm
from builder.dockerfile.syntax.form import Expand
from builder.dockerfile.syntax.form import Instruction as Instruction
from builder.dockerfile.syntax.form import NetworkMode as NetworkMode
from builder.dockerfile.syntax.form import PairForm as PairForm
from builder.dockerfile.syntax.form import SecurityMode as SecurityMode
from builder.dockerfile.syntax.form import ShellForm as ShellForm
from builder.dockerfile.syntax.heredoc import Heredoc, read_mark
from builder.dockerfile.syntax.mount import RunMount, read_mount
from builder.dockerfile.syntax.ports import parse_ports
from builder.dockerfile.syntax.signals import parse_signal
from builder.dockerfile.variables.expand import ExpansionError, Lookup, expand_document, expand_words
from unionfs_sim.nodes.record import Record, field, replace


class From(Instruction, kw_only=True):
    """``FROM [--platform=p] base [AS alias]``; ``alias`` in lower case, the other two as written."""

    name: ClassVar[str] = "FROM"
    base: str
    alias: str | None = None
    platform: str | None = None
    as_keyword: str = field(default="", repr=False)
    written_alias: str = field(default="", repr=False)

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002
        platform = None if self.platform is None else expand_word(self.platform)
        return replace(self, base=expand_word(self.base), platform=platform)


class Run(Instruction, kw_only=True):
    """``RUN``. Before ``expanded`` those fields of ``mounts`` that hold a variable have their defaults."""

    name: ClassVar[str] = "RUN"
    command: CommandForm
    heredocs: tuple[Heredoc, ...] = ()
    mount_flags: tuple[str, ...] = ()
    mounts: tuple[RunMount, ...] = ()
    network: NetworkMode = NetworkMode.DEFAULT
    security: SecurityMode = SecurityMode.SANDBOX

    @property
    def script(self) -> Heredoc | None:
        """The document that is the whole command, as in ``RUN <<EOF``; None in every other form."""
        sole = isinstance(self.command, ShellForm) and len(self.heredocs) == 1
        return self.heredocs[0] if sole and self._is_mark() else None

    def _is_mark(self) -> bool:
        try:
            return isinstance(self.command, ShellForm) and read_mark(self.command.text) is not None
        except ExpansionError:
            return False

    @property
    def shell_text(self) -> str:
        """What the shell is given, heredocs included; "" in exec form.

        A ``script`` that begins with ``#!`` is a program of its own: run it as a file instead.
        """
        if isinstance(self.command, ExecForm):
            return ""
        if self.script is not None:
            return self.script.content
        documents = "".join(f"\n{each.raw}{each.name}" for each in self.heredocs)
        return self.command.text + documents

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002
        mounts = tuple(read_mount(flag, expand_word) for flag in self.mount_flags)
        return replace(self, mounts=mounts)


class Transfer(Instruction, kw_only=True):
    """What COPY and ADD share. ``documents``: heredocs to write, each under its name."""

    sources: tuple[str, ...]
    documents: tuple[Heredoc, ...] = ()
    destination: str
    chown: str = ""
    chmod: str = ""
    link: bool = False
    exclude: tuple[str, ...] = ()

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:
        return replace(
            self,
            sources=tuple(map(expand_word, self.sources)),
            documents=tuple(
                each if each.quoted else each.holding(expand_document(each.raw, lookup))
                for each in self.documents
            ),
            destination=expand_word(self.destination),
            chown=expand_word(self.chown),
            chmod=expand_word(self.chmod),
            exclude=tuple(map(expand_word, self.exclude)),
        )


class Copy(Transfer, kw_only=True):
    """``COPY [--from=stage|image] … source… destination``."""

    name: ClassVar[str] = "COPY"
    from_: str | None = None
    parents: bool = False


class Add(Transfer, kw_only=True):
    """``ADD``: COPY that also fetches URLs and unpacks local archives. ``unpack`` None: by kind of source."""

    name: ClassVar[str] = "ADD"
    checksum: str = ""
    keep_git_dir: bool = False
    unpack: bool | None = None

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:
        return replace(Transfer._expanded(self, expand_word, lookup), checksum=expand_word(self.checksum))


class Declaration(Record):
    """One name of an ARG; ``default`` is None if it has none."""

    name: str
    default: str | None = None


class Arg(Instruction, kw_only=True):
    """``ARG name[=default] …``. A scope expands it, one declaration after the other: see ``scope``."""

    name: ClassVar[str] = "ARG"
    declarations: tuple[Declaration, ...]


class Pairs(Instruction, kw_only=True):
    """What ENV and LABEL share: every value is expanded with the variables from before the instruction."""

    pairs: tuple[tuple[str, str], ...]
    form: PairForm = PairForm.EQUALS

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002
        return replace(self, pairs=tuple((expand_word(key), expand_word(value)) for key, value in self.pairs))


class Env(Pairs, kw_only=True):
    """``ENV key=value …``."""

    name: ClassVar[str] = "ENV"


class Label(Pairs, kw_only=True):
    """``LABEL key=value …``."""

    name: ClassVar[str] = "LABEL"


class Workdir(Instruction, kw_only=True):
    """``WORKDIR path``; a relative one goes on from the one before."""

    name: ClassVar[str] = "WORKDIR"
    path: str

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002
        return replace(self, path=expand_word(self.path))


class User(Instruction, kw_only=True):
    """``USER name|uid[:group|gid]``."""

    name: ClassVar[str] = "USER"
    user: str

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002
        return replace(self, user=expand_word(self.user))


class Expose(Instruction, kw_only=True):
    """``EXPOSE port…``; ``written``: as the file has them, ``ports``: as ``80/tcp``, those known so far."""

    name: ClassVar[str] = "EXPOSE"
    written: tuple[str, ...]
    ports: tuple[str, ...] = ()

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002
        words = [word for each in self.written for word in expand_words(each, lookup, self.escape)]
        ports = dict.fromkeys(port for word in words for port in parse_ports(word))
        return replace(self, written=tuple(words), ports=tuple(ports))


class Volume(Instruction, kw_only=True):
    """``VOLUME path…``."""

    name: ClassVar[str] = "VOLUME"
    paths: tuple[str, ...]

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002
        paths = tuple(map(expand_word, self.paths))
        if not all(paths):
            raise ExpansionError("a path is empty", fix="name a directory, such as /data")
        return replace(self, paths=paths)


class Cmd(Instruction, kw_only=True):
    """``CMD``; ``CMD []`` is the exec form without words and removes the command."""

    name: ClassVar[str] = "CMD"
    command: CommandForm


class Entrypoint(Instruction, kw_only=True):
    """``ENTRYPOINT``; ``ENTRYPOINT []`` removes the entry point."""

    name: ClassVar[str] = "ENTRYPOINT"
    command: CommandForm


class Healthcheck(Instruction, kw_only=True):
    """``HEALTHCHECK``; ``command`` is None for ``NONE``. A time of 0 means: not given."""

    name: ClassVar[str] = "HEALTHCHECK"
    command: CommandForm | None
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0

    @property
    def test(self) -> tuple[str, ...]:
        """What to run, as an image config has it."""
        match self.command:
            case None:
                return ("NONE",)
            case ShellForm(text):
                return ("CMD-SHELL", text)
            case ExecForm(argv):
                return ("CMD", *argv)


class Stopsignal(Instruction, kw_only=True):
    """``STOPSIGNAL name|number``."""

    name: ClassVar[str] = "STOPSIGNAL"
    signal: str

    def _expanded(self, expand_word: Expand, lookup: Lookup) -> Self:  # noqa: ARG002
        signal = expand_word(self.signal)
        parse_signal(signal)
        return replace(self, signal=signal)


class Shell(Instruction, kw_only=True):
    """``SHELL ["program", "argument"]``: what runs shell forms from here on."""

    name: ClassVar[str] = "SHELL"
    argv: tuple[str, ...]


class Onbuild(Instruction, kw_only=True):
    """``ONBUILD instruction``; ``expression`` is what the image's config keeps of it.

    ``trigger`` is None where it is no instruction, and ``wrong`` says why: BuildKit reads it only when a
    build starts from the image (``parseOnBuild``).
    """

    name: ClassVar[str] = "ONBUILD"
    trigger: Instruction | None
    expression: str
    wrong: str = ""


class Maintainer(Instruction, kw_only=True):
    """``MAINTAINER author``: deprecated, a LABEL says it better."""

    name: ClassVar[str] = "MAINTAINER"
    author: str
