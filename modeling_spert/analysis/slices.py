"""Scores of parts of the data: by width of the entity, distance of head and tail, length of the sentence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modeling_spert.evaluation.metrics import score_examples

Example = Mapping[str, Any]
Test = Callable[[int], bool]

_WIDTHS = (1, 2, 3, 4, 5, 7, 10)
_DISTANCES = (0, 2, 5, 10, 20, 40)
_LENGTHS = (10, 20, 30, 40, 60, 100)


@dataclass(frozen=True)
class Slice:
    """Scores of one part, in percent.

    Attributes:
        name: Such as "3–5".
        support: Gold items in it.
        predicted: Predictions in it.
        precision: Share of the predictions that are right.
        recall: Share of the gold items that were found.
        f1: Their harmonic mean.
        rows: Sentences in it, where it is made of whole sentences.
    """

    name: str
    support: int
    predicted: int
    precision: float
    recall: float
    f1: float
    rows: int | None = None


def slice_by_width(gold: Sequence[Example], predicted: Sequence[Example]) -> tuple[Slice, ...]:
    """Entities by their width in words; a prediction counts where its own width is."""

    def part(rows: Sequence[Example], inside: Test) -> list[Example]:
        return [
            {"entities": [e for e in row["entities"] if inside(e["end"] - e["start"])], "relations": []} for row in rows
        ]

    return _slices(_WIDTHS, "ner", lambda inside: (part(gold, inside), part(predicted, inside)), ())


def slice_by_distance(
    gold: Sequence[Example], predicted: Sequence[Example], symmetric: Collection[str]
) -> tuple[Slice, ...]:
    """Relations, counted strictly, by the number of words between head and tail."""

    def part(rows: Sequence[Example], inside: Test) -> list[Example]:
        return [
            {
                "entities": row["entities"],
                "relations": [r for r in row["relations"] if inside(_distance(row["entities"], r))],
            }
            for row in rows
        ]

    return _slices(_DISTANCES, "rel_strict", lambda inside: (part(gold, inside), part(predicted, inside)), symmetric)


def slice_by_length(
    gold: Sequence[Example], predicted: Sequence[Example], symmetric: Collection[str], prefix: str
) -> tuple[Slice, ...]:
    """Entities ("ner") or relations ("rel_strict") by the length of their sentence in words."""

    def part(inside: Test) -> tuple[list[Example], list[Example]]:
        rows = [i for i, row in enumerate(gold) if inside(len(row["tokens"]))]
        return [gold[i] for i in rows], [predicted[i] for i in rows]

    return _slices(_LENGTHS, prefix, part, symmetric, whole_rows=True)


def _distance(entities: Sequence[Mapping[str, Any]], relation: Mapping[str, Any]) -> int:
    """Words between the two entities; 0 where they touch or overlap."""
    head, tail = entities[relation["head"]], entities[relation["tail"]]
    return max(head["start"] - tail["end"], tail["start"] - head["end"], 0)


def _slices(
    borders: Sequence[int],
    prefix: str,
    part: Callable[[Test], tuple[list[Example], list[Example]]],
    symmetric: Collection[str],
    whole_rows: bool = False,
) -> tuple[Slice, ...]:
    found = []
    for low, high in zip((None, *borders), (*borders, None), strict=True):
        inside = _between(low, high)
        gold, predicted = part(inside)
        scores = score_examples(gold, predicted, symmetric_relation_types=symmetric)
        support, count = int(scores[f"{prefix}_support"]), int(scores[f"{prefix}_predicted"])
        if support or count or (whole_rows and gold):
            precision, recall, f1 = (scores[f"{prefix}_{name}_micro"] for name in ("precision", "recall", "f1"))
            rows = len(gold) if whole_rows else None
            found.append(Slice(_name(low, high), support, count, precision, recall, f1, rows))
    return tuple(found)


def _between(low: int | None, high: int | None) -> Test:
    return lambda value: (low is None or value > low) and (high is None or value <= high)


def _name(low: int | None, high: int | None) -> str:
    """The name of a part.

    >>> _name(None, 0), _name(None, 10), _name(2, 5), _name(4, 5), _name(60, None)
    ('0', 'up to 10', '3–5', '5', 'over 60')
    """
    if high is None:
        return f"over {low}"
    if low is None:
        return str(high) if high <= 1 else f"up to {high}"
    return str(high) if high == low + 1 else f"{low + 1}–{high}"
