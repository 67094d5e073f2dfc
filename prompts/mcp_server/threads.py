"""Database work beside an event loop: in a few threads that live as long as the process.

The connections of Django and of libSQL belong to the thread that opened them. Each piece of work begins and
ends as a request does: broken, replaced and outlived connections are closed, and all others are kept.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from django.db import close_old_connections

THREADS: Final = 8
_T = TypeVar("_T")
_pool: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="mcp")


async def in_thread(work: Callable[..., _T], *arguments: Any) -> _T:
    """What `work` returns or raises. It runs to its end even where nobody waits for it any more."""
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, context.run, _with_connections, work, *arguments)


def _with_connections(work: Callable[..., _T], *arguments: Any) -> _T:
    close_old_connections()
    try:
        return work(*arguments)
    finally:
        close_old_connections()
