"""The queue: texts of all requests wait here, and leave it in batches.

A batch is closed when its token budget is full, or when a text has waited long enough. Its texts have the same
settings, and are taken from the waiting requests in turn, one of each: a large request does not hold up small ones.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from modeling_spert.decoding_spert import Extraction
from modeling_spert.inputs_spert import Document
from modeling_spert.service.refusals import refuse

_LONGEST_ADVICE = 60  # seconds of Retry-After


@dataclass(eq=False)
class Job:
    """The texts of one request, on their way.

    Attributes:
        documents: Its texts as words.
        tokens: Estimate for each.
        settings: Of the extraction.
        future: Gets the extractions of all documents, in order.
        arrived: When it was put into the queue, on the queue's clock.
        num_taken: Documents that have left the queue.
    """

    documents: Sequence[Document]
    tokens: Sequence[int]
    settings: dict[str, Any]
    future: Future[list[list[Extraction]]] = field(default_factory=Future)
    arrived: float = 0.0
    num_taken: int = 0
    _found: dict[int, list[Extraction]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[tuple[str, Any], ...]:
        """Equal for jobs that may share a batch."""
        return tuple(sorted(self.settings.items()))

    @property
    def waiting_tokens(self) -> int:
        """Tokens of the documents that have not left the queue."""
        return sum(self.tokens[self.num_taken :])

    def add(self, index: int, extractions: list[Extraction]) -> None:
        """What was found in a document; the last one completes the job."""
        self._found[index] = extractions
        if len(self._found) == len(self.documents) and self.future.set_running_or_notify_cancel():
            self.future.set_result([self._found[i] for i in range(len(self.documents))])

    def fail(self, error: BaseException) -> None:
        """Give up the whole job."""
        if not self.future.done() and self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


# A document of a job, by its index.
Part = tuple[Job, int]


class BatchQueue:
    """Waiting jobs, and the batches that are cut from them; every method may be called from any thread.

    Args:
        max_batch_tokens: Tokens with which a batch is full; a longer text is a batch of its own.
        max_wait: Seconds for which a text waits for others.
        max_tokens: Tokens that may wait.
        clock: Seconds, from any start.
    """

    def __init__(
        self,
        max_batch_tokens: int,
        max_wait: float,
        max_tokens: int,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._max_batch_tokens, self._max_wait, self._max_tokens = max_batch_tokens, max_wait, max_tokens
        self._clock = clock
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._tokens = 0
        self._is_closed = False
        self._rate = 0.0  # tokens a second, of the batches so far

    @property
    def num_tokens(self) -> int:
        """Tokens that wait."""
        return self._tokens

    @property
    def num_texts(self) -> int:
        """Texts that wait."""
        with self._changed:
            return sum(len(job.documents) - job.num_taken for job in self._jobs)

    def check_space(self, tokens: int) -> None:
        """Refuse a request that would exceed what may wait.

        Raises:
            Refusal: If it would; 413 if it would even in an empty queue.
        """
        if tokens > self._max_tokens:
            message = f"a request must have at most about {self._max_tokens} tokens, got {tokens}: send it in parts"
            raise refuse("too_large", message)
        if self._tokens + tokens > self._max_tokens:
            message = f"{self._tokens} tokens are waiting, and at most {self._max_tokens} may: try again later"
            raise refuse("queue_full", message, self.retry_after())

    def put(self, job: Job) -> None:
        """Add a job.

        Raises:
            Refusal: As `check_space`; or if the queue is closed.
        """
        with self._changed:
            if self._is_closed:
                raise refuse("not_ready", "the service stops")
            tokens = job.waiting_tokens
            self.check_space(tokens)
            job.arrived = self._clock()
            self._jobs.append(job)
            self._tokens += tokens
            self._changed.notify()

    def remove(self, job: Job) -> None:
        """Take a job's waiting documents out: nobody wants their answers any more."""
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)
                self._tokens -= job.waiting_tokens

    def close(self) -> None:
        """Take no further jobs; those that wait are still handed out."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def take(self) -> list[Part] | None:
        """The next batch, waited for; None when the queue is closed and empty."""
        with self._changed:
            while True:
                if self._jobs:
                    left = min(job.arrived for job in self._jobs) + self._max_wait - self._clock()
                    if self._is_closed or left <= 0 or self._is_full():
                        return self._cut()
                    self._changed.wait(left)
                elif self._is_closed:
                    return None
                else:
                    self._changed.wait()

    def note_rate(self, tokens: int, seconds: float) -> None:
        """Remember how fast a batch was, for the advice when to try again."""
        rate = tokens / max(seconds, 1e-6)
        self._rate = 0.8 * self._rate + 0.2 * rate if self._rate else rate

    def retry_after(self) -> int:
        """Seconds until half of what waits has been answered, as fast as it has been lately."""
        seconds = self._tokens / 2 / self._rate if self._rate else 1.0
        return min(_LONGEST_ADVICE, max(1, math.ceil(seconds)))

    def _is_full(self) -> bool:
        key = self._jobs[0].key
        return sum(job.waiting_tokens for job in self._jobs if job.key == key) >= self._max_batch_tokens

    def _cut(self) -> list[Part]:
        """A batch of the first job's settings: a document of each job in turn, until the next one does not fit."""
        key = self._jobs[0].key
        turns = deque(job for job in self._jobs if job.key == key)
        parts: list[Part] = []
        used = 0
        while turns:
            job = turns.popleft()
            size = job.tokens[job.num_taken]
            if parts and used + size > self._max_batch_tokens:
                break
            parts.append((job, job.num_taken))
            used += size
            job.num_taken += 1
            if job.num_taken < len(job.documents):
                turns.append(job)
        self._tokens -= used
        served = {id(job) for job, _ in parts}  # they go behind those that have to wait for the next batch
        left = [job for job in self._jobs if job.num_taken < len(job.documents)]
        self._jobs = deque(sorted(left, key=lambda job: id(job) in served))
        return parts
