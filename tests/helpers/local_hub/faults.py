"""Faults of the local Hub: which requests fail, and how.

    hub.faults.add(Fault("PUT", r"/lfs/", "drop_request"))  # the first upload breaks off, the second works

A fault never changes what the Hub stores; `drop_request` and `status` keep a request from being carried out.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from .messages import Answer

Action = Literal["drop_request", "drop_response", "status", "shorten", "corrupt", "etag", "stall"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with matching requests.

    Args:
        method: HTTP method, or `"*"` for all. HEAD is not GET: the client asks for a file with one of each.
        path: Regular expression, searched in the unquoted path (without the query).
        action: What happens:

            - `drop_request`: the connection closes after `after` bytes of the request's body; nothing is carried out.
            - `drop_response`: the request is carried out, the answer's whole length is announced, and the connection
              closes after `after` bytes of the body; an answer without a body is not sent at all.
            - `status`: nothing is carried out; the answer is `status`, with `headers`.
            - `shorten`: the answer's body ends after `after` bytes and its length says so.
            - `corrupt`: one byte in the middle of the answer's body is inverted; length and ETag stay.
            - `etag`: the answer names `etag` instead of the content's own.
            - `stall`: nothing happens for `seconds`, then the request is answered as if nothing had been.
        times: How many requests it strikes; None for all.
        status: For `status`.
        after: Bytes, for the actions that name it; None for half of what there is.
        headers: For `status`, such as `{"Retry-After": "0"}` or `{"X-Error-Code": "GatedRepo"}`.
        etag: For `etag`, without quotes.
        seconds: For `stall`.

    Raises:
        ValueError: If `action` is unknown or `times` is not positive.
    """

    method: str
    path: str
    action: Action
    times: int | None = 1
    status: int = 500
    after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = "0" * 64
    seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise ValueError(f"action must be one of {get_args(Action)}, got {self.action!r}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be positive or None, got {self.times}")

    def cut(self, length: int) -> int:
        """How many of `length` bytes get through.

        >>> Fault("GET", "/", "shorten").cut(10), Fault("GET", "/", "shorten", after=3).cut(10)
        (5, 3)
        """
        return length // 2 if self.after is None else min(self.after, length)

    def alter(self, answer: Answer) -> Answer:
        """Return the answer as this fault leaves it (the other actions are the server's to carry out)."""
        if self.action == "shorten":
            body = answer.body[: self.cut(len(answer.body))]
            sizes = {"X-Linked-Size": str(len(body))} if "X-Linked-Size" in answer.headers else {}
            return replace(answer, body=body, headers={**answer.headers, **sizes})
        if self.action == "corrupt" and answer.body:
            middle = len(answer.body) // 2
            body = answer.body[:middle] + bytes([answer.body[middle] ^ 0xFF]) + answer.body[middle + 1 :]
            return replace(answer, body=body)
        if self.action == "etag":
            etags = {name: f'"{self.etag}"' for name in ("ETag", "X-Linked-Etag") if name in answer.headers}
            return replace(answer, headers={**answer.headers, **etags})
        return answer


class Faults:
    """The faults that are still to come, in the order they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[tuple[Fault, int | None]] = []  # with the number of requests left

    def add(self, *faults: Fault) -> None:
        """Plan faults. A request meets at most one: the first that matches."""
        with self._lock:
            self._pending += [(fault, fault.times) for fault in faults]

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._pending.clear()

    @property
    def pending(self) -> list[Fault]:
        """Faults that would still strike. A test whose fault never struck tests nothing: assert that this is empty."""
        with self._lock:
            return [fault for fault, _ in self._pending]

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for a request and count it, or None."""
        with self._lock:
            for i, (fault, left) in enumerate(self._pending):
                if fault.method in ("*", method) and re.search(fault.path, path):
                    if left == 1:
                        del self._pending[i]
                    elif left is not None:
                        self._pending[i] = (fault, left - 1)
                    return fault
        return None
