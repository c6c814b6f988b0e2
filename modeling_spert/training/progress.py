"""How far a training has come: steps, epochs, and the best evaluation so far."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Progress:
    """How far a training has come.

    Attributes:
        step: Optimizer steps taken.
        epoch: Epoch of the next batch.
        step_in_epoch: Optimizer steps taken in that epoch.
        best_score: Best score of the evaluations so far, None before the first.
        bad_evaluations: Evaluations since the best.
        best_step: Step of the best.
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
        """With the score of an evaluation at this step.

        >>> progress = Progress(step=8).after_evaluation(50.0).after_evaluation(40.0)
        >>> progress.best_score, progress.best_step, progress.bad_evaluations
        (50.0, 8, 1)
        """
        if self.best_score is not None and score <= self.best_score:
            return replace(self, bad_evaluations=self.bad_evaluations + 1)
        return replace(self, best_score=score, best_step=self.step, bad_evaluations=0)

    def without_best(self) -> "Progress":
        """As if nothing had been evaluated: the best model is elsewhere, or was chosen by other data."""
        return replace(self, best_score=None, bad_evaluations=0)

    def at_best(self) -> "Progress":
        """With the best model loaded again."""
        return replace(self, step=self.best_step)
