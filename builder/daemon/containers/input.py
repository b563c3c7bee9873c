"""The input of a command: what clients send, in turn, and without holding up anybody else."""

from __future__ import annotations

import asyncio
import contextlib

from builder.daemon.threads import aside
from builder.protocols import Input


class Feed:
    """What clients send, on its way to a command. It may be written to before the command runs."""

    def __init__(self, *, ends_with_client: bool) -> None:
        self._ends_with_client = ends_with_client
        self._there: asyncio.Future[Input | None] = asyncio.get_running_loop().create_future()
        self._turn = asyncio.Lock()

    def lead_to(self, stdin: Input) -> None:
        """The command runs, and this is its input."""
        if not self._there.done():
            self._there.set_result(stdin)

    def abandon(self) -> None:
        """The command will never run; what comes is lost."""
        if not self._there.done():
            self._there.set_result(None)

    async def take(self, piece: bytes | None) -> None:
        """Write a piece, or end the input if that is what the end of a client means."""
        async with self._turn:
            stdin = await asyncio.shield(self._there)
            if stdin is None:
                return
            with contextlib.suppress(OSError, ValueError):  # nobody reads any more
                if piece is not None:
                    await aside(lambda: stdin.write(piece))
                elif self._ends_with_client:
                    await aside(stdin.close)
