"""Predictions with the scores that an analysis needs: also of what the model decided against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from transformers import PreTrainedTokenizerBase

from modeling_spert.analysis.filtering import WINS, Example
from modeling_spert.evaluation import extraction_to_example, predict_examples
from modeling_spert.modeling_spert import SpertModel

LOW_ENTITY_THRESHOLD = 0.1
LOW_RELATION_THRESHOLD = 0.05


def predict_with_scores(
    model: SpertModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    *,
    entity_threshold: float = LOW_ENTITY_THRESHOLD,
    relation_threshold: float = LOW_RELATION_THRESHOLD,
    **settings: Any,
) -> list[dict[str, Any]]:
    """Predict with low thresholds, and mark which entities the model would report by itself.

    Two passes: one at the low thresholds, one where the best class wins, whose entities get `"wins": True`, the others
    False. `at_thresholds` makes the predictions at any higher thresholds from the result, exactly. Relations of
    symmetric types keep the direction they were predicted in, since each direction has a score of its own;
    `score_examples` and `analyse` join them.

    Args:
        model: In eval mode.
        tokenizer: Its tokenizer.
        examples: Rows with `tokens`, and `doc_id` and `sentence_index` for windows over documents.
        entity_threshold: Lowest probability of an entity. A class that wins has at least one in the number of classes;
            a threshold above that is lowered to it, so that all winners are there.
        relation_threshold: Lowest probability of a relation.
        **settings: Of `predict_examples`, such as `batch_size`.

    Returns:
        Predicted Examples with scores, one for each example.
    """
    least = max(min(entity_threshold, 1 / model.config.num_entity_classes - 0.001), 0.0)
    with _undecided(model):
        low = _predict(model, tokenizer, examples, least, relation_threshold, settings)
        # 1: no relations, which would only cost time.
        usual = _predict(model, tokenizer, examples, None, 1.0, settings)
    for row, decided in zip(low, usual, strict=True):
        _mark_winners(row, decided)
    return low


def _predict(
    model: SpertModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    entity_threshold: float | None,
    relation_threshold: float,
    settings: dict[str, Any],
) -> list[dict[str, Any]]:
    found = predict_examples(
        model,
        tokenizer,
        examples,
        entity_threshold=entity_threshold,
        relation_threshold=relation_threshold,
        **settings,
    )
    return [extraction_to_example(example, answer) for example, answer in zip(examples, found, strict=True)]


def _mark_winners(row: dict[str, Any], decided: Example) -> None:
    """Mark the entities that the model reports by itself."""
    winners = {(entity["start"], entity["end"]) for entity in decided["entities"]}
    for entity in row["entities"]:
        entity[WINS] = (entity["start"], entity["end"]) in winners


@contextmanager
def _undecided(model: SpertModel) -> Iterator[None]:
    """Without two settings of the model that would hide scores.

    Both directions of symmetric relation types keep theirs, and no stored entity threshold decides which class wins.
    """
    config = model.config
    symmetric, threshold = config.symmetric_relation_types, config.entity_threshold
    config.symmetric_relation_types, config.entity_threshold = [], None
    try:
        yield
    finally:
        config.symmetric_relation_types, config.entity_threshold = symmetric, threshold
