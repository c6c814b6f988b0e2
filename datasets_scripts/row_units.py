"""What a row of a data set is, a sentence or a document, and counts by sentence for either."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

_ENDS = (".", "?", "!")


class SentenceCounts(NamedTuple):
    """Sentences of some rows, and how many of them hold no entity, no relation."""

    sentences: int
    without_entities: int
    without_relations: int


def _sentence_starts(tokens: Sequence[str]) -> list[int]:
    """The first word of each sentence: 0, and capitalised words after an end mark.

    >>> _sentence_starts(["It", "rains", ".", "Stay", "in", "."])
    [0, 3]
    """
    return [0, *(place for place, (a, b) in enumerate(pairwise(tokens), 1) if a in _ENDS and b[:1].isupper())]


def row_unit(token_rows: Iterable[Sequence[str]]) -> str:
    """What a row is: "document" where most rows hold several sentences, else "sentence".

    A model trained on such rows reads a raw text as one row, too (`infer_segmentation` counts alike).

    >>> row_unit([["It", "rains", ".", "Stay", "in", "."], ["Go", "."], ["Go", ".", "Now", "."]])
    'document'
    """
    several = [len(_sentence_starts(tokens)) > 1 for tokens in token_rows]
    return "document" if 2 * sum(several) > len(several) else "sentence"


def count_sentences(rows: Iterable[Mapping[str, Any]], unit: str) -> SentenceCounts:
    """Count by sentence: a row is one, or, where rows are documents, holds some.

    A relation between two sentences counts for both.
    """
    found = [_has_by_sentence(row, unit) for row in rows]
    flags = [flag for row in found for flag in row]
    return SentenceCounts(len(flags), sum(not has[0] for has in flags), sum(not has[1] for has in flags))


def _has_by_sentence(row: Mapping[str, Any], unit: str) -> Iterator[tuple[bool, bool]]:
    """Whether each sentence of a row holds an entity, a relation."""
    starts = _sentence_starts(row["tokens"]) if unit == "document" else [0]
    place = [bisect_right(starts, entity["start"]) - 1 for entity in row["entities"]]
    related = {place[relation[end]] for relation in row["relations"] for end in ("head", "tail")}
    return ((index in place, index in related) for index in range(len(starts)))
