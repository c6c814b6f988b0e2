"""Processes that extract shares of documents, and what happens when one of them dies.

Each process loads the model once and is sent two shares at most: one to work on, one to begin with next. A process that
dies (the kernel kills it for want of memory, a library crashes) is replaced. The share it was working on is tried once
more; if that kills a process again, its documents are tried one by one, and the one that kills a third process gets a
row with an error. No share is lost, and no document stops a run.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

import pyarrow as pa

from modeling_spert.bulk.readers import Record
from modeling_spert.bulk.rows import failed_table

Extract = Callable[[Sequence[Record]], tuple[pa.Table, Counter[str]]]
Load = Callable[[int], Extract]

_START_METHOD = "spawn"
_IN_FLIGHT = 2  # shares sent to a process
_TRIES = 2  # of a share
_DEATHS_WHILE_LOADING = 3  # in a row; then no other process is started


@dataclass(eq=False)
class _Task:
    """Documents that a process gets together: a share, or one document of a share that has killed processes."""

    documents: Sequence[Record]
    share: _Share
    place: int = 0
    tries_left: int = _TRIES


@dataclass(eq=False)
class _Share:
    """What was submitted, and the tables of its tasks so far."""

    key: Any
    num_tasks: int = 1
    tables: dict[int, pa.Table] = field(default_factory=dict)


@dataclass(eq=False)
class _Slot:
    """One process."""

    index: int
    process: Any
    connection: Connection
    is_ready: bool = False
    in_flight: deque[_Task] = field(default_factory=deque)


class Pool:
    """Processes around one model. A context: at its end they are stopped.

    Args:
        num_processes: How many.
        load: Called in each with its index; gives what makes rows and warnings of documents. It is pickled.
    """

    def __init__(self, num_processes: int, load: Load):
        self._load = load
        self._context: Any = multiprocessing.get_context(_START_METHOD)
        self._waiting: deque[_Task] = deque()
        self._open = self._deaths_while_loading = 0
        self._finished: list[tuple[Any, pa.Table]] = []
        self.warnings: Counter[str] = Counter()
        self._limit = _IN_FLIGHT * num_processes
        self._slots = [self._start(index) for index in range(num_processes)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def has_capacity(self) -> bool:
        """Whether another share may be submitted; what has been submitted stays in memory until it is done."""
        return self._open < self._limit

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to be done."""
        return self._open == 0

    def submit(self, key: Any, documents: Sequence[Record]) -> None:
        """Hand a share in; `wait` gives its rows, under the key, in whichever order shares are done."""
        self._open += 1
        self._waiting.append(_Task(documents, _Share(key)))
        self._dispatch()

    def wait(self, timeout: float | None = None) -> list[tuple[Any, pa.Table]]:
        """Keys and rows of shares that are done: at least one, unless the timeout (in seconds) passes before.

        Raises:
            OSError: If processes cannot load the model.
        """
        while not self._finished:
            slots: dict[Any, _Slot] = {slot.connection: slot for slot in self._slots}
            ready = wait(list(slots), timeout)
            for connection in ready:
                self._hear(slots[connection])
            self._dispatch()
            if not ready:
                break
        done, self._finished = self._finished, []
        self._open -= len(done)
        return done

    def close(self) -> None:
        """Stop the processes, whatever they are doing."""
        for slot in self._slots:
            slot.connection.close()
            slot.process.terminate()
        for slot in self._slots:
            slot.process.join(5)
            if slot.process.is_alive():
                slot.process.kill()
                slot.process.join()
        self._slots = []

    def _start(self, index: int) -> _Slot:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=run_worker, args=(theirs, self._load, index), daemon=True, name=f"spert-{index}"
        )
        process.start()
        theirs.close()  # so that its end, and only its end, closes the pipe
        return _Slot(index, process, ours)

    def _dispatch(self) -> None:
        """Send what waits to the processes that have least to do."""
        while self._waiting:
            free = [slot for slot in self._slots if slot.is_ready and len(slot.in_flight) < _IN_FLIGHT]
            if not free:
                return
            slot = min(free, key=lambda slot: len(slot.in_flight))
            task = self._waiting.popleft()
            slot.in_flight.append(task)
            try:
                slot.connection.send(task.documents)
            except OSError:  # it has died: the end of its pipe is heard next
                return

    def _hear(self, slot: _Slot) -> None:
        """Take one message of a process, or its end."""
        try:
            kind, content = slot.connection.recv()
        except (EOFError, OSError):
            self._replace(slot)
            return
        if kind == "ready":
            slot.is_ready, self._deaths_while_loading = True, 0
        elif kind == "failed":
            raise OSError(f"a process could not load the model: {content}")
        else:
            table, warnings = content
            self.warnings.update(warnings)
            self._finish(slot.in_flight.popleft(), table)

    def _finish(self, task: _Task, table: pa.Table) -> None:
        share = task.share
        share.tables[task.place] = table
        if len(share.tables) == share.num_tasks:
            self._finished.append((share.key, pa.concat_tables(share.tables[i] for i in range(share.num_tasks))))

    def _replace(self, slot: _Slot) -> None:
        """A process has died: start another, and see to the share that it was working on."""
        slot.connection.close()
        slot.process.join()
        code = slot.process.exitcode
        if not slot.is_ready:
            self._deaths_while_loading += 1
            if self._deaths_while_loading >= _DEATHS_WHILE_LOADING:
                raise OSError(
                    f"{self._deaths_while_loading} processes died while they loaded the model ({_say_exit(code)}): is "
                    "there memory for --num_processes of them?"
                )
        self._slots[self._slots.index(slot)] = self._start(slot.index)
        if not slot.in_flight:
            return
        culprit, *others = slot.in_flight
        retried = self._retry(culprit, f"the process that extracted from it died ({_say_exit(code)})")
        self._waiting.extendleft(reversed([*retried, *others]))

    def _retry(self, task: _Task, reason: str) -> list[_Task]:
        """What is to be tried after a process has died over the task."""
        task.tries_left -= 1
        if task.tries_left > 0:
            return [task]
        if len(task.documents) == 1:
            self._finish(task, failed_table(task.documents, reason))
            return []
        task.share.num_tasks = len(task.documents)
        return [_Task([document], task.share, place, 1) for place, document in enumerate(task.documents)]


def _say_exit(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit status {code}"


def run_worker(connection: Connection, load: Load, index: int) -> None:
    """The life of a process: load the model, then a table for each share, until the other end of the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    try:
        extract = load(index)
    except Exception as error:
        connection.send(("failed", f"{type(error).__name__}: {error}"))
        return
    shares: queue.SimpleQueue[Sequence[Record] | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, shares), daemon=True).start()
    try:
        connection.send(("ready", None))
        while (documents := shares.get()) is not None:
            connection.send(("done", extract(documents)))
    except OSError:  # the parent is gone
        return
    except Exception:
        traceback.print_exc()
        raise


def _receive(connection: Connection, shares: queue.SimpleQueue[Sequence[Record] | None]) -> None:
    """Take shares as they come: a parent that is sending one never waits for this process to finish another."""
    try:
        while True:
            shares.put(connection.recv())
    except (EOFError, OSError):
        shares.put(None)
