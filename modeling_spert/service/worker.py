"""The worker: one thread that loads the model, owns it, and answers batch after batch."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from modeling_spert.decoding_spert import Extraction
from modeling_spert.extraction_spert import Extractor
from modeling_spert.service.batching import BatchQueue, Job, Part
from modeling_spert.service.metrics import Metrics

logger = logging.getLogger(__name__)

# Read before the first request: the first calls of a model are slow, and a model that cannot answer is not ready.
_WARM_UP = ["Ready.", "One sentence. " * 20]


class Worker:
    """The thread that owns the model.

    Args:
        load: Makes the pipeline; called in the thread.
        queue: Where batches come from.
        metrics: Where their sizes and times go.
        on_failure: Called in the thread if the model cannot be loaded; `failure` is then the reason.
    """

    def __init__(
        self, load: Callable[[], Any], queue: BatchQueue, metrics: Metrics, on_failure: Callable[[], None] | None = None
    ):
        self._load, self._queue, self._metrics, self._on_failure = load, queue, metrics, on_failure
        self._thread = threading.Thread(target=self._run, name="spert-worker", daemon=True)
        self.pipe: Any = None
        self.is_ready = False
        self.failure: Exception | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the end, which comes when the queue is closed and empty."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            pipe = self._load()
            pipe(_WARM_UP)
        except Exception as error:
            self.failure = error
            if self._on_failure is not None:
                self._on_failure()
            return
        self.pipe, self.is_ready = pipe, True
        logger.info("the model is loaded: ready")
        while (parts := self._queue.take()) is not None:
            self._answer([part for part in parts if not part[0].future.cancelled()])

    def _answer(self, parts: Sequence[Part]) -> None:
        """Extract from the documents of a batch; if that fails, from those of each request by itself."""
        if not parts:
            return
        started = time.perf_counter()
        try:
            found = self._extract(parts)
        except Exception as error:
            self._answer_apart(parts, error)
            return
        seconds = time.perf_counter() - started
        tokens = sum(job.tokens[index] for job, index in parts)
        self._queue.note_rate(tokens, seconds)
        self._metrics.observe_batch(len(parts), tokens, seconds)
        for (job, index), extractions in zip(parts, found, strict=True):
            job.add(index, extractions)

    def _extract(self, parts: Sequence[Part]) -> list[list[Extraction]]:
        pipe = self.pipe
        extract = Extractor(pipe.model, pipe.tokenizer, device=pipe.device, **parts[0][0].settings)
        with pipe.device_placement():
            return extract([job.documents[index] for job, index in parts])

    def _answer_apart(self, parts: Sequence[Part], error: Exception) -> None:
        jobs: dict[int, tuple[Job, list[Part]]] = {}
        for part in parts:
            jobs.setdefault(id(part[0]), (part[0], []))[1].append(part)
        if len(jobs) > 1:
            for _, own in jobs.values():
                self._answer(own)
            return
        job = parts[0][0]
        logger.error("extraction failed for a request of %d texts", len(job.documents), exc_info=error)
        self._queue.remove(job)
        job.fail(error)
