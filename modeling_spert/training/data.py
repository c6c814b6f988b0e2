"""What a training needs of its data. `datasets_scripts.JointDataset` has it; so may any other object."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Protocol

from modeling_spert.evaluation.examples import Example
from modeling_spert.training.arguments import TrainingArguments


class TrainingData(Protocol):
    """Labelled sentences in splits, and the labels they use."""

    @property
    def name(self) -> str:
        """What the data are called in messages and scores."""

    @property
    def splits(self) -> Container[str]:
        """The names of the splits."""

    @property
    def entity_types(self) -> Sequence[str]:
        """Entity labels, in the order of the classifier's outputs."""

    @property
    def relation_types(self) -> Sequence[str]:
        """Relation labels, likewise; may be empty."""

    @property
    def symmetric_relation_types(self) -> Sequence[str]:
        """The relation labels whose direction carries no meaning."""

    @property
    def label_names(self) -> Mapping[str, str]:
        """Readable names of labels, keyed "entity/<label>" and "relation/<label>"."""

    def select(self, splits: str) -> Iterable[Example]:
        """The rows of a split, or of several: `"train+dev"`. Raises ValueError if there is no such split."""

    def facts(self, train_split: str, eval_split: str | None, max_span_width: int) -> dict[str, Any]:
        """What the model's card says about the data, as plain JSON types."""


def choose_eval_split(args: TrainingArguments, data: TrainingData) -> str | None:
    """The split to score: the one asked for, else dev, else test, unless it is trained on."""
    trained = [] if args.eval_only else [name.strip() for name in args.train_split.split("+")]
    free = [name for name in ("dev", "test") if name in data.splits and name not in trained]
    return args.eval_split or next(iter(free), None)


def choose_calibration_split(args: TrainingArguments, data: TrainingData) -> str:
    """The split that `--calibrate` fits temperatures on: dev.

    Raises:
        ValueError: If there is none, or it is trained on.
    """
    if "dev" not in data.splits or "dev" in [name.strip() for name in args.train_split.split("+")]:
        raise ValueError(
            f"--calibrate needs a split dev that is not trained on, got --train_split {args.train_split} of {data.name}"
        )
    return "dev"
