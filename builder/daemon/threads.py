"""Work that takes its time, beside the loop that serves all clients: each in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

ASIDE: Final = "beside the loop"
"""What the threads are called."""

T = TypeVar("T")


async def aside(work: Callable[[], T], *, stop: threading.Event | None = None) -> T:
    """What ``work`` returns or raises, in a thread of its own.

    Who is cancelled while it waits sets ``stop``, if there is one, and waits on until the work has ended.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]  # None only if the work returned it
        else:
            done.set_exception(error)

    def run() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = work()
        except BaseException as error:  # it is raised where the work is waited for
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name=ASIDE, daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if stop is not None:
            stop.set()
            with contextlib.suppress(BaseException):
                await asyncio.shield(done)
        done.cancel()
        raise


def from_thread(loop: asyncio.AbstractEventLoop, doing: Coroutine[Any, Any, T]) -> T:
    """Let the loop do something, from another thread, and wait for what it comes to."""
    return asyncio.run_coroutine_threadsafe(doing, loop).result()
