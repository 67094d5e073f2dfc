"""Several calls at a time, in threads that hold up the end of no process, unlike those of an executor."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from django.db import connections

One = TypeVar("One")
Done = TypeVar("Done")


def at_once(act: Callable[[One], Done], items: Sequence[One], threads: int) -> list[Done]:
    """What `act` returns for each; here and now where there is but one thread or item. Raises the first error
    of the threads, when the others are through.
    """
    if threads <= 1 or len(items) <= 1:
        return [act(one) for one in items]
    todo, done = deque(items), list[Done]()
    errors: list[Exception] = []

    def work() -> None:
        try:
            while todo:
                with suppress(IndexError):  # another one was faster
                    done.append(act(todo.popleft()))
        except Exception as error:  # noqa: BLE001 - raised below, or all would seem well to who called
            errors.append(error)
        finally:
            connections.close_all()  # they are this thread's

    workers = [Thread(target=work, name="at-once", daemon=True) for _ in range(min(threads, len(todo)))]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    if errors:
        raise errors[0]
    return done
