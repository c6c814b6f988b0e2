"""The two graphs of an ONNX export, as modules over a trained model's own weights.

`SpanGraph` is the encoder with the span classifier, `RelationGraph` the relation classifier. Between them comes what
depends on the answers of the first: which spans are entities, and their pairs (`OnnxSpertModel` does it). Everything in
a graph has static form: every range maximum comes from a table of maxima over power-of-two ranges, as in
`spans_spert.range_max`, with as many levels as the longest window asks for.

Shape letters: B windows, L subwords, W words, K span widths, E entity classes (with *none*), Q relation types,
N spans, P pairs, H hidden, J levels of a table.
"""

from __future__ import annotations

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


class SpanGraph(nn.Module):
    """Encoder and span classifier: every span of every width from every word."""

    def __init__(self, model: SpertModel):
        super().__init__()
        self.backbone = model.backbone
        self.pooling = model.config.span_pooling
        self.max_width = model.config.max_span_width
        self.longest = longest_window(model.config)
        H, D = model.config.backbone_config.hidden_size, model.config.width_embedding_size
        weight, self.bias = _constant_map(model.entity_classifier, 2 * H + D)
        self.cls_weight, self.span_weight, width_weight = weight.tensor_split((H, 2 * H), dim=1)
        self.width_terms = None
        if model.width_embeddings is not None:
            table = model.width_embeddings(torch.arange(1, self.max_width + 1))
            self.width_terms = linear(table, width_weight).detach()

    @staticmethod
    def output_names(pooling: str) -> list[str]:
        """Names of what `forward` returns."""
        return ["entity_logits", "cls", "words", *(() if pooling == "max" else ("word_sums",))]

    def forward(self, input_ids: Tensor, attention_mask: Tensor, word_ranges: Tensor) -> tuple[Tensor, ...]:
        """Score all spans.

        Args:
            input_ids: (B, L) subwords, special tokens included.
            attention_mask: (B, L).
            word_ranges: (B, W, 2) first subword and end of each word; the end of a padding word is its start.

        Returns:
            Entity logits (B, W, K, E), where entry (b, w, k) is the span of k + 1 words from word w on; those of
            spans that leave their sentence mean nothing. The vector of the first position (B, H), the
            words fused by maximum (B, W, H) and, for pooling by mean or sum, by sum (B, W, H).
        """
        hidden_BLH = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
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
        logits_BWKE = self._score(cls_BH, fused_BWH, counts_BW1)
        return (logits_BWKE, cls_BH, *outputs)

    def _score(self, cls_BH: Tensor, fused_BWH: Tensor, counts_BW1: Tensor) -> Tensor:
        W = fused_BWH.shape[1]
        after = (0, 0, 0, self.max_width - 1)
        words, counts = pad(fused_BWH, after), pad(counts_BW1, after)
        running, total, by_width = fused_BWH, counts_BW1, []
        for k in range(self.max_width):
            if k:
                added = words[:, k : k + W]
                running = torch.maximum(running, added) if self.pooling == "max" else running + added
                total = total + counts[:, k : k + W]
            span = running / total.clamp(min=1) if self.pooling == "mean" else running
            by_width.append(linear(span, self.span_weight))
        logits_BWKE = torch.stack(by_width, dim=2) + linear(cls_BH, self.cls_weight, self.bias)[:, None, None]
        return logits_BWKE if self.width_terms is None else logits_BWKE + self.width_terms


class RelationGraph(nn.Module):
    """The relation classifier on chosen pairs of chosen spans."""

    def __init__(self, model: SpertModel):
        super().__init__()
        assert model.relation_classifier is not None
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
    def input_names(pooling: str, context: str) -> list[str]:
        """The inputs of `forward` that a model with these settings has a use for."""
        sums = {"max": (), "sum": ("word_sums",), "mean": ("word_sums", "word_counts")}
        return ["words", *sums[pooling], "spans", "pairs", "cls" if context == "cls" else "contexts"]

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
            cls: (B, H) of the first graph, for contexts of this kind.
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
        if cls is not None:
            context_PH = cls.index_select(0, spans[:, 0].index_select(0, head))
        else:
            assert contexts is not None
            context_PH = static_range_max(words, contexts, self.longest)
        return head_NQ.index_select(0, head) + tail_NQ.index_select(0, tail) + linear(context_PH, self.context_weight)

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
