"""Rows with the same or nearly the same text, in time linear in the data.

Equal texts are found by a dictionary. Near-duplicates by MinHash over word trigrams (Broder, 1997) with banding: rows
that share a band are compared with one row of that band, not with one another, so no bucket, however large, costs more
than its number of rows. A pair of similarity s is found with probability 1 - (1 - s^4)^12, 0.999 at s = 0.8.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from datasets_scripts.checking.facts import DuplicateGroup
from datasets_scripts.checking.rows import Row

SIMILAR = 0.8  # Jaccard similarity of the trigrams from which two texts are near-duplicates
_BANDS, _BAND_ROWS = 12, 4
_PRIME = (1 << 31) - 1
_FEWEST_WORDS = 5  # shorter texts are compared for equality only: "Yes , sir ." says nothing about copying
_NOT_WORDS = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")


def normalise(tokens: Sequence[str]) -> tuple[str, ...]:
    """The words that a text is compared by: case folded, numbers alike, punctuation dropped.

    >>> normalise(["In", "1998", ",", "Oslo", "Bank", "grew", "."])
    ('in', '0', 'oslo', 'bank', 'grew')
    """
    words = (_NOT_WORDS.sub("", _DIGITS.sub("0", token.casefold())) for token in tokens)
    return tuple(word for word in words if word)


def find_duplicates(rows: Sequence[Row]) -> list[DuplicateGroup]:
    """Groups of rows with equal or nearly equal texts, the largest first; empty rows are in none."""
    texts = [normalise(row.tokens) for row in rows]
    first_of: dict[tuple[str, ...], int] = {}
    parents = list(range(len(rows)))
    for index, text in enumerate(texts):
        if text:
            parents[index] = first_of.setdefault(text, index)
    exact_root = list(parents)
    for index, other in _near_pairs([(index, text) for text, index in first_of.items()]):
        parents[_root(parents, index)] = _root(parents, other)
    groups: dict[int, list[int]] = {}
    for index, text in enumerate(texts):
        if text:
            groups.setdefault(_root(parents, index), []).append(index)
    found = [_group(rows, exact_root, members) for members in groups.values() if len(members) > 1]
    return sorted(found, key=lambda group: (-len(group.splits), -len(group.places)))


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _group(rows: Sequence[Row], exact_root: Sequence[int], members: Sequence[int]) -> DuplicateGroup:
    annotations: dict[tuple[str, ...], set[Any]] = {}
    for index in members:
        annotations.setdefault(tuple(rows[index].tokens), set()).add(_annotation(rows[index].example))
    return DuplicateGroup(
        places=tuple(rows[index].place() for index in members),
        exact=len({exact_root[index] for index in members}) == 1,
        splits=tuple(dict.fromkeys(rows[index].split for index in members)),
        differently_annotated=any(len(versions) > 1 for versions in annotations.values()),
    )


def _annotation(example: Mapping[str, Any]) -> tuple[Any, ...]:
    """Entities and relations by value: their order does not matter."""
    entities = [(entity["start"], entity["end"], entity["type"]) for entity in example["entities"]]
    relations = {(entities[r["head"]], entities[r["tail"]], r["type"]) for r in example["relations"]}
    return frozenset(entities), frozenset(relations)


def _near_pairs(texts: Sequence[tuple[int, tuple[str, ...]]]) -> list[tuple[int, int]]:
    """Pairs of near-duplicates among different texts: each text with the first of each of its buckets."""
    generator = np.random.default_rng(20)
    factors = generator.integers(1, _PRIME, (_BANDS * _BAND_ROWS, 1), dtype=np.int64)
    offsets = generator.integers(0, _PRIME, (_BANDS * _BAND_ROWS, 1), dtype=np.int64)
    buckets: dict[tuple[int, bytes], int] = {}
    shingles: dict[int, frozenset[int]] = {}
    pairs = []
    for index, words in texts:
        if len(words) < _FEWEST_WORDS:
            continue
        shingles[index] = _trigrams(words)
        hashes = np.fromiter(shingles[index], dtype=np.int64)
        # Products stay below 2^62: both factors are below 2^31.
        signature = ((factors * hashes + offsets) % _PRIME).min(axis=1).reshape(_BANDS, _BAND_ROWS)
        others = {buckets.setdefault((band, part.tobytes()), index) for band, part in enumerate(signature)}
        pairs += [
            (index, other) for other in others - {index} if _similarity(shingles[index], shingles[other]) >= SIMILAR
        ]
    return pairs


def _trigrams(words: Sequence[str]) -> frozenset[int]:
    return frozenset(
        zlib.crc32(" ".join(words[i : i + 3]).encode("utf-8", "replace")) % _PRIME for i in range(len(words) - 2)
    )


def _similarity(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other)
