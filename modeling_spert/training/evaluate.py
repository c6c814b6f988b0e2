"""Predictions for a split, shared out over the processes, and their scores."""

import re
from collections.abc import Sequence
from typing import Any

from accelerate import Accelerator
from accelerate.utils import gather_object
from transformers import PreTrainedTokenizerBase

from modeling_spert.evaluation.examples import Example, group_documents
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.evaluation.predict import extraction_to_example, predict_examples
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.training.data import TrainingData

_NO_OVERLAPPING = "no_overlapping_"
_MEASURE = re.compile(r"\w+_(precision|recall|f1)_(micro|macro)")


def predict_split(
    model: SpertModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    accelerator: Accelerator,
    batch_size: int,
) -> list[dict[str, Any]]:
    """Predictions for all examples, in their order and form, on every process.

    Each process predicts whole documents, about as many words as the others.

    Args:
        model: On the device of the process.
        tokenizer: Its tokenizer.
        examples: The rows of the split.
        accelerator: Of the run.
        batch_size: Windows per forward pass.
    """
    mine = share_documents(examples, accelerator.process_index, accelerator.num_processes)
    found = predict_examples(model.eval(), tokenizer, [examples[row] for row in mine], batch_size=batch_size)
    extractions = list(zip(mine, found, strict=True))
    if accelerator.num_processes > 1:
        extractions = gather_object(extractions)
    by_row = dict(extractions)
    return [extraction_to_example(example, by_row[row]) for row, example in enumerate(examples)]


def share_documents(examples: Sequence[Example], process: int, num_processes: int) -> list[int]:
    """The rows that a process predicts: whole documents, the longest first.

    >>> rows = [{"tokens": ["a"]}, {"tokens": ["a", "b", "c"]}, {"tokens": ["a", "b"]}]
    >>> share_documents(rows, 0, 2), share_documents(rows, 1, 2)
    ([0, 1], [2])
    """
    documents = group_documents(examples)
    lengths = [sum(len(examples[row]["tokens"]) for row in rows) for rows in documents]
    order = sorted(range(len(documents)), key=lambda index: -lengths[index])
    return sorted(row for index in order[process::num_processes] for row in documents[index])


def score_predictions(
    data: TrainingData, examples: Sequence[Example], predictions: Sequence[Example], *, no_overlapping: bool = False
) -> dict[str, float]:
    """Scores in percent in every convention; with `no_overlapping` also those without overlapping entities."""
    scores = score_examples(examples, predictions, **_labels(data))
    if no_overlapping:
        flat = score_examples(examples, predictions, **_labels(data), no_overlapping=True)
        scores |= {f"{_NO_OVERLAPPING}{name}": value for name, value in flat.items()}
    return scores


def split_scores(scores: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """The scores of all entities, and those without overlapping ones (empty if they were not counted).

    >>> split_scores({"ner_f1_micro": 90.0, "no_overlapping_ner_f1_micro": 91.0})
    ({'ner_f1_micro': 90.0}, {'ner_f1_micro': 91.0})
    """
    flat = {name: value for name, value in scores.items() if name.startswith(_NO_OVERLAPPING)}
    plain = {name: value for name, value in scores.items() if name not in flat}
    return plain, {name.removeprefix(_NO_OVERLAPPING): value for name, value in flat.items()}


def check_best_metric(metric: str, data: TrainingData, *, no_overlapping: bool) -> None:
    """Refuse a metric that no evaluation of the run gives.

    Raises:
        ValueError: Naming those that there are.
    """
    plain = [name for name in score_examples([], [], **_labels(data)) if _MEASURE.fullmatch(name)]
    known = [*plain, *(f"{_NO_OVERLAPPING}{name}" for name in plain if no_overlapping)]
    if metric not in known:
        raise ValueError(f"--best_metric must be one of {', '.join(known)}, got {metric!r}")


def _labels(data: TrainingData) -> dict[str, Any]:
    return {
        "entity_types": data.entity_types,
        "relation_types": data.relation_types,
        "symmetric_relation_types": data.symmetric_relation_types,
    }
