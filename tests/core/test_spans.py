"""Spans, pairs and pooled ranges against brute force."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from modeling_spert.spans_spert import (
    candidate_mask,
    choose_spans,
    context_ranges,
    count_subwords,
    filter_spans,
    find_survivors,
    ordered_pairs,
    pool_words,
    range_max,
    range_sum,
    range_table,
    sentence_ranges,
    spans_of_mask,
)

# Windows as the lengths of their sentences, in words; an empty list is a window without words.
WINDOWS = st.lists(st.lists(st.integers(1, 7), max_size=4), min_size=1, max_size=4)


def sentence_index(windows: list[list[int]]) -> Tensor:
    rows = [[number for number, length in enumerate(window) for _ in range(length)] for window in windows]
    width = max(map(len, rows))
    return torch.tensor([row + [-1] * (width - len(row)) for row in rows], dtype=torch.long).reshape(len(rows), width)


def candidate_spans(index: Tensor, max_width: int) -> Tensor:
    return spans_of_mask(candidate_mask(index, max_width))


def random_words(B: int, W: int, seed: int, H: int = 3) -> Tensor:
    # All negative: a zero that slips into a maximum would win.
    return -1 - torch.rand(B, W, H, generator=torch.Generator().manual_seed(seed))


@st.composite
def words_and_ranges(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    B, W = draw(st.integers(1, 3)), draw(st.integers(1, 33))
    bound = st.integers(0, W)
    ranges = draw(st.lists(st.tuples(st.integers(0, B - 1), bound, bound), max_size=12))
    return random_words(B, W, draw(st.integers(0, 99))), torch.tensor(ranges, dtype=torch.long).reshape(-1, 3)


@given(WINDOWS, st.integers(1, 9))
def test_candidate_spans_equal_brute_force(windows: list[list[int]], max_width: int):
    index = sentence_index(windows)
    expected = [
        [row, start, start + width]
        for row in range(len(windows))
        for width in range(1, max_width + 1)
        for start in range(index.shape[1] - width + 1)
        if index[row, start] >= 0 and len(set(index[row, start : start + width].tolist())) == 1
    ]
    spans = candidate_spans(index, max_width)
    assert spans.tolist() == expected
    assert spans.shape == (len(expected), 3) and spans.dtype == torch.long


def test_candidate_mask_has_a_row_per_width_however_short_the_batch():
    assert candidate_mask(sentence_index([[2], []]), 5).shape == (2, 5, 2)
    assert candidate_mask(sentence_index([[], []]), 5).shape == (2, 5, 0)
    assert candidate_spans(torch.zeros(0, 0, dtype=torch.long), 3).shape == (0, 3)


@given(words_and_ranges())
def test_range_max_equals_brute_force(case: tuple[Tensor, Tensor]):
    words, ranges = case
    found = range_max(range_table(words, words.shape[1]), ranges)
    expected = [
        words[row, start:end].amax(0) if start < end else torch.zeros(words.shape[2]) for row, start, end in ranges
    ]
    assert torch.equal(found, torch.stack(expected) if expected else words.new_zeros(0, words.shape[2]))


@given(words_and_ranges(), st.integers(1, 33))
def test_range_max_needs_a_table_for_the_longest_range_only(case: tuple[Tensor, Tensor], longest: int):
    words, ranges = case
    longest = min(longest, words.shape[1])
    ranges = ranges[ranges[:, 2] - ranges[:, 1] <= longest]
    table = range_table(words, longest)
    assert len(table) == longest.bit_length()
    assert torch.equal(range_max(table, ranges), range_max(range_table(words, words.shape[1]), ranges))


@given(words_and_ranges())
def test_range_sum_equals_brute_force(case: tuple[Tensor, Tensor]):
    words, ranges = case
    found = range_sum(words, ranges)
    for vector, (row, start, end) in zip(found, ranges.tolist(), strict=True):
        torch.testing.assert_close(vector, words[row, start : max(start, end)].sum(0), rtol=0, atol=1e-4)


def test_range_sum_adds_in_fp32_and_keeps_the_dtype():
    words = torch.full((1, 3000, 1), 1.0, dtype=torch.bfloat16)  # bf16 alone would stop counting at 256
    (total,) = range_sum(words, torch.tensor([[0, 1000, 3000]]))
    assert total.dtype == torch.bfloat16 and total.item() == 2000


@given(st.lists(st.integers(0, 4), max_size=12))
def test_ordered_pairs_equal_brute_force(groups: list[int]):
    pairs = ordered_pairs(torch.tensor(groups, dtype=torch.long))
    expected = [
        [a, b]
        for group in sorted(set(groups))
        for a, b in itertools.product(range(len(groups)), repeat=2)
        if a != b and groups[a] == groups[b] == group
    ]
    assert pairs.tolist() == expected
    assert pairs.shape == (len(expected), 2) and pairs.dtype == torch.long


@st.composite
def two_spans(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int]]:
    starts = [draw(st.integers(0, 12)) for _ in range(2)]
    return tuple((start, start + draw(st.integers(1, 6))) for start in starts)  # type: ignore[return-value]


@given(two_spans())
def test_context_ranges_are_the_words_between_two_spans(spans: tuple[tuple[int, int], tuple[int, int]]):
    (a, b), (c, d) = spans
    between = [word for word in range(20) if b <= word < c or d <= word < a]
    head, tail = torch.tensor([[1, a, b]]), torch.tensor([[1, c, d]])
    for first, second in ((head, tail), (tail, head)):
        ((row, start, end),) = context_ranges(first, second).tolist()
        assert row == 1 and list(range(start, end)) == between


@given(WINDOWS)
def test_sentence_ranges_are_the_words_of_the_spans_sentence(windows: list[list[int]]):
    index = sentence_index(windows)
    spans = candidate_spans(index, 3)
    for (row, start, _), found in zip(spans.tolist(), sentence_ranges(index, spans).tolist(), strict=True):
        words = [word for word in range(index.shape[1]) if index[row, word] == index[row, start]]
        assert found == [row, words[0], words[-1] + 1]


@given(
    st.lists(st.lists(st.integers(0, 3), max_size=5), min_size=1, max_size=3),
    st.sampled_from(["max", "mean", "sum"]),
    st.integers(0, 99),
)
def test_pool_words_equals_brute_force(counts: list[list[int]], pooling: str, seed: int):
    W = max(map(len, counts))
    rows = [[-1, *(word for word, count in enumerate(row) for _ in range(count)), -1] for row in counts]
    L = max(map(len, rows))
    index = torch.tensor([row + [-1] * (L - len(row)) for row in rows])
    hidden = random_words(len(rows), L, seed)
    words, found_counts = pool_words(hidden, index, W, pooling), count_subwords(index, W)
    assert words.shape == (len(rows), W, 3)
    for row, word in itertools.product(range(len(rows)), range(W)):
        own = hidden[row, index[row] == word]
        expected = torch.zeros(3) if len(own) == 0 else own.amax(0) if pooling == "max" else own.sum(0)
        torch.testing.assert_close(words[row, word], expected, rtol=0, atol=1e-6)
        assert found_counts[row, word] == len(own)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("pooling", ["max", "sum"])
def test_pool_words_keeps_the_dtype(dtype: torch.dtype, pooling: str):
    words = pool_words(torch.ones(1, 4, 2, dtype=dtype), torch.tensor([[-1, 0, 0, 1]]), 2, pooling)
    assert words.dtype == dtype
    assert words[0, :, 0].tolist() == ([1, 1] if pooling == "max" else [2, 1])


def test_survivors_by_class_or_by_threshold():
    def surviving_spans(logits: Tensor, threshold: float | None = None) -> Tensor:
        return find_survivors(logits, threshold).nonzero().squeeze(1)

    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.2, 1.1], [1.0, 1.0, 0.0]])
    best = logits.softmax(1)[:, 1:].amax(1)
    assert surviving_spans(logits).tolist() == [1, 2]  # a tie with *none* is no entity
    assert surviving_spans(logits, 0.0).tolist() == [0, 1, 2, 3]
    assert surviving_spans(logits, best[3].item()).tolist() == [1, 3]  # at the threshold is an entity
    assert surviving_spans(logits, 1.0).tolist() == []
    assert surviving_spans(torch.zeros(3, 1)).tolist() == []  # no entity types
    assert surviving_spans(torch.zeros(3, 1), 0.0).tolist() == []


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([None, 0.0, 0.4]))
def test_filter_spans_keeps_the_best_of_each_sentence(seed: int, limit: int, threshold: float | None):
    sentence_index = torch.tensor([[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, -1, -1, -1, -1]])
    mask = candidate_mask(sentence_index, 3)
    logits = torch.randn(2, 3, 7, 3, generator=torch.Generator().manual_seed(seed)).round(decimals=1)  # with ties
    spans, _, every, _ = filter_spans(logits, mask, sentence_index, threshold)
    same_spans, entity_logits, kept, pairs = filter_spans(logits, mask, sentence_index, threshold, limit)
    assert torch.equal(same_spans, spans) and kept.tolist() == sorted(kept.tolist())
    score = entity_logits.softmax(-1)[:, 1:].amax(-1)
    groups: dict[tuple[int, int], list[int]] = {}
    for index in every.tolist():
        row, start, _ = spans[index].tolist()
        groups.setdefault((row, int(sentence_index[row, start])), []).append(index)
    expected = [sorted(group, key=lambda i: (-score[i].item(), i))[:limit] for group in groups.values()]
    assert kept.tolist() == sorted(itertools.chain(*expected))
    assert set(map(tuple, pairs.tolist())) == {pair for group in expected for pair in itertools.permutations(group, 2)}


def clash(a: list[int], b: list[int], mode: str) -> bool:
    """Whether two spans (window, first word, end) may not both stay."""
    shared = min(a[2], b[2]) - max(a[1], b[1])
    return a[0] == b[0] and shared > 0 and (mode == "flat" or shared < min(a[2] - a[1], b[2] - b[1]))


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda s: (s[0], s[0] + s[1])), max_size=12),
    st.sampled_from(["nested", "flat"]),
    st.randoms(use_true_random=False),
)
def test_choose_spans_keeps_the_best_and_whatever_clashes_with_no_better_one(spans, mode, random):
    best_first = random.sample(range(len(spans)), len(spans))
    expected: list[int] = []  # by comparing each with all kept before it
    for index in best_first:
        if not any(clash([0, *spans[index]], [0, *spans[other]], mode) for other in expected):
            expected.append(index)
    kept = choose_spans(spans, best_first, mode)
    assert kept == expected and kept[:1] == best_first[:1]


@given(st.integers(0, 2**32 - 1), st.sampled_from(["nested", "flat"]), st.sampled_from([None, 0.0, 0.4]))
def test_filter_spans_drops_what_clashes_with_a_better_entity(seed: int, mode: str, threshold: float | None):
    sentence_index = torch.tensor([[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, -1, -1, -1, -1]])
    mask = candidate_mask(sentence_index, 3)
    logits = torch.randn(2, 3, 7, 3, generator=torch.Generator().manual_seed(seed)).round(decimals=1)  # with ties
    spans, entity_logits, every, _ = filter_spans(logits, mask, sentence_index, threshold)
    found = filter_spans(logits, mask, sentence_index, threshold, overlap=mode)
    assert torch.equal(found[0], spans) and torch.equal(found[1], entity_logits)
    score, place = entity_logits.softmax(-1)[:, 1:].amax(-1).tolist(), spans.tolist()
    expected: list[int] = []
    for index in sorted(every.tolist(), key=lambda i: (-score[i], i)):
        if not any(clash(place[index], place[other], mode) for other in expected):
            expected.append(index)
    assert found[2].tolist() == sorted(expected)
    groups = Counter((place[i][0], int(sentence_index[place[i][0], place[i][1]])) for i in expected)
    assert len(found[3]) == sum(size * (size - 1) for size in groups.values())
    # The limit counts what is left.
    assert len(filter_spans(logits, mask, sentence_index, threshold, 1, mode)[2]) == len(groups)


def test_filter_spans_without_entity_types_has_nothing_that_overlaps():
    index = torch.tensor([[0, 0]])
    assert len(filter_spans(torch.zeros(1, 2, 2, 1), candidate_mask(index, 2), index, overlap="flat")[2]) == 0
