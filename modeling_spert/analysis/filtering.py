"""Predictions at other thresholds, from one pass with low ones.

Exact, not an approximation: a span is scored without regard to other spans, and a pair without regard to other pairs
(SpERT, sections 3.2 and 3.3). So what the model would answer at higher thresholds is what remains when the entities
below are dropped, with their relations, and then the relations below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Example = Mapping[str, Any]

WINS = "wins"  # key of a predicted entity: whether its type beats *none*, which its score alone does not say


def at_thresholds(
    predictions: Sequence[Example], entity_threshold: float | None = None, relation_threshold: float | None = None
) -> list[dict[str, Any]]:
    """What the model would have answered at these thresholds.

    Args:
        predictions: Predicted Examples with scores, made with thresholds at most these.
        entity_threshold: Probability that an entity's best type must reach; None: its type must beat *none*, as
            `predict_with_scores` has marked; predictions without the mark are taken as they are.
        relation_threshold: Probability from which a relation holds; None: all there are.

    >>> entities = [{"type": "A", "start": i, "end": i + 1, "score": s} for i, s in enumerate([0.3, 0.8, 0.9])]
    >>> row = {"entities": entities, "relations": [{"type": "r", "head": 1, "tail": 2, "score": 0.6}]}
    >>> at_thresholds([row], 0.5, 0.4)[0]["relations"]
    [{'type': 'r', 'head': 0, 'tail': 1, 'score': 0.6}]
    >>> at_thresholds([row], 0.85, 0.4)[0]["relations"]
    []
    """
    return [_filter(row, entity_threshold, relation_threshold) for row in predictions]


def _filter(row: Example, entity_threshold: float | None, relation_threshold: float | None) -> dict[str, Any]:
    place: dict[int, int] = {}
    entities: list[Mapping[str, Any]] = []
    for index, entity in enumerate(row["entities"]):
        if entity.get(WINS, True) if entity_threshold is None else _score(entity) >= entity_threshold:
            place[index] = len(entities)
            entities.append(entity)
    relations = [
        {**relation, "head": place[relation["head"]], "tail": place[relation["tail"]]}
        for relation in row["relations"]
        if relation["head"] in place
        and relation["tail"] in place
        and (relation_threshold is None or _score(relation) >= relation_threshold)
    ]
    return {**row, "entities": entities, "relations": relations}


def _score(item: Mapping[str, Any]) -> float:
    score = item.get("score")
    return 1.0 if score is None else score


def lowest_score(items: Iterable[Mapping[str, Any]]) -> float | None:
    """The lowest score among entities or relations; None where none has one."""
    return min((item["score"] for item in items if item.get("score") is not None), default=None)


def holds_losers(predictions: Sequence[Example]) -> bool:
    """Whether the predictions hold entities that *none* beat: only then a low threshold has something to show."""
    return any(not entity.get(WINS, True) for row in predictions for entity in row["entities"])
