"""The two graphs of an ONNX export, as modules over a trained model's own weights.

`SpanGraph` is the encoder with the span classifier, `RelationGraph` the relation classifier. Between them comes what
depends on the answers of the first: which spans are entities, and their pairs (`OnnxSpertModel` does it). Everything in
a graph has static form: every range maximum comes from a table of maxima over power-of-two ranges, as in
`spans_spert.range_max`, with as many levels as the longest window asks for.

Shape letters: B windows, L subwords, W words, K span widths, E entity classes (with *none*), Q relation types,
N spans, P pairs, H hidden, J levels of a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.heads_spert import affine_map
from modeling_spert.modeling_spert import SpertModel

# Longest window that the graphs of an encoder without a longest window take.
_UNBOUNDED_LENGTH = 8192


def longest_window(config: SpertConfig) -> int:
    """Subwords of the longest window that a model's graphs take."""
    return config.max_window_length or _UNBOUNDED_LENGTH


@dataclass(frozen=True)
class _SpanWeights:
    """The span classifier as constants, by the parts of what it reads.

    Attributes:
        cls_weight: (E, H) of the first position.
        span_weight: (E, H) of the pooled span.
        bias: (E,).
        width_terms: (rows, E) of each row of the width embeddings; None without these.
        border_weights: (E, H) of the first word and of the last one; None without the lever `span_borders`.
    """

    cls_weight: Tensor
    span_weight: Tensor
    bias: Tensor | None
    width_terms: Tensor | None
    border_weights: tuple[Tensor, Tensor] | None

    @classmethod
    def of(cls, model: SpertModel) -> _SpanWeights:
        """Those of a model."""
        H, D = model.config.backbone_config.hidden_size, model.config.width_embedding_size
        weight, bias = _constant_map(model.entity_classifier, 2 * H + D)
        cls_weight, span_weight, width_weight = weight.tensor_split((H, 2 * H), dim=1)
        width_terms = border_weights = None
        if model.width_embeddings is not None:
            table = model.width_embeddings(torch.arange(model.config.width_table_size))
            width_terms = linear(table, width_weight).detach()
        if model.span_borders is not None:
            border_weights = _constant_map(model.span_borders, 2 * H)[0].split(H, dim=1)
        return cls(cls_weight, span_weight, bias, width_terms, border_weights)


class SpanGraph(nn.Module):
    """Encoder and span classifier: every span of every width from every word."""

    def __init__(self, model: SpertModel):
        super().__init__()
        self.backbone = model.backbone
        self.pooling = model.config.span_pooling
        self.max_width = model.config.max_span_width
        self.longest = longest_window(model.config)
        self.case_embeddings = model.case_embeddings
        self.weights = _SpanWeights.of(model)

    @staticmethod
    def input_names(config: SpertConfig) -> list[str]:
        """The inputs of `forward` that a model with these settings has a use for."""
        return ["input_ids", "attention_mask", "word_ranges", *(["subword_case"] * ("case" in config.word_features))]

    @staticmethod
    def output_names(config: SpertConfig) -> list[str]:
        """Names of what `forward` returns."""
        return ["entity_logits", "cls", "words", *(() if config.span_pooling == "max" else ("word_sums",))]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_ranges: Tensor, subword_case: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Score all spans.

        Args:
            input_ids: (B, L) subwords, special tokens included.
            attention_mask: (B, L).
            word_ranges: (B, W, 2) first subword and end of each word; the end of a padding word is its start.
            subword_case: (B, L) from `levers_spert.subword_case`, for models with the word feature "case".

        Returns:
            Entity logits (B, W, K, E), where entry (b, w, k) is the span of k + 1 words from word w on; those of
            spans that leave their sentence mean nothing. The vector of the first position (B, H), the
            words fused by maximum (B, W, H) and, for pooling by mean or sum, by sum (B, W, H).
        """
        read = {"input_ids": input_ids}
        if self.case_embeddings is not None:
            embeds_BLH = self.backbone.get_input_embeddings()(input_ids)
            read = {"inputs_embeds": embeds_BLH + self.case_embeddings(subword_case)}
        hidden_BLH = self.backbone(**read, attention_mask=attention_mask).last_hidden_state
        cls_BH = hidden_BLH[:, 0]
        B, W = word_ranges.shape[:2]
        row_BW1 = torch.arange(B).reshape(B, 1, 1).expand(B, W, 1)
        ranges_N3 = torch.cat((row_BW1, word_ranges), dim=2).reshape(B * W, 3)
        words_BWH = static_range_max(hidden_BLH, ranges_N3, self.longest).reshape(B, W, -1)
        outputs = [words_BWH]
        counts_BW1 = word_ranges[:, :, 1:] - word_ranges[:, :, :1]
        fused_BWH = words_BWH
        if self.pooling != "max":
            fused_BWH = static_range_sum(hidden_BLH, ranges_N3).reshape(B, W, -1)
            outputs.append(fused_BWH)
        logits_BWKE = self._score(cls_BH, words_BWH, fused_BWH, counts_BW1)
        return (logits_BWKE, cls_BH, *outputs)

    def _score(self, cls_BH: Tensor, words_BWH: Tensor, fused_BWH: Tensor, counts_BW1: Tensor) -> Tensor:
        W, weights = fused_BWH.shape[1], self.weights
        after = (0, 0, 0, self.max_width - 1)
        words, counts = pad(fused_BWH, after), pad(counts_BW1, after)
        running, total, by_width = fused_BWH, counts_BW1, []
        for k in range(self.max_width):
            if k:
                added = words[:, k : k + W]
                running = torch.maximum(running, added) if self.pooling == "max" else running + added
                total = total + counts[:, k : k + W]
            span = running / total.clamp(min=1) if self.pooling == "mean" else running
            by_width.append(linear(span, weights.span_weight))
        if weights.border_weights is not None:
            first_BWE, last_BWE = (linear(words_BWH, weight) for weight in weights.border_weights)
            last_BWE = pad(last_BWE, after)
            by_width = [x_BWE + first_BWE + last_BWE[:, k : k + W] for k, x_BWE in enumerate(by_width)]
        logits_BWKE = torch.stack(by_width, dim=2) + linear(cls_BH, weights.cls_weight, weights.bias)[:, None, None]
        return logits_BWKE if weights.width_terms is None else logits_BWKE + weights.width_terms[1 : self.max_width + 1]


class RelationGraph(nn.Module):
    """The relation classifier on chosen pairs of chosen spans."""

    def __init__(self, model: SpertModel):
        super().__init__()
        assert model.relation_classifier is not None
        self.context = model.config.relation_context
        self.pair_levers: Any = model.pair_levers
        self.span_weights = _SpanWeights.of(model)
        self.last_width = model.config.width_table_size - 1
        self.longest = longest_window(model.config)
        H, D = model.config.backbone_config.hidden_size, model.config.width_embedding_size
        weight, self.bias = _constant_map(model.relation_classifier, 3 * H + 2 * D)
        self.context_weight, self.head_weight, self.tail_weight, *width_weights = weight.split((H, H, H, D, D), dim=1)
        self.width_terms = None
        if model.width_embeddings is not None:
            table = model.width_embeddings(torch.arange(self.last_width + 1))
            self.width_terms = [linear(table, width_weight).detach() for width_weight in width_weights]

    @staticmethod
    def input_names(config: SpertConfig) -> list[str]:
        """The inputs of `forward` that a model with these settings has a use for."""
        sums = {"max": (), "sum": ("word_sums",), "mean": ("word_sums", "word_counts")}
        contexts = ["contexts"] * (config.relation_context != "cls")
        cls = ["cls"] * (config.relation_context == "cls" or config.type_pairs)
        return ["words", *sums[config.span_pooling], "spans", "pairs", *contexts, *cls]

    def forward(
        self,
        words: Tensor,
        spans: Tensor,
        pairs: Tensor,
        contexts: Tensor | None = None,
        cls: Tensor | None = None,
        word_sums: Tensor | None = None,
        word_counts: Tensor | None = None,
    ) -> Tensor:
        """Score pairs.

        Args:
            words: (B, W, H) of the first graph.
            spans: (N, 3) window, first word, end.
            pairs: (P, 2) head and tail, as indices into the spans.
            contexts: (P, 3) window, first word and end of each pair's context, empty where the end is not after the
                first word; for localized and full contexts.
            cls: (B, H) of the first graph, for contexts of this kind and for the lever `type_pairs`.
            word_sums: (B, W, H) of the first graph, for pooling by mean or sum.
            word_counts: (B, W) subwords of each word, for pooling by mean.

        Returns:
            Relation logits (P, Q).
        """
        pooled_NH = self._pool(words, spans, word_sums, word_counts)
        head_NQ = linear(pooled_NH, self.head_weight, self.bias)
        tail_NQ = linear(pooled_NH, self.tail_weight)
        if self.width_terms is not None:
            width_N = (spans[:, 2] - spans[:, 1]).clamp(max=self.last_width)
            head_NQ = head_NQ + self.width_terms[0].index_select(0, width_N)
            tail_NQ = tail_NQ + self.width_terms[1].index_select(0, width_N)
        head, tail = pairs[:, 0], pairs[:, 1]
        if self.context == "cls":
            assert cls is not None
            context_PH = cls.index_select(0, spans[:, 0].index_select(0, head))
        else:
            assert contexts is not None
            context_PH = static_range_max(words, contexts, self.longest)
        logits_PQ = head_NQ.index_select(0, head) + tail_NQ.index_select(0, tail)
        logits_PQ = logits_PQ + linear(context_PH, self.context_weight)
        # Of the levers, only the types read the logits of the spans.
        logits_NE = self._span_logits(words, spans, pooled_NH, cls) if "types" in self.pair_levers else pooled_NH
        for lever in self.pair_levers.values():
            heads_NX, tails_NX = lever.span_parts(pooled_NH, logits_NE)
            logits_PQ = logits_PQ + lever(heads_NX.index_select(0, head), tails_NX.index_select(0, tail))
        return logits_PQ

    def _span_logits(self, words: Tensor, spans: Tensor, pooled_NH: Tensor, cls: Tensor | None) -> Tensor:
        """Entity logits (N, E) of spans of any width, as the first graph gives for its candidates."""
        assert cls is not None
        weights, W = self.span_weights, words.shape[1]
        row, start, end = spans[:, 0], spans[:, 1], spans[:, 2]
        logits_NE = linear(pooled_NH, weights.span_weight, weights.bias)
        logits_NE = logits_NE + linear(cls, weights.cls_weight).index_select(0, row)
        if weights.width_terms is not None:
            logits_NE = logits_NE + weights.width_terms.index_select(0, (end - start).clamp(max=self.last_width))
        if weights.border_weights is not None:
            flat = words.reshape(-1, words.shape[2])
            for place, weight in zip((start, end - 1), weights.border_weights, strict=True):
                logits_NE = logits_NE + linear(flat.index_select(0, row * W + place), weight)
        return logits_NE

    def _pool(self, words: Tensor, spans: Tensor, sums: Tensor | None, counts: Tensor | None) -> Tensor:
        if sums is None:
            return static_range_max(words, spans, self.longest)
        sums_NH = static_range_sum(sums, spans)
        if counts is None:
            return sums_NH
        return sums_NH / static_range_sum(counts[:, :, None].to(words.dtype), spans).clamp(min=1)


def _constant_map(head: nn.Module, num_inputs: int) -> tuple[Tensor, Tensor | None]:
    """A classifier's weight and bias, as constants of a graph in fp32."""
    with torch.no_grad():
        weight, bias = affine_map(head, num_inputs, torch.zeros(0))
    return weight.detach(), None if bias is None else bias.detach()


def static_range_max(x_BWH: Tensor, ranges_N3: Tensor, longest: int) -> Tensor:
    """Maximum over each range, zero for an empty one: `spans_spert.range_max` with a fixed number of levels.

    Args:
        x_BWH: Vectors.
        ranges_N3: Window, start, end; `end <= start` is empty.
        longest: No range is longer.

    >>> x = torch.tensor([[[1.0], [5.0], [2.0], [4.0]]])
    >>> static_range_max(x, torch.tensor([[0, 0, 4], [0, 2, 4], [0, 2, 2], [0, 0, 3]]), 9).flatten().tolist()
    [5.0, 4.0, 0.0, 5.0]
    """
    B, W, H = x_BWH.shape
    powers = [1 << level for level in range(longest.bit_length())]
    levels = [x_BWH]
    for step in powers[:-1]:
        lower = levels[-1]
        # Entries over the end repeat the last one, which covers words that the others cover too. A slice in its place
        # would make the form of the graph depend on the number of words.
        levels.append(torch.maximum(lower, lower.index_select(1, (torch.arange(W) + step).clamp(max=W - 1))))
    table = torch.stack(levels).reshape(len(levels) * B * W, H)
    row, start, end = ranges_N3[:, 0], ranges_N3[:, 1], ranges_N3[:, 2]
    length = end - start
    level = (length[:, None] >= torch.tensor(powers[1:])).sum(1) if len(powers) > 1 else torch.zeros_like(length)
    base = (level * B + row) * W
    last = end - torch.tensor(powers).index_select(0, level)
    left = table.index_select(0, base + start.clamp(0, W - 1))
    right = table.index_select(0, base + last.clamp(0, W - 1))
    return torch.where(length[:, None] > 0, torch.maximum(left, right), 0.0)


def static_range_sum(x_BWH: Tensor, ranges_N3: Tensor) -> Tensor:
    """Sum over each range by differences of running sums, zero for an empty one.

    >>> static_range_sum(torch.tensor([[[1.0], [5.0], [2.0]]]), torch.tensor([[0, 0, 3], [0, 1, 1]])).flatten().tolist()
    [8.0, 0.0]
    """
    B, W, H = x_BWH.shape
    sums = pad(x_BWH.cumsum(1), (0, 0, 1, 0)).reshape(B * (W + 1), H)
    row, start, end = ranges_N3[:, 0], ranges_N3[:, 1], ranges_N3[:, 2]
    base = row * (W + 1)
    end = torch.maximum(start, end)
    return sums.index_select(0, base + end) - sums.index_select(0, base + start)
