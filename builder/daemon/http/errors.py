"""What the daemon answers instead of a result, and how a connection ends before its time."""

from __future__ import annotations

from builder.errors import (
    BuildError,
    ContextError,
    DockerfileError,
    ImageFormatError,
    NotSupportedError,
    UnknownImageError,
)
from builder.image.reference import ReferenceFormatError


class ApiError(Exception):
    """An answer ``{"message": …}`` with a status of its own (Engine API, "Errors")."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class BadRequest(ApiError):
    """The request cannot be understood, or asks for what cannot be kept: 400."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class NotFound(ApiError):
    """What the request names is not here: 404."""

    def __init__(self, message: str) -> None:
        super().__init__(404, message)


class Conflict(ApiError):
    """The request and the state of what it names contradict each other: 409."""

    def __init__(self, message: str) -> None:
        super().__init__(409, message)


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


def api_error(error: BuildError) -> ApiError:
    """The answer that a failure of the builder is."""
    match error:
        case UnknownImageError():
            return NotFound(str(error))
        case (
            NotSupportedError()
            | DockerfileError()
            | ContextError()
            | ImageFormatError()
            | ReferenceFormatError()
        ):
            return BadRequest(str(error))
        case _:
            return ApiError(500, str(error))
