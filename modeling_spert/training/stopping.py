"""How a training ends early: Ctrl-C and termination signals become a flag that the training loop reads."""

import signal
import threading
from typing import Any


class Interrupted(Exception):
    """The run was stopped by a signal and has saved its state."""


class TrainingDiverged(ArithmeticError):
    """A loss or a weight is not finite. Nothing was saved since."""


class StopFlag:
    """A context in which the first SIGINT or SIGTERM sets `raised`, and a second one acts as it always does.

    Outside the main thread, where Python handles no signals, it does nothing.
    """

    def __init__(self) -> None:
        self.raised = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopFlag":
        if threading.current_thread() is not threading.main_thread():
            return self
        self._previous = {number: signal.signal(number, self._raise) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: Any) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _raise(self, number: int, _: Any) -> None:
        self.raised = True
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
