"""Prepared statements said to PostgreSQL by libpq's own calls, as few journeys as may be (decision 0051).

Every journey to the server and back costs both sides more than a look by key does, and psycopg's cursor makes one for
each statement. Here a statement is prepared at its first use on a connection and then named, and what can wait for the
next journey waits: what is only told (a row written) goes with the next question or with COMMIT; BEGIN goes with the
first question; and a question that is known to come next goes along and has its answer ready. psycopg still says how
values go out and come in, and what an error is called.
"""

from __future__ import annotations

import select
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from psycopg import OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg
    from psycopg.pq.abc import PGresult

    Statement = tuple[str, Sequence[Any]]

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
# statements that wait for the next journey at most: what travels is held in memory on both sides
_MOST = 1000


class Wire:
    """One connection of the driver; used by one thread at a time, as the session is that holds it.

    Every method raises psycopg.Error, for what waited too; what came after the statement that failed was not done.
    """

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._driver = driver
        self._libpq = driver.pgconn
        self._transformer = Transformer(driver)
        self._names: dict[str, bytes] = {}
        self._made = 0
        self._begins = False
        self._told: list[Statement] = []
        self._expected: list[Statement] = []
        self._ready: dict[tuple[str, tuple[Any, ...]], list[Any]] = {}
        self._meanwhile: Callable[[], object] | None = None
        self._under_way = False

    def begin(self) -> None:
        """Begin a transaction with what is said next, on a connection whose driver begins none by itself."""
        self._begins = True

    def ask(self, text: str, values: Sequence[Any]) -> list[Any]:
        """Run a statement; return its rows as tuples."""
        if self._ready and (found := self._ready.pop((text, tuple(values)), None)) is not None:
            return found
        before, along = self._told, self._expected
        self._told, self._expected = [], []
        results = self._travel([*before, (text, values), *along])[-1 - len(along) :]
        for (name, given), result in zip(along, results[1:], strict=True):
            self._ready[name, tuple(given)] = self._rows(result)
        return self._rows(results[0])

    def expect(self, text: str, values: Sequence[Any]) -> None:
        """Let a question go along with the next one; its answer is kept until it is asked, or anything is written."""
        if not self._ready or (text, tuple(values)) not in self._ready:
            self._expected.append((text, values))

    def meanwhile(self, work: Callable[[], object]) -> None:
        """Let something be done while the next journey is under way, which would only be waited for.

        It asks this connection nothing. Only a hint: whoever needs what it makes makes it where it was not made, and an
        error in it is left to them.
        """
        self._meanwhile = work

    def change(self, text: str, values: Sequence[Any]) -> int:
        """Run a statement; return how many rows it changed."""
        self._ready.clear()
        before, self._told = self._told, []
        return self._travel([*before, (text, values)])[-1].command_tuples or 0

    def tell(self, statements: Sequence[Statement]) -> None:
        """Run statements whose answers nobody reads: with what is asked next, or with the end of the transaction."""
        self._ready.clear()
        self._told += statements
        if len(self._told) > _MOST or not (self._begins or self._in_transaction() or self._driver_begins()):
            self.settle()

    def settle(self) -> None:
        """Send what waits, before somebody else speaks on this connection; what was kept may be old then."""
        self._stay()
        self._ready.clear()
        self._expected.clear()
        if self._told or self._begins:
            told, self._told = self._told, []
            self._travel(told)

    def commit(self) -> None:
        """Send what waits and end the transaction in one journey."""
        if self._told:
            told, self._told = self._told, []
            self._travel(told, ends=True)
        self.drop()
        self._begins = False
        if self._in_transaction():
            self._driver.commit()

    def rollback(self) -> None:
        """Drop what waits, and undo the transaction."""
        self.drop()
        self._begins = False
        if self._in_transaction():
            self._driver.rollback()

    def drop(self) -> None:
        """Drop what waits: it is undone, in part of a transaction or with all of it."""
        self._meanwhile = None
        self._ready.clear()
        self._expected.clear()
        self._told.clear()

    def _in_transaction(self) -> bool:
        """Tell whether there is something to end; nobody knows on a connection that was lost."""
        return self._libpq.transaction_status != TransactionStatus.IDLE

    def _driver_begins(self) -> bool:
        return not self._driver.autocommit

    def _travel(self, statements: Sequence[Statement], *, ends: bool = False) -> list[PGresult]:
        """Say statements one after the other, wait once, and return the result of each."""
        self._stay()
        named = [(self._name(text), self._out(values)) for text, values in statements]
        begins = (self._begins or self._driver_begins()) and not self._in_transaction()
        self._begins = False
        if len(named) == 1 and not begins and not ends:
            return [self._good(self._libpq.exec_prepared(*named[0]))]
        start, end = self._name("BEGIN") if begins else b"", self._name("COMMIT") if ends else b""
        try:
            self._libpq.enter_pipeline_mode()
            if begins:
                self._libpq.send_query_prepared(start, None)
            for name, values in named:
                self._libpq.send_query_prepared(name, values)
            if ends:
                self._libpq.send_query_prepared(end, None)
            self._libpq.pipeline_sync()
            self._flush()
            self._work()
            results = self._results()
            self._libpq.exit_pipeline_mode()
        except BaseException:
            # answers may be on their way that belong to nobody any more
            self._driver.close()
            raise
        return [self._good(one) for one in results]

    def _work(self) -> None:
        """Do what may be done while a journey is under way."""
        work, self._meanwhile = self._meanwhile, None
        if work is None:
            return
        self._under_way = True
        try:
            with suppress(Exception):
                work()
        finally:
            self._under_way = False

    def _stay(self) -> None:
        """Let nobody speak here while a journey is under way."""
        if self._under_way:
            message = "this connection is on a journey: what is done meanwhile asks it nothing"
            raise RuntimeError(message)

    def _name(self, text: str) -> bytes:
        """Return the name of a statement, which is prepared at its first use."""
        name = self._names.get(text)
        if name is None:
            self._made += 1
            name = b"portal_%d" % self._made
            self._good(self._libpq.prepare(name, text.encode()))
            self._names[text] = name
        return name

    def _out(self, values: Sequence[Any]) -> Any:
        return self._transformer.dump_sequence(values, [PyFormat.TEXT] * len(values)) if values else None

    def _rows(self, result: PGresult) -> list[Any]:
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def _good(self, result: PGresult) -> PGresult:
        """Return a result that is none of an error."""
        if result.status in _DONE:
            return result
        if self._libpq.status != ConnStatus.OK and not result.error_field(DiagnosticField.SQLSTATE):
            raise OperationalError(result.get_error_message())  # the server is gone and told nobody why
        error = error_from_result(result)
        if isinstance(error, (FeatureNotSupported, InvalidSqlStatementName)):
            self._names.clear()  # a migration changed what a statement returns: it is prepared anew next time
        raise error

    def _flush(self) -> None:
        poll = None
        while self._libpq.flush():
            poll = poll or self._poll(select.POLLIN | select.POLLOUT)
            if any(happened & select.POLLIN for _socket, happened in poll.poll()):
                self._libpq.consume_input()

    def _results(self) -> list[PGresult]:
        """Return the results up to the end of the journey, without those of statements passed over after an error."""
        poll = self._poll(select.POLLIN)
        found: list[PGresult] = []
        while True:
            while self._libpq.is_busy():
                poll.poll()
                self._libpq.consume_input()
            result = self._libpq.get_result()
            if result is None:  # between two statements, or nothing will come any more
                if self._libpq.status != ConnStatus.OK:
                    raise OperationalError(self._libpq.get_error_message())
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return found
            if result.status != ExecStatus.PIPELINE_ABORTED:
                found.append(result)

    def _poll(self, wanted: int) -> select.poll:
        made = select.poll()
        made.register(self._libpq.socket, wanted)
        return made
