"""Stopping between two steps: Ctrl-C and termination signals become a flag that the training loop reads."""

import signal
from typing import Any


class Interrupted(Exception):
    """The run was stopped by a signal and has saved its state."""


class StopFlag:
    """A context in which the first SIGINT or SIGTERM sets `raised`, and a second one acts as it always does."""

    def __init__(self) -> None:
        self.raised = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopFlag":
        self._previous = {number: signal.signal(number, self._raise) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: Any) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _raise(self, number: int, _: Any) -> None:
        self.raised = True
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
