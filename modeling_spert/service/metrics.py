"""What Prometheus reads: requests, texts, latency, queue, batches, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_TOKENS = (16, 64, 256, 1024, 2048, 4096, 8192, 16384)


class Metrics:
    """The metrics of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self._requests = Counter("spert_requests", "Requests to /extract, by status", ["status"], **own)
        self._refusals = Counter("spert_refusals", "Requests without an answer, by reason", ["reason"], **own)
        self._texts = Counter("spert_texts", "Texts answered", **own)
        self._gone = Counter("spert_disconnects", "Clients that left before their answer", **own)
        self._seconds = Histogram(
            "spert_request_seconds", "Seconds from a request's arrival to its answer", buckets=_SECONDS, **own
        )
        self._batch_texts = Histogram("spert_batch_texts", "Texts of a batch", buckets=_COUNTS, **own)
        self._batch_tokens = Histogram("spert_batch_tokens", "Tokens of a batch, estimated", buckets=_TOKENS, **own)
        self._batch_seconds = Histogram("spert_batch_seconds", "Seconds of a batch", buckets=_SECONDS, **own)
        ProcessCollector(registry=self.registry)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        Gauge(name, description, registry=self.registry).set_function(read)

    def count_answer(self, num_texts: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(status="200").inc()
        self._texts.inc(num_texts)
        self._seconds.observe(seconds)

    def count_refusal(self, status: int, reason: str) -> None:
        """Count a request without an answer."""
        self._requests.labels(status=str(status)).inc()
        self._refusals.labels(reason=reason).inc()

    def count_disconnect(self) -> None:
        """Count a client that has left."""
        self._gone.inc()

    def observe_batch(self, num_texts: int, num_tokens: int, seconds: float) -> None:
        """Count a batch."""
        self._batch_texts.observe(num_texts)
        self._batch_tokens.observe(num_tokens)
        self._batch_seconds.observe(seconds)

    def format(self) -> bytes:
        """All metrics, as Prometheus reads them."""
        return generate_latest(self.registry)
