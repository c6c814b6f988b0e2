"""Precision, recall and F1 against the two thresholds, and the best thresholds, from one pass of the model.

Each point is scored by `score_examples` on the predictions filtered to its threshold, which is exact (`filtering`).
The entity threshold comes first: it decides which pairs there are. The curve of relations is at the chosen entity
threshold, the best relation threshold is the best at the best entity threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from modeling_spert.analysis.filtering import Example, at_thresholds, lowest_score
from modeling_spert.evaluation.metrics import score_examples

STEP = 0.05
FINE_STEP = 0.01
_CENTRES = 3  # coarse points around which the finer grid is searched


@dataclass(frozen=True)
class SweepPoint:
    """Scores at a threshold, in percent, and how many predictions there are; None: no threshold."""

    threshold: float | None
    precision: float
    recall: float
    f1: float
    predicted: int


@dataclass(frozen=True)
class Sweep:
    """Scores against one threshold.

    Attributes:
        points: At rising thresholds, from the lowest that the predictions have scores for.
        chosen: At the threshold that the rest of the analysis uses.
        best: The point with the highest F1; a finer grid is searched around the best points.
    """

    points: tuple[SweepPoint, ...]
    chosen: SweepPoint
    best: SweepPoint


@dataclass(frozen=True)
class Thresholds:
    """The thresholds with the highest F1; `entity_threshold` None: the best class wins."""

    entity_threshold: float | None
    relation_threshold: float


def sweep_entities(
    gold: Sequence[Example], predictions: Sequence[Example], entity_threshold: float | None
) -> Sweep | None:
    """Entities (`ner`) against the entity threshold; None where the predictions have no scores."""
    bare = [{**row, "relations": []} for row in predictions]

    def score(threshold: float | None) -> SweepPoint:
        return _point(gold, at_thresholds(bare, threshold), "ner", (), threshold)

    return _sweep(score, lowest_score(e for row in predictions for e in row["entities"]), entity_threshold)


def sweep_relations(
    gold: Sequence[Example],
    predictions: Sequence[Example],
    entity_threshold: float | None,
    relation_threshold: float | None,
    symmetric_relation_types: Collection[str] = (),
) -> Sweep | None:
    """Relations (`rel_strict`) against their threshold, at one entity threshold; None where there are no scores."""
    at_entities = at_thresholds(predictions, entity_threshold)

    def score(threshold: float | None) -> SweepPoint:
        return _point(
            gold, at_thresholds(at_entities, None, threshold), "rel_strict", symmetric_relation_types, threshold
        )

    return _sweep(score, lowest_score(r for row in at_entities for r in row["relations"]), relation_threshold)


def _point(
    gold: Sequence[Example],
    predicted: Sequence[Example],
    prefix: str,
    symmetric: Collection[str],
    threshold: float | None,
) -> SweepPoint:
    scores = score_examples(gold, predicted, symmetric_relation_types=symmetric)
    precision, recall, f1 = (scores[f"{prefix}_{name}_micro"] for name in ("precision", "recall", "f1"))
    return SweepPoint(threshold, precision, recall, f1, int(scores[f"{prefix}_predicted"]))


def _sweep(score: Callable[[float | None], SweepPoint], lowest: float | None, chosen: float | None) -> Sweep | None:
    if lowest is None:
        return None
    # Below the lowest score nothing changes, and nothing is known.
    first = max(int(lowest / STEP), 1)
    points = [score(round(i * STEP, 4)) for i in range(first, round(1 / STEP))]
    return Sweep(tuple(points), score(chosen), _best(score, points))


def _best(score: Callable[[float | None], SweepPoint], points: Sequence[SweepPoint]) -> SweepPoint:
    """The best point on a finer grid around the best of the coarse one.

    Of points that do equally well it is the middle one of the longest run, which is the least accidental.
    """
    if not points:
        return score(0.5)
    middle = _middle_of_best(points)
    runners_up = sorted((point for point in points if point.f1 < middle.f1), key=lambda point: -point.f1)
    steps = round(STEP / FINE_STEP)
    best = middle
    for centre in (middle, *runners_up[: _CENTRES - 1]):
        assert centre.threshold is not None
        fine = (round(centre.threshold + i * FINE_STEP, 4) for i in range(-steps + 1, steps))
        found = _middle_of_best([score(threshold) for threshold in fine if 0 < threshold < 1])
        best = max(best, found, key=lambda point: point.f1)  # of equals the first
    return best


def _middle_of_best(points: Sequence[SweepPoint]) -> SweepPoint:
    top = max(point.f1 for point in points)
    runs: list[list[SweepPoint]] = [[]]
    for point in points:
        if point.f1 == top:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    longest = max(runs, key=len)
    return longest[(len(longest) - 1) // 2]


def best_points(
    gold: Sequence[Example], predictions: Sequence[Example], symmetric_relation_types: Collection[str] = ()
) -> tuple[SweepPoint | None, SweepPoint | None]:
    """Where entities, and then strict relations between those entities, have the highest micro F1.

    Args:
        gold: The annotated Examples.
        predictions: Of `predict_with_scores`, one for each.
        symmetric_relation_types: Relation types without direction.

    Returns:
        The point of the entity threshold, which is None ("the best class wins") unless a number does better, and that
        of the relation threshold. None where the predictions have no scores.

    Raises:
        ValueError: The numbers of rows differ.
    """
    entities = sweep_entities(gold, predictions, None)
    best = None if entities is None else max(entities.chosen, entities.best, key=lambda point: point.f1)
    threshold = None if best is None else best.threshold
    relations = sweep_relations(gold, predictions, threshold, None, symmetric_relation_types)
    return best, None if relations is None else relations.best


def best_thresholds(
    gold: Sequence[Example], predictions: Sequence[Example], symmetric_relation_types: Collection[str] = ()
) -> Thresholds:
    """The thresholds of `best_points`; 0.4 (the paper's) for relations where there are none.

    Choose them on a dev split: thresholds chosen on the split that is reported flatter it.
    """
    return as_thresholds(*best_points(gold, predictions, symmetric_relation_types))


def as_thresholds(entities: SweepPoint | None, relations: SweepPoint | None) -> Thresholds:
    """The thresholds of two points."""
    relation_threshold = None if relations is None else relations.threshold
    return Thresholds(
        None if entities is None else entities.threshold, 0.4 if relation_threshold is None else relation_threshold
    )
