"""Where an image goes when it leaves: the value of ``-o``, as docker buildx writes it."""

from __future__ import annotations

import enum

from builder.errors import BuildError
from builder.image.compressor import Compression, Method
from unionfs_sim.nodes.record import Record, field

STDOUT = "-"


class OutputFormatError(BuildError):
    """A value of ``-o`` that cannot be understood."""


class OutputKind(enum.Enum):
    """What is written."""

    OCI = "oci"
    DOCKER = "docker"
    LOCAL = "local"
    TAR = "tar"


class Output(Record):
    """A kind and a destination; ``dest`` is ``-`` for the standard output.

    ``compression``: of the layers, where layers are written.

    >>> str(Output.parse("type=oci,dest=image.tar,compression=zstd").compression)
    'zstd-3'
    """

    kind: OutputKind
    dest: str
    as_directory: bool = False
    compression: Compression = field(default_factory=Compression)

    @classmethod
    def parse(cls, written: str) -> Output:
        """The output that ``type=…,dest=…`` or just a directory names; OutputFormatError if neither."""
        if written == STDOUT:
            return cls(OutputKind.TAR, STDOUT)
        if "=" not in written:
            return cls(OutputKind.LOCAL, _needed(written, written), as_directory=True)
        import csv

        fields = dict(_pair(each, written) for each in next(csv.reader([written])))
        try:
            kind = OutputKind(fields.pop("type", ""))
        except ValueError:
            kinds = ", ".join(kind.value for kind in OutputKind)
            raise OutputFormatError(f"-o {written}: the type must be one of {kinds}") from None
        dest = _needed(fields.pop("dest", fields.pop("output", "")), written)
        tar = fields.pop("tar", "true")
        if tar not in ("true", "false"):
            raise OutputFormatError(f"-o {written}: tar must be true or false")
        compression = _compression(fields, written)
        if fields:
            known = "known: type, dest, tar, compression, compression-level"
            raise OutputFormatError(f"-o {written}: unknown option {min(fields)!r}", fix=known)
        as_directory = kind is OutputKind.LOCAL or (kind is OutputKind.OCI and tar == "false")
        if as_directory and dest == STDOUT:
            raise OutputFormatError(f"-o {written}: a directory cannot be written to the standard output")
        return cls(kind, dest, as_directory, compression)


def _compression(fields: dict[str, str], written: str) -> Compression:
    method, level = fields.pop("compression", Method.GZIP.value), fields.pop("compression-level", None)
    if method not in {each.value for each in Method}:
        methods = ", ".join(each.value for each in Method)
        raise OutputFormatError(f"-o {written}: the compression must be one of {methods}")
    if level is not None and not (level.isascii() and level.isdigit() and len(level) < 4):
        raise OutputFormatError(f"-o {written}: the compression level must be a number")
    return Compression.parse(method, None if level is None else int(level))


def _pair(field: str, written: str) -> tuple[str, str]:
    name, equals, value = field.partition("=")
    if not equals:
        raise OutputFormatError(f"-o {written}: {field!r} is no name=value", fix="write type=oci,dest=FILE")
    return name.strip().lower(), value


def _needed(dest: str, written: str) -> str:
    if not dest or "\0" in dest:
        raise OutputFormatError(f"-o {written}: no destination", fix="add dest=FILE, or dest=- for stdout")
    return dest
