"""Documents → train, dev and test: exact sizes, by a seed, rare labels spread as evenly as they can be.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011) over counts: the rarest label first, each of its
documents to the split that lacks most of it and has a place left.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

SPLITS = ("train", "dev", "test")
DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)
_NOISE = 1e-9  # of sums of fractions


def check_fractions(fractions: Sequence[float]) -> tuple[float, float, float]:
    """The fractions of train, dev and test.

    Raises:
        ValueError: There are not three, one is negative, train's is 0, or they do not add up to 1.
    """
    try:
        train, dev, test = (float(fraction) for fraction in fractions)
    except (TypeError, ValueError) as error:
        raise ValueError(f"split must be three fractions such as 0.8, 0.1, 0.1, got {fractions!r}") from error
    if not (train > 0 and dev >= 0 and test >= 0 and abs(train + dev + test - 1) < 1e-6):
        raise ValueError(f"split must be three fractions that add up to 1, the first above 0, got {fractions!r}")
    return train, dev, test


def split_sizes(count: int, fractions: Sequence[float]) -> list[int]:
    """How many documents each split gets: the largest remainders are rounded up, and train is never empty.

    >>> split_sizes(80, (0.8, 0.1, 0.1)), split_sizes(4, (0.8, 0.1, 0.1)), split_sizes(1, (0.3, 0.7, 0.0))
    ([64, 8, 8], [3, 1, 0], [1, 0, 0])
    """
    exact = [round(count * fraction, 9) for fraction in fractions]
    sizes = [int(size) for size in exact]
    by_remainder = sorted(range(len(sizes)), key=lambda split: (sizes[split] - exact[split], split))
    for split in by_remainder[: count - sum(sizes)]:
        sizes[split] += 1
    # A split that was asked for gets a document where train can spare one.
    for split in range(1, len(sizes)):
        if fractions[split] > 0 and sizes[split] == 0 and sizes[0] > split + 1:
            sizes[split], sizes[0] = 1, sizes[0] - 1
    if count and not sizes[0]:
        richest = max(range(len(sizes)), key=lambda split: sizes[split])
        sizes[richest], sizes[0] = sizes[richest] - 1, 1
    return sizes


def split_documents(
    labels: Sequence[Mapping[str, int]], fractions: Sequence[float] = DEFAULT_FRACTIONS, seed: int = 0
) -> list[str]:
    """The split of each document.

    Args:
        labels: How often each label occurs in each document.
        fractions: Of the documents that go into train, dev and test.
        seed: Decides between documents that are equal otherwise.

    >>> split_documents([{"treats": 1}, {"treats": 1}, {"causes": 2}, {}], (0.5, 0.25, 0.25), seed=1).count("train")
    2
    """
    fractions = check_fractions(fractions)
    free = split_sizes(len(labels), fractions)
    order = list(range(len(labels)))
    random.Random(seed).shuffle(order)
    holders = Counter(label for counts in labels for label in counts)
    totals: Counter[str] = Counter()
    for counts in labels:
        totals.update(counts)
    wanted = [{label: total * fraction for label, total in totals.items()} for fraction in fractions]
    chosen: dict[int, int] = {}
    for label in sorted(holders, key=lambda name: (holders[name], name)):
        targets = [totals[label] * fraction for fraction in fractions]
        # The documents with most of it first: the small ones even out what those leave.
        for document in sorted(order, key=lambda place: -labels[place].get(label, 0)):
            count = labels[document].get(label, 0)
            if document not in chosen and count:
                split = _neediest([needs[label] for needs in wanted], targets, count, free)
                chosen[document] = split
                free[split] -= 1
                for name, number in labels[document].items():
                    wanted[split][name] -= number
    for document in order:
        if document not in chosen:
            chosen[document] = max(range(len(free)), key=lambda split: free[split])
            free[chosen[document]] -= 1
    return [SPLITS[chosen[document]] for document in range(len(labels))]


def _neediest(wanted: Sequence[float], targets: Sequence[float], count: int, free: Sequence[int]) -> int:
    """The split for a document with `count` of a label, among those with a place left.

    Where half of the document's count is still wanted, the split that is furthest from its target; else the one that
    lacks most, so that a label of one or two documents is trained on. Of equals the one with most places.
    """
    open_splits = [split for split in range(len(free)) if free[split] > 0]
    fitting = [split for split in open_splits if wanted[split] >= count / 2 - _NOISE]
    if fitting:
        return max(fitting, key=lambda split: (round(wanted[split] / targets[split], 9), free[split], -split))
    return max(open_splits, key=lambda split: (round(wanted[split], 9), free[split], -split))
