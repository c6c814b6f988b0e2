"""From word vectors to span and relation logits: what the two classifiers read (SpERT, sections 3.1 to 3.3).

The classifiers are linear in a concatenation, so an output is a sum of terms, one per part of it. In eval mode each
term is computed where it is cheapest: once per window, per word, per span or per context, not once per candidate.

Shape letters: B windows, L subwords, W words, K span widths, S candidate spans, N spans that take part in relations,
P candidate pairs, H hidden, D width embedding, E entity classes (with *none*), Q relation types.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from .spans_spert import (
    candidate_mask,
    context_ranges,
    pool_words,
    range_max,
    range_sum,
    range_table,
    sentence_ranges,
)

# Pairs are scored in chunks. Where a pair needs a vector, its context's, a chunk has as many pairs as the batch has
# words, but no fewer than the second number: no tensor of pairs is then larger than that of the words, of which the
# encoder's layers need several. Otherwise a (pairs, hidden) tensor would hold the first number.
_CHUNK_NUMBERS = 1 << 22
_LEAST_CHUNK = 1 << 8


@dataclass
class WordStates:
    """What the heads read of one encoder pass.

    Attributes:
        cls_BH: Vector of each window's first position.
        words_BWH: Words fused for spans: maxima, or sums for pooling by mean or sum.
        counts_BW: Subwords of each word.
        context_BWH: Words fused for contexts: always maxima.
        sentence_index_BW: Sentence of each word, -1 on padding.
        pooling: "max", "mean" or "sum".
    """

    cls_BH: Tensor
    words_BWH: Tensor
    counts_BW: Tensor
    context_BWH: Tensor
    sentence_index_BW: Tensor
    pooling: str
    _maxima_JBWH: Tensor | None = None

    @classmethod
    def from_hidden(
        cls, hidden_BLH: Tensor, word_index_BL: Tensor, sentence_index_BW: Tensor, pooling: str
    ) -> "WordStates":
        """Fuse an encoder's output to words."""
        W = sentence_index_BW.shape[1]
        words_BWH, counts_BW = pool_words(hidden_BLH, word_index_BL, W, pooling)
        context_BWH = words_BWH if pooling == "max" else pool_words(hidden_BLH, word_index_BL, W, "max")[0]
        return cls(hidden_BLH[:, 0].clone(), words_BWH, counts_BW, context_BWH, sentence_index_BW, pooling)

    def maxima(self) -> Tensor:
        """The table of range maxima over words, built when it is first asked for: (J, B, W, H)."""
        if self._maxima_JBWH is None:
            self._maxima_JBWH = range_table(self.context_BWH, self.context_BWH.shape[1])
        return self._maxima_JBWH

    def widen(self, running_BWH: Tensor, k: int) -> Tensor:
        """From the fused spans of `k` words, by first word, to those of `k + 1`: (B, W - k, H)."""
        shorter, added = running_BWH[:, :-1], self.words_BWH[:, k:]
        return torch.maximum(shorter, added) if self.pooling == "max" else shorter + added

    def average(self, fused: Tensor, counts: Tensor) -> Tensor:
        """Sums to means, over subwords as in the original; other poolings pass."""
        return fused / counts.clamp(min=1).unsqueeze(-1) if self.pooling == "mean" else fused

    def pool_spans(self, spans_N3: Tensor) -> Tensor:
        """Span vectors (N, H)."""
        if self.pooling == "max":
            return range_max(self.maxima(), spans_N3)
        counts_N = range_sum(self.counts_BW.unsqueeze(-1), spans_N3).squeeze(-1)
        return self.average(range_sum(self.words_BWH, spans_N3), counts_N)

    def contexts(self, heads_P3: Tensor, tails_P3: Tensor, kind: str) -> Tensor:
        """Context vectors (P, H): "localized" between the spans, "full" sentence, or "cls"."""
        if kind == "cls":
            return self.cls_BH[heads_P3[:, 0]]
        if kind == "full":
            return range_max(self.maxima(), sentence_ranges(self.sentence_index_BW, heads_P3))
        return range_max(self.maxima(), context_ranges(heads_P3, tails_P3))


def score_candidates(
    states: WordStates, classifier: nn.Linear, width_table: Tensor | None, max_width: int
) -> tuple[Tensor, Tensor]:
    """Every span of every width, without dropout: one running maximum (or sum) per width, no (S, H) tensor.

    Args:
        states: Words of the windows.
        classifier: Over `[CLS]` ‖ span ‖ width embedding.
        width_table: (rows, D) width embeddings; None leaves them out.
        max_width: K, the widest span.

    Returns:
        Entity logits (B, K, W, E) of the span of k + 1 words from word w on, and which of these are candidates
        (B, K, W): the others leave their sentence, and their logits mean nothing.
    """
    K = max(min(max_width, states.sentence_index_BW.shape[1]), 1)
    mask_BKW = candidate_mask(states.sentence_index_BW, K)
    B, _, W = mask_BKW.shape
    H = states.cls_BH.shape[1]
    cls_weight, span_weight, width_weight = classifier.weight.tensor_split((H, 2 * H), dim=1)
    window_BE = linear(states.cls_BH, cls_weight, classifier.bias)
    logits_BKWE = window_BE.new_zeros(B, K, W, window_BE.shape[1])
    running_BWH, counts_BW = states.words_BWH, states.counts_BW
    for k in range(min(K, W)):
        if k:
            running_BWH = states.widen(running_BWH, k)
            counts_BW = counts_BW[:, :-1] + states.counts_BW[:, k:]
        logits_BKWE[:, k, : W - k] = linear(states.average(running_BWH, counts_BW), span_weight)
    logits_BKWE += window_BE[:, None, None]
    if width_table is not None:
        logits_BKWE += linear(width_table[1 : K + 1], width_weight)[:, None]
    return logits_BKWE, mask_BKW


def score_pairs(
    states: WordStates,
    classifier: nn.Linear,
    spans_N3: Tensor,
    pooled_NH: Tensor,
    widths_ND: Tensor | None,
    pairs_P2: Tensor,
    context: str,
) -> Tensor:
    """Relation logits (P, Q) without dropout, as head + tail + context terms.

    Heads and tails are multiplied once per span instead of once per pair, and pairs are scored in chunks.

    Args:
        states: Words of the windows.
        classifier: Over context ‖ head ‖ tail ‖ head width ‖ tail width.
        spans_N3: Spans that the pairs point at.
        pooled_NH: Their vectors.
        widths_ND: Their width embeddings, if any.
        pairs_P2: Head and tail, as indices into the spans.
        context: "localized", "full" or "cls".
    """
    H, D = pooled_NH.shape[1], 0 if widths_ND is None else widths_ND.shape[1]
    context_weight, head_weight, tail_weight, head_width, tail_width = classifier.weight.split((H, H, H, D, D), dim=1)
    head_NQ = linear(pooled_NH, head_weight, classifier.bias)
    tail_NQ = linear(pooled_NH, tail_weight)
    if widths_ND is not None:
        head_NQ = head_NQ + linear(widths_ND, head_width)
        tail_NQ = tail_NQ + linear(widths_ND, tail_width)

    def score_own(heads_P3: Tensor, tails_P3: Tensor) -> Tensor:
        return linear(states.contexts(heads_P3, tails_P3, context), context_weight)

    score_context: Callable[[Tensor, Tensor], Tensor] = score_own
    B, W = states.sentence_index_BW.shape
    wide = max(_CHUNK_NUMBERS // H, 1)
    chunk = min(wide, max(B * W, _LEAST_CHUNK))
    if len(pairs_P2) > chunk:
        if B * (W + 1) ** 2 <= len(pairs_P2):
            score_context = _share_contexts(score_own, spans_N3, pairs_P2, (B, W), chunk, wide)
            chunk = wide
        return _score_in_chunks(head_NQ, tail_NQ, spans_N3, pairs_P2, chunk, score_context)
    head, tail = pairs_P2.unbind(1)
    # Without pairs the table of maxima is not worth building.
    return head_NQ[head] + tail_NQ[tail] + (score_context(spans_N3[head], spans_N3[tail]) if len(head) else 0)


def _score_in_chunks(
    head_NQ: Tensor,
    tail_NQ: Tensor,
    spans_N3: Tensor,
    pairs_P2: Tensor,
    chunk: int,
    score_context: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    logits_PQ = head_NQ.new_empty(len(pairs_P2), head_NQ.shape[1])
    for low in range(0, len(pairs_P2), chunk):
        head, tail = pairs_P2[low : low + chunk].unbind(1)
        logits_PQ[low : low + chunk] = head_NQ[head] + tail_NQ[tail] + score_context(spans_N3[head], spans_N3[tail])
    return logits_PQ


def _share_contexts(
    score_context: Callable[[Tensor, Tensor], Tensor],
    spans_N3: Tensor,
    pairs_P2: Tensor,
    window_shape: tuple[int, int],
    chunk: int,
    wide: int,
) -> Callable[[Tensor, Tensor], Tensor]:
    """For pairs that outnumber the possible contexts: each context scored once, then looked up."""
    B, W = window_shape
    seen = torch.zeros(B * (W + 1) ** 2, dtype=torch.bool, device=pairs_P2.device)
    for pairs in pairs_P2.split(wide):
        seen[_context_keys(spans_N3[pairs[:, 0]], spans_N3[pairs[:, 1]], W)] = True
    keys = seen.nonzero().squeeze(1)
    slots = seen.cumsum(0) - 1
    row, start, end = keys // (W + 1) ** 2, keys // (W + 1) % (W + 1), keys % (W + 1)
    # Any two spans around the gap stand for all pairs that share it.
    left, right = torch.stack((row, start - 1, start), 1), torch.stack((row, end, end + 1), 1)
    scores = torch.cat([score_context(a, b) for a, b in zip(left.split(chunk), right.split(chunk), strict=True)])
    return lambda heads_P3, tails_P3: scores[slots[_context_keys(heads_P3, tails_P3, W)]]


def _context_keys(heads_P3: Tensor, tails_P3: Tensor, W: int) -> Tensor:
    row, start, end = context_ranges(heads_P3, tails_P3).unbind(1)
    return (row * (W + 1) + start) * (W + 1) + end
