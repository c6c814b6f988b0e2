"""Losses and weights that are no longer finite: a training stops there, and says where it happened."""

from collections.abc import Callable, Sequence

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor, nn

from modeling_spert.evaluation.examples import Example
from modeling_spert.training.arguments import TrainingArguments
from modeling_spert.training.stopping import TrainingDiverged

_SHOWN = 8  # rows that a message names


class LossWatch:
    """The losses since the last line of training loss.

    They are looked at together, and seldom, because each look waits for the device. All processes see the same losses,
    so all of them stop.

    Args:
        accelerator: Of the run.
        args: Of the run.
        examples: The rows of the training split.
    """

    def __init__(self, accelerator: Accelerator, args: TrainingArguments, examples: Sequence[Example]):
        self._accelerator, self._args, self._examples = accelerator, args, examples
        self._losses: list[Tensor] = []

    def add(self, loss: Tensor) -> None:
        """This process's share of the loss of a step."""
        self._losses.append(loss)

    def mean(self, step: int, rows_of: Callable[[int], list[int]]) -> float:
        """The mean of the losses.

        Args:
            step: The last step taken.
            rows_of: Gives the rows of the training split that this process trained on in a step.

        Raises:
            TrainingDiverged: If one of them is not finite.
        """
        losses = self._accelerator.reduce(torch.stack(self._losses), "sum")
        index = first_not_finite(losses)
        if index is None:
            return float(losses.mean())
        step += index + 1 - len(losses)
        rows = rows_of(step)
        if self._accelerator.num_processes > 1:
            rows = gather_object(rows)
        where = f"rows {describe_rows(sorted(rows), self._examples)} of {self._args.train_split}"
        raise TrainingDiverged(f"the loss of step {step} is {float(losses[index])}, on {where}. {_advice(self._args)}")

    def check(self, model: nn.Module, step: int, rows_of: Callable[[int], list[int]]) -> None:
        """Look at the losses and the weights, before anything is saved or scored.

        Raises:
            TrainingDiverged: If one of them is not finite.
        """
        if self._losses:
            self.mean(step, rows_of)
        names = weights_not_finite(model)
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise TrainingDiverged(
                f"the weights {names[0]}{more} are not finite after step {step}. {_advice(self._args)}"
            )

    def clear(self) -> None:
        """Begin the next mean."""
        self._losses.clear()


def first_not_finite(losses: Tensor) -> int | None:
    """The index of the first loss (n,) that is NaN or infinite.

    >>> first_not_finite(torch.tensor([0.5, torch.inf, torch.nan]))
    1
    """
    found = (~losses.isfinite()).nonzero()
    return int(found[0]) if len(found) else None


def weights_not_finite(model: nn.Module) -> list[str]:
    """Names of the parameters with a value that is NaN or infinite."""
    return [name for name, parameter in model.named_parameters() if not parameter.isfinite().all()]


def describe_rows(rows: Sequence[int], examples: Sequence[Example]) -> str:
    """Rows of the training split, in words.

    >>> describe_rows([1], [{"orig_id": "a"}, {"orig_id": "b"}])
    "1 (orig_id 'b')"
    """
    shown = [f"{row} (orig_id {examples[row].get('orig_id')!r})" for row in rows[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")


def _advice(args: TrainingArguments) -> str:
    precision = "--mixed_precision bf16, " if args.mixed_precision == "fp16" else ""
    return (
        f"Nothing was saved since. Start again with {precision}a lower --learning_rate (it is {args.learning_rate:g}) "
        "or a longer --warmup_ratio, and --overwrite_output_dir; if the same rows come up again, look at them"
    )
