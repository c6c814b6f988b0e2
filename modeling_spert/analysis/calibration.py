"""Whether a score of 0.8 is right eight times out of ten: reliability and the expected calibration error.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: bins of equal width; the error is the mean distance
between a bin's mean score and its share of right predictions, weighted by the bins' sizes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spert_pages import ReliabilityBin

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Reliability of scores: `bins` from low to high, `error` the expected calibration error in 0..1, `count` all."""

    bins: tuple[ReliabilityBin, ...]
    error: float
    count: int


def calibrate(scored: Iterable[tuple[float, bool]]) -> Calibration:
    """Calibration of predictions, each a score in 0..1 and whether it is right.

    >>> calibration = calibrate([(0.9, True), (0.9, True), (0.9, False), (0.15, False)])
    >>> round(calibration.error, 4), calibration.bins[9].count
    (0.2125, 3)
    """
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for score, right in scored:
        bins[min(int(score * BINS), BINS - 1)].append((score, right))
    count = sum(map(len, bins))
    filled = tuple(
        ReliabilityBin(
            low=i / BINS,
            high=(i + 1) / BINS,
            count=len(items),
            confidence=sum(score for score, _ in items) / max(len(items), 1),
            accuracy=sum(right for _, right in items) / max(len(items), 1),
        )
        for i, items in enumerate(bins)
    )
    error = sum(item.count * abs(item.confidence - item.accuracy) for item in filled) / max(count, 1)
    return Calibration(filled, error, count)
