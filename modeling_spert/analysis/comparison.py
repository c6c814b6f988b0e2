"""Two runs on the same sentences: which errors came, which went, and how sure a difference of scores is.

The interval is a paired bootstrap (Efron and Tibshirani, 1993; Berg-Kirkpatrick et al., 2012): documents (sentences
where there are none) are drawn with replacement, both runs on the same draw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modeling_spert.analysis.errors import Error, Item
from modeling_spert.evaluation.conventions import CONVENTIONS
from modeling_spert.evaluation.metrics import JointCounts, score_examples

Example = Mapping[str, Any]

PREFIXES = tuple(CONVENTIONS)
RESAMPLES = 2000


@dataclass(frozen=True)
class Difference:
    """The difference of two micro F1 scores, this run less the baseline, in points.

    Attributes:
        score: This run's F1.
        baseline: The baseline's.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        share_not_better: Share of the resamples in which this run is not better than the baseline.
    """

    score: float
    baseline: float
    low: float
    high: float
    share_not_better: float

    @property
    def points(self) -> float:
        """The difference."""
        return self.score - self.baseline

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Comparison:
    """This run against a baseline.

    Attributes:
        differences: By "ner", "rel" and "rel_strict".
        resamples: Number of bootstrap resamples.
        units: What was resampled, and how many: "12 documents" or "300 sentences".
        appeared: Indices (into the errors of this run) of those whose items the baseline had right.
        changed: Of those where the baseline erred too, in another way.
        gone: Errors of the baseline none of whose items is wrong now.
        stayed: How many errors are the same.
    """

    differences: Mapping[str, Difference]
    resamples: int
    units: str
    appeared: tuple[int, ...]
    changed: tuple[int, ...]
    gone: tuple[Error, ...]
    stayed: int


def compare(
    gold: Sequence[Example],
    predicted: Sequence[Example],
    baseline: Sequence[Example],
    errors: Sequence[Error],
    baseline_errors: Sequence[Error],
    symmetric: Collection[str],
    seed: int,
    unit: str,
) -> Comparison:
    """Compare two runs on the same gold rows, both at their own thresholds."""
    units = _units(gold)
    documents = sum(example.get("doc_id") is not None for example in gold) == len(gold) > 0
    before = {key: error for error in baseline_errors for key in _keys(error)}
    now = {key for error in errors for key in _keys(error)}
    identical = {(error.row, error.gold, error.predicted) for error in baseline_errors}
    same = [(error.row, error.gold, error.predicted) in identical for error in errors]
    appeared = [i for i, error in enumerate(errors) if not any(key in before for key in _keys(error))]
    new = set(appeared)
    return Comparison(
        differences=_differences(gold, predicted, baseline, units, symmetric, seed),
        resamples=RESAMPLES,
        units=f"{len(units)} {'document' if documents else unit}s",
        appeared=tuple(appeared),
        changed=tuple(i for i in range(len(errors)) if not same[i] and i not in new),
        gone=tuple(error for error in baseline_errors if not any(key in now for key in _keys(error))),
        stayed=sum(same),
    )


def _keys(error: Error) -> list[tuple[int, str, Item]]:
    """The items of an error, each with its side."""
    sides = (("gold", error.gold), ("predicted", error.predicted))
    return [(error.row, side, item) for side, item in sides if item is not None]


def _units(gold: Sequence[Example]) -> list[list[int]]:
    """The rows of each document; a row without one is a unit by itself."""
    units: dict[object, list[int]] = {}
    for index, example in enumerate(gold):
        name = example.get("doc_id")
        units.setdefault(("row", index) if name is None else ("document", name), []).append(index)
    return list(units.values())


def _differences(
    gold: Sequence[Example],
    predicted: Sequence[Example],
    baseline: Sequence[Example],
    units: Sequence[Sequence[int]],
    symmetric: Collection[str],
    seed: int,
) -> dict[str, Difference]:
    now, before = (_unit_counts(gold, rows, units, symmetric) for rows in (predicted, baseline))
    scores = [score_examples(gold, rows, symmetric_relation_types=symmetric) for rows in (predicted, baseline)]
    generator = np.random.default_rng(seed)
    draws = np.empty((RESAMPLES, len(PREFIXES)))
    for i in range(RESAMPLES):
        weights = np.bincount(generator.integers(0, max(len(units), 1), len(units)), minlength=len(units))
        draws[i] = _f1(np.tensordot(weights, now, 1)) - _f1(np.tensordot(weights, before, 1))
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    return {
        prefix: Difference(
            score=scores[0][f"{prefix}_f1_micro"],
            baseline=scores[1][f"{prefix}_f1_micro"],
            low=float(low[i]),
            high=float(high[i]),
            share_not_better=float((draws[:, i] <= 0).mean()),
        )
        for i, prefix in enumerate(PREFIXES)
    }


def _unit_counts(
    gold: Sequence[Example], predicted: Sequence[Example], units: Sequence[Sequence[int]], symmetric: Collection[str]
) -> np.ndarray:
    """(units, 3, 3): for each unit and convention the items that are gold, predicted and correct."""
    counts = np.zeros((len(units), len(PREFIXES), 3))
    for i, rows in enumerate(units):
        for row in rows:
            found = JointCounts.from_example(gold[row], predicted[row], symmetric_relation_types=symmetric)
            for j, prefix in enumerate(PREFIXES):
                part = getattr(found, prefix)
                counts[i, j] += part.gold.total(), part.predicted.total(), part.correct.total()
    return counts


def _f1(counts: np.ndarray) -> np.ndarray:
    """Micro F1 in percent of counts (…, 3), as `precision_recall_f1` has it."""
    items = counts[..., 0] + counts[..., 1]
    return np.divide(200 * counts[..., 2], items, out=np.zeros_like(items), where=items > 0)
