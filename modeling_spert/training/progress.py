"""How far a training has come, and how fast: steps, epochs, the best evaluation so far, seconds per step."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

_UNTIMED_STEPS, _TIMED_STEPS = 3, 10  # the first steps are slower: memory is allocated, kernels are chosen


@dataclass(frozen=True)
class Progress:
    """How far a training has come.

    Attributes:
        step: Optimizer steps taken.
        epoch: Epoch of the next batch.
        step_in_epoch: Optimizer steps taken in that epoch.
        best_score: Best score of the evaluations so far, None before the first.
        bad_evaluations: Evaluations since the score last rose.
        best_step: Step of the best; of several equal ones, the last.
    """

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    best_score: float | None = None
    bad_evaluations: int = 0
    best_step: int = 0

    def after_step(self) -> "Progress":
        """One optimizer step later."""
        return replace(self, step=self.step + 1, step_in_epoch=self.step_in_epoch + 1)

    def after_epoch(self) -> "Progress":
        """At the start of the next epoch."""
        return replace(self, epoch=self.epoch + 1, step_in_epoch=0)

    def after_evaluation(self, score: float) -> "Progress":
        """With the score of an evaluation at this step. Of equal scores the later is the best: it was trained longer.

        >>> progress = Progress(step=8).after_evaluation(50.0).after_evaluation(40.0)
        >>> progress.best_score, progress.best_step, progress.bad_evaluations
        (50.0, 8, 1)
        """
        if self.best_score is None or score > self.best_score:
            return replace(self, best_score=score, best_step=self.step, bad_evaluations=0)
        best_step = self.step if score == self.best_score else self.best_step
        return replace(self, best_step=best_step, bad_evaluations=self.bad_evaluations + 1)

    def without_best(self) -> "Progress":
        """As if nothing had been evaluated: the best model is elsewhere, or was chosen by other data."""
        return replace(self, best_score=None, bad_evaluations=0)

    def at_best(self) -> "Progress":
        """With the best model loaded again."""
        return replace(self, step=self.best_step)

    @classmethod
    def from_dict(cls, values: Any) -> "Progress":
        """Progress from what `dataclasses.asdict` made of it.

        >>> Progress.from_dict({"step": "8"})
        Traceback (most recent call last):
        ValueError: progress.step must be a whole number of at least 0, got '8'

        Raises:
            ValueError: If a field is unknown, or its value is not of its kind.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"progress must be an object, got {type(values).__name__}")
        known = [field.name for field in fields(cls)]
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"progress has no {name!r}; it has {', '.join(known)}")
            if name == "best_score":
                if value is not None and not (isinstance(value, int | float) and math.isfinite(value)):
                    raise ValueError(f"progress.best_score must be a number or null, got {value!r}")
            elif type(value) is not int or value < 0:
                raise ValueError(f"progress.{name} must be a whole number of at least 0, got {value!r}")
        return cls(**values)


class StepTimer:
    """Seconds per step, measured once, over some early steps."""

    def __init__(self) -> None:
        self._steps, self._start = 0, 0.0

    def after_step(self) -> float | None:
        """Seconds per step when enough steps were timed; None at all other steps."""
        self._steps += 1
        if self._steps == _UNTIMED_STEPS:
            self._start = time.monotonic()
        is_done = self._steps == _UNTIMED_STEPS + _TIMED_STEPS
        return (time.monotonic() - self._start) / _TIMED_STEPS if is_done else None
