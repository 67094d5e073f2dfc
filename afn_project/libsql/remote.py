"""The transport to a libSQL server: transactions, and what may be tried again when the network fails.

* Between transactions each statement takes any stream of the pool; a transaction keeps its own.
* BEGIN waits for the first statement and travels with it: one round trip less in every transaction.
* **Only what changes nothing is tried again after a lost connection**: reads, and the first statement of a
  transaction, since without a COMMIT it comes to nothing. A write outside of a transaction, or a COMMIT,
  whose answer is missing raises ``OutcomeUnknown``. What was surely not run (nothing was sent, or the server
  no longer knew the stream) is tried again whatever it is.
* When the server ends a transaction (it was idle, or kept another writer waiting), every statement up to
  the ROLLBACK raises ``TransactionLost``: none of them slips through outside of a transaction.
"""

import random
import time
from collections.abc import Iterator, Sequence
from itertools import count
from sqlite3 import OperationalError
from typing import Any

from .driver import NOTHING, Result, SqlValue
from .errors import (
    ConnectionLost,
    OutcomeUnknown,
    PoolExhausted,
    ResultTooLarge,
    ServerUnreachable,
    TooManyConnections,
    TransactionLost,
    error_from_server,
)
from .hrana import (
    InvalidText,
    NoAnswer,
    NotSent,
    Request,
    RequestFailed,
    Stream,
    StreamGone,
    StreamOfParent,
    result,
    statement,
)
from .pool import Pool
from .statements import TRANSACTION, check_count, ends_transaction, first_word, only_reads, pragma, prepared

_TRIES = 3
_FIRST_WAIT = 0.05  # seconds before the second try, doubled before the third
# Statements and bytes of one request of `execute_many`. The server takes more; a failure costs less.
_BATCH_STEPS, _BATCH_BYTES = 500, 2 * 2**20
_AUTOCOMMIT: Request = {"type": "get_autocommit"}


class RemoteDriver:
    """One connection, as PEP 249 means it, to a database on a server. ``timeout``: seconds for an answer."""

    def __init__(self, pool: Pool, *, timeout: float = 15.0) -> None:
        self.timeout = timeout
        self.round_trips = 0  # requests sent, for who measures
        self.stored = 0  # writes, or transactions with writes, that the server said it has kept
        self._pool = pool
        self._stream: Stream | None = None  # kept while it holds a transaction, or a state of its own
        self._begin = ""  # a BEGIN that travels with the next statement
        self._is_open = False  # a transaction on the server
        self._lost = ""  # why the transaction is gone that the caller is still in
        self._has_written = False  # since the last COMMIT
        self._enforces_foreign_keys = True  # as a new stream does
        self._has_state = False  # set on the stream by a PRAGMA: no other connection may get it

    @property
    def in_transaction(self) -> bool:
        return bool(self._begin or self._is_open or self._lost)

    @property
    def lost(self) -> str:
        """Why the transaction is gone that the caller is still in; empty where none is gone."""
        return self._lost

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> Result:
        sql, expected = prepared(sql)
        check_count(expected, parameters)
        if not sql or self._settle(sql):
            return NOTHING
        if first_word(sql) == "PRAGMA":
            self._note_pragma(sql)
        (answer,) = self._run([statement(sql, parameters)], sql)
        self._account(sql)
        return result(answer)

    def execute_many(self, sql: str, rows: Sequence[Sequence[SqlValue]]) -> int:
        sql, expected = prepared(sql)
        if not sql:
            return 0
        for row in rows:
            check_count(expected, row)
        changed = 0
        for batch in _batches(sql, rows):
            self._check_not_lost()
            answers = self._run(batch, sql)
            self._account(sql)
            changed += sum(len(answer["rows"]) or answer["affected_row_count"] for answer in answers)
        return changed

    def script(self, sql: str) -> None:
        self._check_not_lost()
        if self._begin:
            self._run([statement("SELECT 1", ())], "SELECT 1")
        self._has_state |= "PRAGMA" in sql.upper()
        (answer,) = self._send([{"type": "sequence", "sql": sql}], "", may_repeat=False)
        if answer["type"] == "error":
            raise self._failure(answer["error"], "", was_open=self.in_transaction)
        self._account(sql)

    def close(self) -> None:
        self._begin = self._lost = ""
        if self._stream is not None:
            stream, self._stream, self._is_open = self._stream, None, False
            self._pool.discard(stream)

    # -- the state of the transaction ----------------------------------------------------------------------

    def _settle(self, sql: str) -> bool:
        """What needs no server: a BEGIN, the end of a transaction that has not begun or is gone."""
        ends = ends_transaction(sql)
        if self._lost:
            if not ends or first_word(sql) != "ROLLBACK":
                raise TransactionLost(self._lost)
            self._lost = ""
            return True
        if self._begin and ends:
            self._begin = ""
            return True
        if first_word(sql) == "BEGIN":
            if self.in_transaction:
                raise OperationalError("cannot start a transaction within a transaction")
            self._begin = sql
            return True
        return False

    def _check_not_lost(self) -> None:
        if self._lost:
            raise TransactionLost(self._lost)

    def _lose(self, reason: str) -> None:
        self._begin, self._is_open, self._lost = "", False, reason

    def _note(self, is_autocommit: bool, sql: str) -> None:
        """Take over what the server says of the transaction after a statement."""
        was_open, self._is_open = self._is_open, not is_autocommit
        if was_open and is_autocommit and first_word(sql) not in ("COMMIT", "END", "ROLLBACK", "RELEASE"):
            self._lose("The server has rolled this transaction back. Run it again.")

    def _account(self, sql: str) -> None:
        """Note of a statement that succeeded what is kept by it."""
        word = first_word(sql)
        self._has_written |= not only_reads(sql) and word not in (*TRANSACTION, "PRAGMA")
        if not self.in_transaction:
            self.stored += self._has_written and word != "ROLLBACK"
            self._has_written = False

    def _note_pragma(self, sql: str) -> None:
        name, sign, value = pragma(sql)
        if not sign or only_reads(sql):
            return
        if name != "foreign_keys":
            self._has_state = True
        elif not self.in_transaction:  # no-op in a transaction
            self._enforces_foreign_keys = value.upper() in ("ON", "1", "TRUE", "YES")

    # -- sending -------------------------------------------------------------------------------------------

    def _run(self, statements: Sequence[Request], sql: str) -> list[Any]:
        """Run statements, each only if the one before succeeded; their answers. `sql` is the text of all."""
        begin = [statement(self._begin, (), want_rows=False)] if self._begin else []
        steps = [*begin, *statements]
        if len(steps) == 1:
            request: Request = {"type": "execute", "stmt": steps[0]}
        else:
            request = {
                "type": "batch",
                "batch": {"steps": list(map(_step, steps, count()))},
            }
        was_open = self.in_transaction
        # Without a COMMIT, what the first statement of a transaction did comes to nothing.
        may_repeat = bool(begin) or (
            not self._is_open and (only_reads(sql) or first_word(sql) == "SAVEPOINT")
        )
        (answer,) = self._send([request], sql, may_repeat=may_repeat)
        if answer["type"] == "error":
            raise self._failure(answer["error"], sql, was_open=was_open)
        if len(steps) == 1:
            return [answer["response"]["result"]]
        done = answer["response"]["result"]
        for at, error in enumerate(done["step_errors"]):
            if error is not None:
                raise self._failure(error, sql, was_open=was_open, began=at >= len(begin))
        return list(done["step_results"][len(begin) :])

    def _failure(self, error: Any, sql: str, *, was_open: bool, began: bool = True) -> Exception:
        failure = error_from_server(error["message"], error.get("code"))
        if isinstance(failure, TransactionLost) and was_open:
            self._lose(str(failure))
        elif isinstance(failure, ResultTooLarge) and not was_open and not only_reads(sql):
            return self._unread(failure)
        elif not began:
            self._lose(f"The transaction could not begin: {failure}")
        return failure

    def _send(self, requests: list[Request], sql: str, *, may_repeat: bool) -> list[Any]:
        """Results of `requests`; what can be tried again is."""
        if self.in_transaction or not only_reads(sql):
            requests = [*requests, _AUTOCOMMIT]
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._exchange(requests, sql)
            except BaseException as error:
                self._drop()
                if attempt == _TRIES or not self._can_repeat(error, may_repeat=may_repeat):
                    failure = self._meaning(error, sql, may_repeat=may_repeat)
                    if self.in_transaction:
                        self._lose(f"This transaction failed and is rolled back: {failure}")
                    if failure is error:
                        raise
                    raise failure from error
            # Jitter, so that clients which failed together do not come back together.
            time.sleep(_FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))  # noqa: S311

    def _exchange(self, requests: list[Request], sql: str) -> list[Any]:
        if self._stream is None:
            self._stream = self._pool.acquire()
        # A switch for foreign keys belongs to the stream, and a new one does not know it.
        prefix = [] if self._enforces_foreign_keys or self._stream.is_open else [_WITHOUT_FOREIGN_KEYS]
        self.round_trips += 1
        results = self._stream.pipeline([*prefix, *requests], self.timeout)[len(prefix) :]
        if len(results) > 1:
            try:
                is_autocommit = results[-1]["response"]["is_autocommit"]
            except (KeyError, TypeError) as error:
                raise NoAnswer("the server does not tell whether a transaction is open") from error
            self._begin = ""
            self._note(is_autocommit, sql)
        if self._is_open and not self._stream.is_open:
            # The next statement would begin a new stream, and be stored without the ones before.
            self._lose("The server closed this transaction; all of it is rolled back. Run it again.")
        if not self._is_open and self._enforces_foreign_keys and not self._has_state:
            stream, self._stream = self._stream, None
            self._pool.release(stream)
        return results[:1]

    def _can_repeat(self, error: BaseException, *, may_repeat: bool) -> bool:
        """Whether the same request may be sent again: it was surely not run, or twice is no harm."""
        if self._is_open:
            return False
        match error:
            case RequestFailed(is_final=True) | PoolExhausted():
                return False
            case NotSent() | StreamGone() | TooManyConnections():
                return True
        return may_repeat and isinstance(error, NoAnswer)

    def _meaning(self, error: BaseException, sql: str, *, may_repeat: bool) -> BaseException:
        """The exception that a request which failed for good means for its statement."""
        endpoint = self._pool.endpoint
        match error:
            case StreamOfParent() if self._is_open:
                return TransactionLost(
                    "This transaction belongs to the process that this one was forked from, and goes on "
                    "there."
                )
            case StreamGone() if self._is_open:
                return TransactionLost(
                    "The server closed this transaction because nothing came for some ten seconds; all of it "
                    "is rolled back. Run it again, and do slow work outside of atomic()."
                )
            case StreamGone():
                return ConnectionLost(f"{endpoint} keeps closing the connection. Nothing was changed.")
            case NoAnswer() if self._is_open and first_word(sql) in ("COMMIT", "END", "RELEASE"):
                return OutcomeUnknown(
                    f"The connection to {endpoint} broke during COMMIT ({error}): the transaction is stored "
                    "as a whole or not at all. Look which before you run it again."
                )
            case NotSent() | NoAnswer() if self._is_open:
                return TransactionLost(
                    f"The connection to {endpoint} broke ({error}); the transaction is rolled back."
                )
            case NotSent():
                return ServerUnreachable(
                    f"{endpoint} cannot be reached ({error}); nothing was sent. Is the server running, and "
                    "TURSO_DATABASE_URL right?"
                )
            case NoAnswer() if not may_repeat:
                return OutcomeUnknown(
                    f"The connection to {endpoint} broke during a write ({error}): it is stored or not. Look "
                    "which before you run it again."
                )
            case InvalidText() if not self.in_transaction and not only_reads(sql):
                return self._unread(error)
            case NoAnswer():
                return ConnectionLost(f"{endpoint} did not answer ({error}). Nothing was changed.")
        return error

    def _unread(self, error: Exception) -> OutcomeUnknown:
        """A write by itself, RETURNING what cannot be sent: the server has stored it all the same."""
        return OutcomeUnknown(
            f"{self._pool.endpoint} has run this write but cannot send what it returns: it is stored, most "
            f"probably. Look before you run it again. {error}"
        )

    def _drop(self) -> None:
        """Give up the stream of a failed request."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.hang_up()
            self._pool.discard(stream)


_WITHOUT_FOREIGN_KEYS: Request = {"type": "execute", "stmt": statement("PRAGMA foreign_keys = OFF", ())}


def _step(stmt: Request, position: int) -> Request:
    if not position:
        return {"stmt": stmt}
    return {"stmt": stmt, "condition": {"type": "ok", "step": position - 1}}


def _batches(sql: str, rows: Sequence[Sequence[SqlValue]]) -> Iterator[list[Request]]:
    batch: list[Request] = []
    size = 0
    for row in rows:
        one = statement(sql, row)
        batch.append(one)
        size += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
        if len(batch) == _BATCH_STEPS or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
