"""Candidate spans, pairs and their pooled vectors: pure tensor functions (SpERT, sections 3.1 and 3.2).

Spans, pairs and contexts are contiguous ranges of words, so their maxima come from running maxima or from a table of
maxima over power-of-two ranges. Nothing here has both a span and a token axis.

Shape letters: B windows, L subwords, W words, K span widths, S candidate spans, P candidate pairs, H hidden,
N ranges, J levels of the range table. Ranges are half-open `[start, end)` in words.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def pool_words(hidden_BLH: Tensor, word_index_BL: Tensor, num_words: int, pooling: str) -> Tensor:
    """Fuse the subword vectors of each word by their maximum or their sum.

    Args:
        hidden_BLH: Encoder output.
        word_index_BL: Word of each subword, -1 on special tokens and padding.
        num_words: `W`, the number of words of the longest window.
        pooling: "max"; "mean" and "sum" give sums, which `pool_spans` divides or keeps.

    Returns:
        Word vectors (B, W, H), zero for words that own no subword.

    >>> hidden = torch.tensor([[[9.0], [1.0], [3.0], [2.0], [9.0]]])
    >>> pool_words(hidden, torch.tensor([[-1, 0, 0, 1, -1]]), 2, "max").flatten().tolist()
    [3.0, 2.0]
    """
    B, L, H = hidden_BLH.shape
    # Row W collects special tokens and padding; it is cut off again.
    target_BL = torch.where(word_index_BL < 0, num_words, word_index_BL)
    reduce = "amax" if pooling == "max" else "sum"
    # Windows and words as one dimension, the first, and an index that is one number per row: for this form torch has
    # a CPU kernel that reduces whole vectors, 20 to 40 times faster than the one for any index.
    row_BL = target_BL + torch.arange(B, device=target_BL.device).unsqueeze(1) * (num_words + 1)
    words = hidden_BLH.new_zeros(B * (num_words + 1), H).scatter_reduce(
        0, row_BL.reshape(B * L, 1).expand(B * L, H), hidden_BLH.reshape(B * L, H), reduce, include_self=False
    )
    return words.view(B, num_words + 1, H)[:, :num_words]


def count_subwords(word_index_BL: Tensor, num_words: int) -> Tensor:
    """Subwords of each word: (B, W).

    >>> count_subwords(torch.tensor([[-1, 0, 0, 1, -1]]), 2).tolist()
    [[2, 1]]
    """
    target_BL = torch.where(word_index_BL < 0, num_words, word_index_BL)
    counts_BW = target_BL.new_zeros(len(target_BL), num_words + 1)
    return counts_BW.scatter_add_(1, target_BL, torch.ones_like(target_BL))[:, :num_words]


def candidate_mask(sentence_index_BW: Tensor, max_width: int) -> Tensor:
    """Whether the span of width `k + 1` that starts at word `w` is a candidate: bool (B, K, W)."""
    W = sentence_index_BW.shape[1]
    # One column more than the widest span needs: a batch without words could not be unfolded otherwise.
    padded = torch.nn.functional.pad(sentence_index_BW, (0, max_width), value=-1)
    last_word_BWK = padded.unfold(1, max_width, 1)[:, :W]  # the sentence of word w + k
    same_BKW = (last_word_BWK == sentence_index_BW.unsqueeze(-1)).transpose(1, 2)
    return same_BKW & (sentence_index_BW >= 0).unsqueeze(1)


def spans_of_mask(mask_BKW: Tensor) -> Tensor:
    """The candidates of a mask from `candidate_mask`: window, first word, end (S, 3), by window, width, start.

    >>> spans_of_mask(candidate_mask(torch.tensor([[0, 0, 1, -1]]), 2)).tolist()
    [[0, 0, 1], [0, 1, 2], [0, 2, 3], [0, 0, 2]]
    """
    row, width, start = mask_BKW.nonzero().unbind(1)
    return torch.stack((row, start, start + width + 1), dim=1)


def range_table(x_BWH: Tensor, longest: int) -> Tensor:
    """Maxima over every power-of-two range: entry (j, b, w) covers the words `[w, w + 2^j)`.

    Args:
        x_BWH: Word vectors.
        longest: Longest range that will be asked for, in words; at most W.

    Returns:
        (J, B, W, H) with `2^(J-1) <= longest`. Entries that would run over the end cover what there is.
    """
    num_levels = max(longest, 1).bit_length()
    if not torch.is_grad_enabled():  # in place: one copy of the table instead of two
        table_JBWH = x_BWH.new_empty(num_levels, *x_BWH.shape)
        table_JBWH[0] = x_BWH
        for level in range(1, num_levels):
            step, lower, upper = 1 << (level - 1), table_JBWH[level - 1], table_JBWH[level]
            torch.maximum(lower[:, :-step], lower[:, step:], out=upper[:, :-step])
            upper[:, -step:] = lower[:, -step:]
        return table_JBWH
    levels = [x_BWH]
    for level in range(1, num_levels):
        step, lower = 1 << (level - 1), levels[-1]
        a, b = lower[:, :-step], lower[:, step:]
        levels.append(torch.cat((torch.where(a >= b, a, b), lower[:, -step:]), dim=1))
    return torch.stack(levels)


def range_max(table_JBWH: Tensor, ranges_N3: Tensor) -> Tensor:
    """Maximum over each range by two overlapping power-of-two ranges: (N, H), zero for an empty range.

    Args:
        table_JBWH: From `range_table`, with a level for the longest range.
        ranges_N3: Window, start, end; `end <= start` is empty.

    >>> x = torch.tensor([[[1.0], [5.0], [2.0], [4.0]]])
    >>> range_max(range_table(x, 4), torch.tensor([[0, 0, 4], [0, 2, 4], [0, 2, 2], [0, 0, 1]])).flatten().tolist()
    [5.0, 4.0, 0.0, 1.0]
    """
    J, B, W, H = table_JBWH.shape
    row, start, end = ranges_N3.unbind(1)
    length = (end - start).clamp(min=0)
    # frexp gives the exact exponent of an integer below 2^24: no rounding trouble as with log2.
    level = (torch.frexp(length.clamp(min=1).float()).exponent - 1).long().clamp(max=J - 1)
    step = torch.ones_like(level) << level
    base = (level * B + row) * W
    flat = table_JBWH.reshape(J * B * W, H)
    left = flat.index_select(0, base + start.clamp(0, W - 1))
    right = flat.index_select(0, base + (end - step).clamp(0, W - 1))
    return torch.where(left >= right, left, right).mul_((length > 0).unsqueeze(-1))  # in place: (N, H) may be large


def range_sum(x_BWH: Tensor, ranges_N3: Tensor) -> Tensor:
    """Sum over each range by differences of running sums, in fp32: (N, H), zero for an empty range.

    >>> range_sum(torch.tensor([[[1.0], [5.0], [2.0]]]), torch.tensor([[0, 0, 3], [0, 1, 1]])).flatten().tolist()
    [8.0, 0.0]
    """
    B, W, H = x_BWH.shape
    sums = torch.nn.functional.pad(x_BWH.float().cumsum(1), (0, 0, 1, 0)).reshape(B * (W + 1), H)
    row, start, end = ranges_N3.unbind(1)
    base = row * (W + 1)
    end = torch.maximum(start, end)
    return (sums.index_select(0, base + end) - sums.index_select(0, base + start)).to(x_BWH.dtype)


def ordered_pairs(groups_N: Tensor) -> Tensor:
    """All ordered pairs (P, 2) of distinct members of the same group, by group, first member, second member.

    Linear in the number of pairs, so that a window with thousands of surviving spans costs no N × N mask.

    >>> ordered_pairs(torch.tensor([0, 1, 0, 0])).tolist()
    [[0, 2], [0, 3], [2, 0], [2, 3], [3, 0], [3, 2]]
    """
    if groups_N.numel() == 0:
        return groups_N.new_zeros(0, 2)
    order = torch.argsort(groups_N, stable=True)
    _, group_of, sizes = torch.unique_consecutive(groups_N[order], return_inverse=True, return_counts=True)
    first_of_group = sizes.cumsum(0) - sizes
    partners = sizes[group_of] - 1  # of each member
    head = torch.repeat_interleave(torch.arange(len(order), device=order.device), partners)
    nth_partner = torch.arange(len(head), device=order.device) - (partners.cumsum(0) - partners)[head]
    tail = first_of_group[group_of[head]] + nth_partner
    tail = tail + (tail >= head).long()  # skips the member itself
    return torch.stack((order[head], order[tail]), dim=1)


def context_ranges(heads_P3: Tensor, tails_P3: Tensor) -> Tensor:
    """The words between two spans (localized context): (P, 3), empty where they touch or overlap.

    >>> context_ranges(torch.tensor([[0, 5, 7]]), torch.tensor([[0, 1, 2]])).tolist()
    [[0, 2, 5]]
    """
    start = torch.minimum(heads_P3[:, 2], tails_P3[:, 2])
    end = torch.maximum(heads_P3[:, 1], tails_P3[:, 1])
    return torch.stack((heads_P3[:, 0], start, torch.maximum(start, end)), dim=1)


def sentence_ranges(sentence_index_BW: Tensor, spans_N3: Tensor) -> Tensor:
    """The whole sentence around each span ("full" context): (N, 3).

    >>> sentence_ranges(torch.tensor([[0, 0, 1, 1]]), torch.tensor([[0, 0, 1], [0, 3, 4]])).tolist()
    [[0, 0, 2], [0, 2, 4]]
    """
    B, W = sentence_index_BW.shape
    position_W = torch.arange(W, device=sentence_index_BW.device)
    changes_BW = sentence_index_BW[:, 1:] != sentence_index_BW[:, :-1]
    # A word's sentence starts at the last change before it and ends at the first change after it.
    opens_BW = torch.nn.functional.pad(changes_BW, (1, 0), value=True)
    closes_BW = torch.nn.functional.pad(changes_BW, (0, 1), value=True)
    start_BW = torch.where(opens_BW, position_W, 0).cummax(1).values
    end_BW = torch.where(closes_BW, position_W + 1, W).flip(1).cummin(1).values.flip(1)
    row, word, _ = spans_N3.unbind(1)
    return torch.stack((row, start_BW[row, word], end_BW[row, word]), dim=1)


def calibrate_logits(logits: Tensor, temperature: float) -> Tensor:
    """The logits whose softmax or sigmoid is the calibrated probability; at temperature 1 the very same.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. SpERT: no calibration.
    """
    return logits if temperature == 1 else logits.float() / temperature


def find_survivors(entity_logits: Tensor, entity_threshold: float | None = None) -> Tensor:
    """Whether each span is an entity (section 3.2): bool, of the shape of the logits without its last dimension.

    Args:
        entity_logits: (…, E), class 0 is *none*.
        entity_threshold: Probability that the best entity type must reach; default: *none* must not win.

    >>> find_survivors(torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]])).tolist()
    [False, True]
    """
    if entity_logits.shape[-1] == 1:
        return torch.zeros_like(entity_logits[..., 0], dtype=torch.bool)
    if entity_threshold is None:
        return entity_logits.argmax(-1) > 0
    return best_scores(entity_logits) >= entity_threshold


def best_scores(entity_logits: Tensor) -> Tensor:
    """Probability of the best entity type, in fp32: the logits' shape without its last dimension."""
    return entity_logits.float().softmax(-1)[..., 1:].amax(-1)


def filter_spans(
    logits_BKWE: Tensor,
    mask_BKW: Tensor,
    sentence_index_BW: Tensor,
    entity_threshold: float | None = None,
    max_entities_per_sentence: int | None = None,
    overlap: str = "allow",
    temperature: float = 1.0,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Drop the candidates that are not entities, and pair the others (section 3.2).

    How many there are depends on the scores, so the host has to know them. It gets everything that it needs in one
    tensor of marks, the only one that a forward pass fetches from a GPU.

    Args:
        logits_BKWE: Entity logits of the span of k + 1 words from word w on.
        mask_BKW: Which of these are candidates, from `candidate_mask`.
        sentence_index_BW: Sentence of each word, -1 on padding.
        entity_threshold: As in `find_survivors`.
        max_entities_per_sentence: Most spans of a sentence that are kept, the best first; default: all.
        overlap: Which of them may share words, as in `choose_spans`; "allow" (paper): any.
        temperature: Of the entity probabilities, which decide; the logits that are returned are not divided by it.

    Returns:
        Candidates (S, 3) in the order of `spans_of_mask`, their logits (S, E), indices of the entities among them
        (N,), and all ordered pairs of entities of the same sentence (P, 2), as indices into the candidates.
    """
    marks_BKW = torch.where(mask_BKW, sentence_index_BW.unsqueeze(1).int() + 1, 0)
    calibrated_BKWE = calibrate_logits(logits_BKWE, temperature)
    marks_BKW = torch.where(find_survivors(calibrated_BKWE, entity_threshold), -marks_BKW, marks_BKW)
    if overlap == "allow" or logits_BKWE.shape[-1] == 1:
        marks_on_host = marks_BKW.cpu()
    else:
        scores_BKW = best_scores(calibrated_BKWE)
        marks_on_host, score_bits = torch.stack((marks_BKW, scores_BKW.view(torch.int32))).cpu()
        drop_overlaps(marks_on_host, score_bits.view(torch.float32), overlap)
    if max_entities_per_sentence is not None:
        limit_entities(marks_on_host, calibrated_BKWE, max_entities_per_sentence)
    spans_S3, entities_N, pairs_P2 = (found.to(marks_BKW.device) for found in list_candidates(marks_on_host))
    row, start, end = spans_S3.unbind(1)
    _, K, W = mask_BKW.shape
    return spans_S3, logits_BKWE.flatten(0, 2)[(row * K + end - start - 1) * W + start], entities_N, pairs_P2


def drop_overlaps(marks_BKW: Tensor, scores_BKW: Tensor, mode: str) -> None:
    """Turn entities into candidates, in place, where they may not share words with a better one.

    Args:
        marks_BKW: As in `list_candidates`, on the host.
        scores_BKW: Probability of each span's best type.
        mode: As in `choose_spans`.

    >>> marks = torch.tensor([[[-1, -1], [-1, 0]]])
    >>> drop_overlaps(marks, torch.tensor([[[0.9, 0.7], [0.8, 0.0]]]), "flat")
    >>> marks.tolist()
    [[[-1, -1], [1, 0]]]
    """
    is_entity_BKW = marks_BKW < 0
    row, width, start = is_entity_BKW.nonzero().unbind(1)
    first = row * marks_BKW.shape[2] + start  # words counted through all windows, so that these do not overlap
    best_first = scores_BKW[is_entity_BKW].argsort(descending=True, stable=True)
    # A loop over the entities, a few of each sentence, in time linear in their words.
    kept = choose_spans(list(zip(first.tolist(), (first + width + 1).tolist(), strict=True)), best_first.tolist(), mode)
    is_dropped = torch.ones(len(row), dtype=torch.bool)
    is_dropped[kept] = False
    dropped = tuple(index[is_dropped] for index in (row, width, start))
    marks_BKW[dropped] = -marks_BKW[dropped]


def choose_spans(spans: Sequence[tuple[int, int]], best_first: Iterable[int], mode: str) -> list[int]:
    """Indices of the spans that stay where each gives way to better ones, the best first.

    Args:
        spans: Start and end of each.
        best_first: Their indices, in the order of their scores.
        mode: "nested" lets spans contain, but not cross, one another; "flat" lets none share a word.

    >>> choose_spans([(0, 3), (1, 2), (2, 5)], [0, 1, 2], "nested"), choose_spans([(0, 3), (1, 2)], [1, 0], "flat")
    ([0, 1], [1])
    """
    return {"nested": _choose_nested, "flat": _choose_flat}[mode](spans, best_first)


def _choose_flat(spans: Sequence[tuple[int, int]], order: Iterable[int]) -> list[int]:
    kept: list[int] = []
    covered: set[int] = set()
    for index in order:
        words = range(*spans[index])
        if covered.isdisjoint(words):
            covered.update(words)
            kept.append(index)
    return kept


def _choose_nested(spans: Sequence[tuple[int, int]], order: Iterable[int]) -> list[int]:
    """Kept spans are nested or apart, so those around a boundary between two words are a chain.

    A span crosses one of them exactly if it crosses the innermost around its own start or end.
    """
    kept: list[int] = []
    innermost: dict[int, tuple[int, int]] = {}  # start and end of the smallest kept span around each boundary
    for index in order:
        start, end = spans[index]
        (_, end_around), (start_around, _) = (innermost.get(bound, (start, end)) for bound in (start, end))
        if end_around < end or start_around > start:
            continue
        for boundary in range(start + 1, end):
            low, high = innermost.get(boundary, (start, end))
            innermost[boundary] = (max(low, start), min(high, end))
        kept.append(index)
    return kept


def limit_entities(marks_BKW: Tensor, logits_BKWE: Tensor, limit: int) -> None:
    """Turn entities into candidates, in place, where a sentence has more than the limit; the best stay.

    Pairs grow with the square of the entities: a threshold of 0 on a long sentence would fill the memory.

    Args:
        marks_BKW: As in `list_candidates`, on the host.
        logits_BKWE: Entity logits, fetched only if a sentence has too many.
        limit: Most entities of a sentence.

    >>> marks, logits = torch.tensor([[[-1, -1, -1, -2]]]), torch.tensor([[[[0, 1], [0, 3], [0, 2], [0, 1]]]])
    >>> limit_entities(marks, logits, 2)
    >>> marks.tolist()
    [[[1, -1, -1, -2]]]
    """
    if int((marks_BKW < 0).sum()) <= limit:
        return
    place_N3 = (marks_BKW < 0).nonzero()
    group_N = place_N3[:, 0] * (marks_BKW.shape[2] + 1) - marks_BKW[tuple(place_N3.T)]
    if int(group_N.bincount().max()) <= limit:
        return
    scores_N = best_scores(logits_BKWE[tuple(place_N3.to(logits_BKWE.device).T)]).cpu()
    # By sentence, the best first; equal ones in candidate order.
    best_first = scores_N.argsort(descending=True, stable=True)
    order = best_first[group_N[best_first].argsort(stable=True)]
    _, sizes = group_N[order].unique_consecutive(return_counts=True)
    rank = torch.arange(len(order)) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    dropped = tuple(place_N3[order[rank >= limit]].T)
    marks_BKW[dropped] = -marks_BKW[dropped]


def list_candidates(marks_BKW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Candidates (S, 3), entities among them (N,) and pairs of entities (P, 2), as `filter_spans` returns them.

    Args:
        marks_BKW: Zero where there is no candidate, else one more than its sentence, negative where it is an entity.
            On the host: on a GPU every step here would wait for it.

    >>> spans, entities, pairs = list_candidates(torch.tensor([[[-1, 1, -1, -2]]]))
    >>> spans.tolist(), entities.tolist(), pairs.tolist()
    ([[0, 0, 1], [0, 1, 2], [0, 2, 3], [0, 3, 4]], [0, 2, 3], [[0, 2], [2, 0]])
    """
    spans_S3 = spans_of_mask(marks_BKW != 0)
    row, start, end = spans_S3.unbind(1)
    marks_S = marks_BKW[row, end - start - 1, start]
    entities_N = (marks_S < 0).nonzero().squeeze(1)
    groups_N = row[entities_N] * (marks_BKW.shape[2] + 1) - marks_S[entities_N]
    return spans_S3, entities_N, entities_N[ordered_pairs(groups_N)]
