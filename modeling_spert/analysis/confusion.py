"""Which type is taken for which: gold types against predicted ones, with *none* on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modeling_spert.analysis.rows import Row, Side

NONE = "none"  # shown; the label's index is the last, so a type of that name is not mixed up with it


@dataclass(frozen=True)
class Confusion:
    """Counts of items with the same span (entities) or the same two spans (relations).

    Attributes:
        labels: The types; the last row and column are *none*, which is not among them.
        counts: (T + 1, T + 1) gold by predicted. The diagonal is what is right by `ner`, or by `rel` for relations.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def confuse_entities(rows: Sequence[Row], types: Sequence[str]) -> Confusion:
    """Confusion of entity types, among spans that are annotated or predicted."""
    return _confuse([(_entities_by_span(row.gold), _entities_by_span(row.predicted)) for row in rows], types)


def confuse_relations(rows: Sequence[Row], types: Sequence[str]) -> Confusion:
    """Confusion of relation types, among pairs of spans that are annotated or predicted, whatever the entity types."""
    return _confuse([(_relations_by_spans(row.gold), _relations_by_spans(row.predicted)) for row in rows], types)


_Types = dict[tuple[int, ...], set[str]]


def _entities_by_span(side: Side) -> _Types:
    found: _Types = {}
    for span in side.entities:
        found.setdefault((span.start, span.end), set()).add(span.type)
    return found


def _relations_by_spans(side: Side) -> _Types:
    found: _Types = {}
    for pair in side.relations:
        found.setdefault((*pair.head[:2], *pair.tail[:2]), set()).add(pair.type)
    return found


def _confuse(sides: Sequence[tuple[_Types, _Types]], types: Sequence[str]) -> Confusion:
    seen = {label for pair in sides for side in pair for labels in side.values() for label in labels}
    labels = tuple(dict.fromkeys([*types, *sorted(seen)]))
    index = {label: i for i, label in enumerate(labels)}
    counts = [[0] * (len(labels) + 1) for _ in range(len(labels) + 1)]
    none = len(labels)
    for gold, predicted in sides:
        for key in gold.keys() | predicted.keys():
            left, right = gold.get(key, set()), predicted.get(key, set())
            for label in left & right:
                counts[index[label]][index[label]] += 1
            # Where a place has several types, what is left is joined in alphabetical order.
            missing, wrong = sorted(left - right), sorted(right - left)
            for i in range(max(len(missing), len(wrong))):
                row = index[missing[i]] if i < len(missing) else none
                column = index[wrong[i]] if i < len(wrong) else none
                counts[row][column] += 1
    return Confusion(labels, tuple(tuple(row) for row in counts))
