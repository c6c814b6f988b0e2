"""`--overlap train`: which entities may share words, as the training data have it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_spert.decoding_spert import Entity, build_extraction, resolve_overlaps
from modeling_spert.training.build_model import seen_overlap

SPANS = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)).map(lambda s: (s[0], s[0] + s[1])), max_size=5)


def entities(spans: list[tuple[int, int]]) -> dict[str, list[dict[str, int]]]:
    return {"entities": [{"start": start, "end": end} for start, end in spans]}


@given(st.lists(SPANS, max_size=3))
def test_seen_overlap_is_the_strictest_that_keeps_every_entity(sentences: list[list[tuple[int, int]]]):
    def keeps_all(mode: str) -> bool:
        found = [build_extraction([Entity(*span, "A") for span in set(spans)], []) for spans in sentences]
        return all(resolve_overlaps(extraction, mode) == extraction for extraction in found)

    strictest = next(mode for mode in ("flat", "nested", "allow") if keeps_all(mode))
    assert seen_overlap([entities(spans) for spans in sentences]) == strictest


@pytest.mark.parametrize("order", list(itertools.permutations([(0, 4), (1, 2), (5, 6)])), ids=str)
def test_seen_overlap_does_not_depend_on_the_order(order: tuple[tuple[int, int], ...]):
    assert seen_overlap([entities(list(order))]) == "nested"
