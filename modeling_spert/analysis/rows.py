"""Gold and predictions of one sentence as sets, by the metric's conventions, with the scores kept aside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modeling_spert.evaluation.metrics import TypedPair, TypedSpan

Example = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """One side of a row: its entities and relations, each once, with the (highest) score; 1 where it has none."""

    entities: Mapping[TypedSpan, float]
    relations: Mapping[TypedPair, float]


@dataclass(frozen=True)
class Row:
    """A sentence with what is annotated and what was predicted.

    Attributes:
        tokens: Its words.
        orig_id: Its `orig_id`, else its index.
        doc_id: Its document, if it has one.
        gold: The annotation.
        predicted: The prediction at the chosen thresholds.
        low: The prediction with the lowest thresholds there are scores for; holds `predicted`.
    """

    tokens: tuple[str, ...]
    orig_id: str
    doc_id: str | None
    gold: Side
    predicted: Side
    low: Side


def read_side(example: Example, symmetric_relation_types: Collection[str] = ()) -> Side:
    """The sets of an Example: relations of symmetric types are turned so that the earlier span is the head.

    >>> entities = [{"type": "A", "start": 3, "end": 4}, {"type": "A", "start": 0, "end": 1, "score": 0.5}]
    >>> side = read_side({"entities": entities, "relations": [{"type": "r", "head": 0, "tail": 1}]}, ["r"])
    >>> [(pair.head.start, pair.tail.start) for pair in side.relations], list(side.entities.values())
    ([(0, 3)], [1.0, 0.5])
    """
    spans = [TypedSpan(entity["start"], entity["end"], entity["type"]) for entity in example["entities"]]
    entities: dict[TypedSpan, float] = {}
    for span, entity in zip(spans, example["entities"], strict=True):
        entities[span] = max(entities.get(span, 0.0), _score(entity))
    relations: dict[TypedPair, float] = {}
    for relation in example["relations"]:
        head, tail = spans[relation["head"]], spans[relation["tail"]]
        if relation["type"] in symmetric_relation_types and tail.start < head.start:
            head, tail = tail, head
        pair = TypedPair(head, tail, relation["type"])
        relations[pair] = max(relations.get(pair, 0.0), _score(relation))
    return Side(entities, relations)


def _score(item: Mapping[str, Any]) -> float:
    score = item.get("score")
    return 1.0 if score is None else float(score)


def read_rows(
    gold: Sequence[Example], low: Sequence[Example], chosen: Sequence[Example], symmetric: Collection[str]
) -> list[Row]:
    """Rows of gold, of the predictions with low thresholds and of those at the chosen ones, in order."""
    return [
        Row(
            tokens=tuple(example["tokens"]),
            orig_id=str(example["orig_id"] if example.get("orig_id") is not None else index),
            doc_id=example.get("doc_id"),
            gold=read_side(example, symmetric),
            predicted=read_side(predicted, symmetric),
            low=read_side(scored, symmetric),
        )
        for index, (example, scored, predicted) in enumerate(zip(gold, low, chosen, strict=True))
    ]
