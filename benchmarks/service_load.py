"""Load for the service: callers that wait for their answer, or requests at a given rate whatever comes back.

Standard library alone, a thread and a kept connection per caller, so that the load takes little of the processor that
the service needs.
"""

from __future__ import annotations

import http.client
import itertools
import json
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LOST = 0  # the status of a request whose connection broke


@dataclass(frozen=True)
class Reply:
    """What came back for a request.

    Attributes:
        index: Of its text.
        status: Of the response; 0 if the connection broke.
        seconds: From sending to the last byte.
        sent: When it was sent, in seconds from the start.
        body: The answer.
        retry_after: The header, if there was one.
    """

    index: int
    status: int
    seconds: float
    sent: float
    body: bytes
    retry_after: str | None = None

    def answer(self) -> Any:
        """The body as an answer of the pipeline."""
        return json.loads(self.body)


def closed_load(address: str, texts: Sequence[str], callers: int, seconds: float) -> list[Reply]:
    """So many callers, each sending its next text as soon as the last is answered.

    Args:
        address: Such as http://127.0.0.1:8000.
        texts: Sent in turn, one a request.
        callers: How many.
        seconds: After which no further request is sent.
    """
    count = itertools.count()

    def next_index(started: float) -> int | None:
        return next(count) % len(texts) if time.monotonic() - started < seconds else None

    return _run(address, texts, callers, next_index)


def open_load(address: str, texts: Sequence[str], rate: float, seconds: float, callers: int = 64) -> list[Reply]:
    """Requests at a rate, answered or not; fewer only where all callers are waiting.

    Args:
        address: As above.
        texts: As above.
        rate: Requests a second.
        seconds: As above.
        callers: Connections to send them over.
    """
    count = itertools.count()

    def next_index(started: float) -> int | None:
        index = next(count)
        due = index / rate
        if due >= seconds or time.monotonic() - started >= seconds:
            return None
        time.sleep(max(0.0, started + due - time.monotonic()))
        return index % len(texts)

    return _run(address, texts, callers, next_index)


def percentile(values: Sequence[float], percent: int) -> float:
    """A percentile of at least one value.

    >>> percentile([1.0, 2.0, 3.0], 50)
    2.0
    """
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _run(address: str, texts: Sequence[str], callers: int, next_index: Callable[[float], int | None]) -> list[Reply]:
    bodies = [json.dumps({"text": text}).encode() for text in texts]
    replies: list[Reply] = []
    started = time.monotonic()

    def call() -> None:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        while (index := next_index(started)) is not None:
            replies.append(_send(connection, index, bodies[index], started))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(replies, key=lambda reply: reply.sent)


def _send(connection: http.client.HTTPConnection, index: int, body: bytes, started: float) -> Reply:
    sent = time.monotonic()
    try:
        connection.request("POST", "/extract", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        status, retry_after = response.status, response.getheader("Retry-After")
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # it is opened again for the next request
        status, content, retry_after = LOST, repr(error).encode(), None
    return Reply(index, status, time.monotonic() - sent, sent - started, content, retry_after)
