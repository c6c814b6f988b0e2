"""From word vectors to span and relation logits: what the two classifiers read (SpERT, sections 3.1 and 3.3).

`TrainingHeads` concatenate each candidate's vectors, with dropout, as the paper writes it. `FastHeads` give the same
logits without dropout: a classifier is affine in a concatenation, so its output is a sum of terms, one for each part,
and each term is computed where it is cheapest: once per window, per word, per span or per context.

Terms that the paper does not have (`levers_spert`) are added where the model has them.

Shape letters: B windows, L subwords, W words, K span widths, S candidate spans, N entities, P candidate pairs,
H hidden, D width embedding, E entity classes (with *none*), Q relation types.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from .spans_spert import (
    candidate_mask,
    context_ranges,
    count_subwords,
    pool_words,
    range_max,
    range_sum,
    range_table,
    sentence_ranges,
)

# Pairs are scored in chunks of as many pairs as the batch has words, but between these two limits. No tensor of pairs
# is then much larger than one of words, of which each layer of the encoder needs several.
_MIN_CHUNK_PAIRS = 1 << 8
_MAX_CHUNK_VALUES = 1 << 22  # of a (pairs, hidden) tensor

# Makes a weight large next to the bias it is added to, so that half precision rounds it as it would by itself.
_PROBE = 64.0


@dataclass
class WordStates:
    """What the heads read of one encoder pass.

    Attributes:
        cls_BH: Vector of each window's first position.
        words_BWH: Words fused for spans: maxima, or sums for pooling by mean or sum.
        counts_BW: Subwords of each word, by which means are divided; None for other poolings.
        context_BWH: Words fused for contexts: always maxima.
        sentence_index_BW: Sentence of each word, -1 on padding.
        pooling: "max", "mean" or "sum".
    """

    cls_BH: Tensor
    words_BWH: Tensor
    counts_BW: Tensor | None
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
        words_BWH = pool_words(hidden_BLH, word_index_BL, W, pooling)
        counts_BW = count_subwords(word_index_BL, W) if pooling == "mean" else None
        context_BWH = words_BWH if pooling == "max" else pool_words(hidden_BLH, word_index_BL, W, "max")
        # A copy of the first position, so that the encoder's output can be freed.
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

    def average(self, fused: Tensor, counts: Tensor | None) -> Tensor:
        """Sums to means, over subwords as in the original; other poolings pass."""
        return fused if counts is None else fused / counts.clamp(min=1).unsqueeze(-1)

    def pool_spans(self, spans_N3: Tensor) -> Tensor:
        """Span vectors (N, H)."""
        if self.pooling == "max":
            return range_max(self.maxima(), spans_N3)
        counts = self.counts_BW
        counts_N = None if counts is None else range_sum(counts.unsqueeze(-1), spans_N3).squeeze(-1)
        return self.average(range_sum(self.words_BWH, spans_N3), counts_N)

    def border_words(self, spans_N3: Tensor) -> Tensor:
        """Vectors of the first and the last word of each span: (N, 2 H)."""
        row, start, end = spans_N3.unbind(1)
        return torch.cat((self.context_BWH[row, start], self.context_BWH[row, end - 1]), dim=1)

    def contexts(self, heads_P3: Tensor, tails_P3: Tensor, kind: str) -> Tensor:
        """Context vectors (P, H): "localized" between the spans, "full" sentence, or "cls"."""
        if kind == "cls":
            return self.cls_BH[heads_P3[:, 0]]
        if kind == "full":
            return range_max(self.maxima(), sentence_ranges(self.sentence_index_BW, heads_P3))
        return range_max(self.maxima(), context_ranges(heads_P3, tails_P3))


class Heads:
    """Both classifiers over one encoder pass; the subclasses differ in how they score pairs.

    Args:
        model: Has `entity_classifier`, `relation_classifier`, `width_embeddings`, `dropout` and `config`, and of
            `levers_spert` `span_borders` and `pair_levers`.
        states: The words of the batch.
    """

    def __init__(self, model: Any, states: WordStates):
        self.model, self.states = model, states
        self._pooled_SH: Tensor | None = None

    def classify_spans(self, spans_S3: Tensor) -> Tensor:
        """Entity logits (S, E) of given spans, from `[CLS]` ‖ span ‖ width embedding, with dropout in training."""
        self._pooled_SH = self.states.pool_spans(spans_S3)
        whole_SX = concatenate(self.states.cls_BH[spans_S3[:, 0]], self._pooled_SH, self._widths(spans_S3))
        logits_SE = self.model.entity_classifier(self.model.dropout(whole_SX))
        if self.model.span_borders is None:
            return logits_SE
        return logits_SE + self.model.span_borders(self.model.dropout(self.states.border_words(spans_S3)))

    def classify_candidates(self) -> tuple[Tensor, Tensor]:
        """Every span of every width, without dropout: one running maximum or sum per width, no (S, H) tensor.

        Returns:
            Entity logits (B, K, W, E) of the span of k + 1 words from word w on, and which of these are candidates
            (B, K, W): the others leave their sentence, and their logits mean nothing.
        """
        states, H = self.states, self.states.cls_BH.shape[1]
        K = max(min(self.model.config.max_span_width, states.sentence_index_BW.shape[1]), 1)
        mask_BKW = candidate_mask(states.sentence_index_BW, K)
        B, _, W = mask_BKW.shape
        weight, bias = affine_map(self.model.entity_classifier, 2 * H + self._width_size, states.cls_BH)
        cls_weight, span_weight, width_weight = weight.tensor_split((H, 2 * H), dim=1)
        window_BE = linear(states.cls_BH, cls_weight, bias)
        logits_BKWE = window_BE.new_zeros(B, K, W, window_BE.shape[1])
        running_BWH, counts_BW = states.words_BWH, states.counts_BW
        for k in range(min(K, W)):
            if k:
                running_BWH = states.widen(running_BWH, k)
                if counts_BW is not None and states.counts_BW is not None:
                    counts_BW = counts_BW[:, :-1] + states.counts_BW[:, k:]
            logits_BKWE[:, k, : W - k] = linear(states.average(running_BWH, counts_BW), span_weight)
        logits_BKWE += window_BE[:, None, None]
        if self.model.width_embeddings is not None:
            widths_KD = self.model.width_embeddings(torch.arange(1, K + 1, device=mask_BKW.device))
            logits_BKWE += linear(widths_KD, width_weight)[:, None]
        if self.model.span_borders is not None:
            weight, bias = affine_map(self.model.span_borders, 2 * H, states.cls_BH)
            logits_BKWE += linear(states.context_BWH, weight[:, :H], bias)[:, None]  # of the first word
            last_BWE = linear(states.context_BWH, weight[:, H:])
            for k in range(min(K, W)):
                logits_BKWE[:, k, : W - k] += last_BWE[:, k:]
        return logits_BKWE, mask_BKW

    def classify_pairs(
        self, spans_S3: Tensor, logits_SE: Tensor, pairs_P2: Tensor, entities_N: Tensor | None
    ) -> Tensor:
        """Relation logits (P, Q), from context ‖ head ‖ tail ‖ head's width embedding ‖ tail's width embedding.

        Args:
            spans_S3: Window, first word, end.
            logits_SE: Their entity logits.
            pairs_P2: Head and tail, as indices into the spans.
            entities_N: Indices of the spans that the pairs point at; None: any, of the spans just classified.
        """
        raise NotImplementedError

    def _widths(self, spans_N3: Tensor) -> Tensor | None:
        """Width embeddings (N, D); spans wider than the table share its last row."""
        if self.model.width_embeddings is None:
            return None
        last = self.model.config.width_table_size - 1
        return self.model.width_embeddings((spans_N3[:, 2] - spans_N3[:, 1]).clamp(max=last))

    def _contexts(self, spans_S3: Tensor, pairs_P2: Tensor) -> Tensor:
        """Context vectors (P, H)."""
        heads_P3, tails_P3 = spans_S3[pairs_P2[:, 0]], spans_S3[pairs_P2[:, 1]]
        return self.states.contexts(heads_P3, tails_P3, self.model.config.relation_context)

    @property
    def _width_size(self) -> int:
        """D, 0 without width embeddings."""
        return self.model.config.width_embedding_size


class TrainingHeads(Heads):
    """Whole representations of given pairs, with dropout."""

    def classify_pairs(
        self, spans_S3: Tensor, logits_SE: Tensor, pairs_P2: Tensor, entities_N: Tensor | None
    ) -> Tensor:
        """As in `Heads`."""
        assert self._pooled_SH is not None
        head, tail = pairs_P2.unbind(1)
        vectors_SX, widths_SD = self._pooled_SH, self._widths(spans_S3)
        widths = () if widths_SD is None else (widths_SD[head], widths_SD[tail])
        whole_PX = concatenate(self._contexts(spans_S3, pairs_P2), vectors_SX[head], vectors_SX[tail], *widths)
        logits_PQ = self.model.relation_classifier(self.model.dropout(whole_PX))
        for lever in self.model.pair_levers.values():
            heads_SX, tails_SX = lever.span_parts(self.model.dropout(vectors_SX), logits_SE)
            logits_PQ = logits_PQ + lever(heads_SX[head], tails_SX[tail])
        return logits_PQ


class FastHeads(Heads):
    """Sums of head, tail and context terms, by chunks of pairs; heads and tails are multiplied once per entity."""

    def classify_pairs(
        self, spans_S3: Tensor, logits_SE: Tensor, pairs_P2: Tensor, entities_N: Tensor | None
    ) -> Tensor:
        """As in `Heads`."""
        H, D = self.states.cls_BH.shape[1], self._width_size
        pooled_NH = self._pooled_SH
        if entities_N is not None:
            if len(pairs_P2) == 0:  # the table of maxima is not worth building
                return self.states.cls_BH.new_zeros(0, self.model.config.num_relation_types)
            # Of the spans, only entities are in pairs: the rest is left out.
            place_S = entities_N.new_zeros(len(spans_S3))
            place_S[entities_N] = torch.arange(len(entities_N), device=entities_N.device)
            spans_S3, logits_SE, pairs_P2 = spans_S3[entities_N], logits_SE[entities_N], place_S[pairs_P2]
            pooled_NH = self.states.pool_spans(spans_S3)
        assert pooled_NH is not None
        weight, bias = affine_map(self.model.relation_classifier, 3 * H + 2 * D, self.states.cls_BH)
        head_NQ, tail_NQ = self._span_terms(spans_S3, pooled_NH, weight[:, H:], bias)
        levers = [(lever, *lever.span_parts(pooled_NH, logits_SE)) for lever in self.model.pair_levers.values()]

        def score(some_P2: Tensor) -> Tensor:
            context_PQ = linear(self._contexts(spans_S3, some_P2), weight[:, :H])
            logits_PQ = head_NQ[some_P2[:, 0]] + tail_NQ[some_P2[:, 1]] + context_PQ
            for lever, heads_NX, tails_NX in levers:
                logits_PQ += lever(heads_NX[some_P2[:, 0]], tails_NX[some_P2[:, 1]])
            return logits_PQ

        chunk = min(max(self.states.sentence_index_BW.numel(), _MIN_CHUNK_PAIRS), max(_MAX_CHUNK_VALUES // H, 1))
        if len(pairs_P2) <= chunk:
            return score(pairs_P2)
        logits_PQ = head_NQ.new_empty(len(pairs_P2), len(weight))
        for low in range(0, len(pairs_P2), chunk):
            logits_PQ[low : low + chunk] = score(pairs_P2[low : low + chunk])
        return logits_PQ

    def _span_terms(
        self, spans_N3: Tensor, pooled_NH: Tensor, weight_QX: Tensor, bias_Q: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """What each span adds as a head and as a tail: (N, Q) twice.

        `weight_QX` is over head ‖ tail ‖ head's width embedding ‖ tail's width embedding.
        """
        H, D = pooled_NH.shape[1], self._width_size
        head_weight, tail_weight, head_width, tail_width = weight_QX.split((H, H, D, D), dim=1)
        head_NQ, tail_NQ = linear(pooled_NH, head_weight, bias_Q), linear(pooled_NH, tail_weight)
        widths_ND = self._widths(spans_N3)
        if widths_ND is not None:
            head_NQ, tail_NQ = head_NQ + linear(widths_ND, head_width), tail_NQ + linear(widths_ND, tail_width)
        return head_NQ, tail_NQ


def concatenate(*vectors: Tensor | None) -> Tensor:
    """Vectors side by side along the last dimension; None is left out."""
    return torch.cat([vector for vector in vectors if vector is not None], dim=-1)


def affine_map(head: nn.Module, num_inputs: int, like: Tensor) -> tuple[Tensor, Tensor | None]:
    """Weight (outputs, inputs) and bias (outputs,) of the affine map that a classifier computes.

    A plain linear layer has them. Any other classifier (with an adapter, quantised, offloaded, hooked) is called, on
    zeros and on a multiple of the identity, and so answers as it would for each candidate. It must be affine.

    Args:
        head: The classifier.
        num_inputs: Size of its input.
        like: Has the dtype and the device of its input.

    >>> weight, bias = affine_map(nn.Sequential(nn.Linear(3, 2)), 3, torch.zeros(0))
    >>> weight.shape, bias.shape
    (torch.Size([2, 3]), torch.Size([2]))
    """
    if isinstance(head, nn.Linear) and _is_plain(head):
        return head.weight, head.bias
    bias = head(like.new_zeros(1, num_inputs))
    scaled = head(torch.eye(num_inputs, dtype=like.dtype, device=like.device) * _PROBE) - bias
    return scaled.T.to(like.device) / _PROBE, bias[0].to(like.device)


def _is_plain(head: nn.Linear) -> bool:
    """Whether calling it is nothing but a product with its weight: no subclass, no hook, no quantised weight."""
    if type(head) is not nn.Linear or type(head.weight) is not nn.Parameter or "forward" in vars(head):
        return False
    return not (head._forward_hooks or head._forward_pre_hooks or head._backward_hooks or head._backward_pre_hooks)
