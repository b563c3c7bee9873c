"""Where an image goes when it leaves: the value of ``-o``, as docker buildx writes it."""

from __future__ import annotations

import csv
import enum
from dataclasses import dataclass

from builder.errors import BuildError

STDOUT = "-"


class OutputFormatError(BuildError):
    """A value of ``-o`` that cannot be understood."""


class OutputKind(enum.Enum):
    """What is written."""

    OCI = "oci"
    DOCKER = "docker"
    LOCAL = "local"
    TAR = "tar"


@dataclass(frozen=True, slots=True)
class Output:
    """A kind and a destination; ``dest`` is ``-`` for the standard output.

    >>> Output.parse("type=oci,dest=image.tar")
    Output(kind=<OutputKind.OCI: 'oci'>, dest='image.tar', as_directory=False)
    """

    kind: OutputKind
    dest: str
    as_directory: bool = False

    @classmethod
    def parse(cls, written: str) -> Output:
        """The output that ``type=…,dest=…`` or just a directory names; OutputFormatError if neither."""
        if written == STDOUT:
            return cls(OutputKind.TAR, STDOUT)
        if "=" not in written:
            return cls(OutputKind.LOCAL, _needed(written, written), as_directory=True)
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
        if fields:
            raise OutputFormatError(
                f"-o {written}: unknown option {min(fields)!r}", fix="known: type, dest, tar"
            )
        as_directory = kind is OutputKind.LOCAL or (kind is OutputKind.OCI and tar == "false")
        if as_directory and dest == STDOUT:
            raise OutputFormatError(f"-o {written}: a directory cannot be written to the standard output")
        return cls(kind, dest, as_directory)


def _pair(field: str, written: str) -> tuple[str, str]:
    name, equals, value = field.partition("=")
    if not equals:
        raise OutputFormatError(f"-o {written}: {field!r} is no name=value", fix="write type=oci,dest=FILE")
    return name.strip().lower(), value


def _needed(dest: str, written: str) -> str:
    if not dest or "\0" in dest:
        raise OutputFormatError(f"-o {written}: no destination", fix="add dest=FILE, or dest=- for stdout")
    return dest
