"""Training batches: gold entities and relations plus sampled negatives (SpERT, section 3.4).

What is sampled for a sentence is a function of (seed, epoch, row id) alone, so that it does not depend on the number
of processes or workers, or on what else is in the batch.

Shape letters: S spans, P pairs, Q relation types.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from modeling_spert.training.labelling import LabelledSentence, LabelledWindow
from modeling_spert.training.variants import Variants
from modeling_spert.windows_spert import collate_windows

ALL = -1  # a count of negatives that keeps every one
UNKNOWN = -100  # class of a span whose label nobody knows: what cross-entropy leaves out


@dataclass(frozen=True)
class SampledSentence:
    """Spans and pairs of one sentence, gold first: (S, 2), (S,), (P, 2) into the spans, (P, Q)."""

    spans: np.ndarray
    span_labels: np.ndarray
    pairs: np.ndarray
    pair_labels: np.ndarray


@dataclass(frozen=True)
class NegativeSampler:
    """How many negatives of which kind a sentence gets.

    Attributes:
        num_relation_types: Q.
        max_span_width: Widest negative span, in words.
        neg_entity_count: Most negative spans of a sentence; -1 for all.
        neg_relation_count: Most negative pairs of a sentence; -1 for all.
        relation_negatives: "strong", ordered pairs of gold entities not related that way round (paper); "weak", such
            pairs among all sampled spans (its ablation, section 4.4).
        seed: Seed of the run.
    """

    num_relation_types: int
    max_span_width: int = 10
    neg_entity_count: int = 100
    neg_relation_count: int = 100
    relation_negatives: str = "strong"
    seed: int = 42

    def __post_init__(self) -> None:
        if self.relation_negatives not in ("strong", "weak"):
            raise ValueError(f'relation_negatives must be "strong" or "weak", got {self.relation_negatives!r}')
        for name in ("neg_entity_count", "neg_relation_count"):
            if getattr(self, name) < ALL:
                raise ValueError(f"{name} must be >= 0, or -1 for all, got {getattr(self, name)}")

    def sample(self, sentence: LabelledSentence, epoch: int) -> SampledSentence:
        """Gold and negative spans and pairs of a sentence; the pairs only where the entities are not gold."""
        generator = np.random.default_rng((self.seed, epoch, sentence.row_id))
        gold = np.array(sentence.entities, dtype=np.int64).reshape(-1, 3)
        if sentence.is_annotated:
            negatives = self._negative_spans(sentence.num_words, gold[:, :2], generator)
        else:
            gold[:, 2] = UNKNOWN
            negatives = np.zeros((0, 2), dtype=np.int64)
        spans = np.concatenate((gold[:, :2], negatives))
        span_labels = np.concatenate((gold[:, 2], np.zeros(len(negatives), dtype=np.int64)))
        pairs, pair_labels = self._pairs(sentence, spans, generator)
        return SampledSentence(spans, span_labels, pairs, pair_labels)

    def _negative_spans(self, num_words: int, gold_N2: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Spans (n, 2) up to the widest that are no gold entity, without replacement."""
        widths = min(self.max_span_width, num_words)
        if widths == 0 or self.neg_entity_count == 0:
            return np.zeros((0, 2), dtype=np.int64)
        start, width = np.meshgrid(np.arange(num_words), np.arange(1, widths + 1), indexing="ij")
        spans = np.stack((start, start + width), axis=-1).reshape(-1, 2)
        key = spans[:, 0] * (num_words + 1) + spans[:, 1]
        wanted = (spans[:, 1] <= num_words) & ~np.isin(key, gold_N2[:, 0] * (num_words + 1) + gold_N2[:, 1])
        return _choose(spans[wanted], self.neg_entity_count, generator)

    def _pairs(
        self, sentence: LabelledSentence, spans_S2: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gold pairs, one row each with all their types, then negative pairs."""
        Q = self.num_relation_types
        empty = np.zeros((0, 2), dtype=np.int64)
        if Q == 0:
            return empty, np.zeros((0, 0), dtype=np.float32)
        rows: dict[tuple[int, int], int] = {}
        for head, tail, _ in sentence.relations:
            rows.setdefault((head, tail), len(rows))
        gold_labels = np.zeros((len(rows), Q), dtype=np.float32)
        for head, tail, label in sentence.relations:
            gold_labels[rows[head, tail], label] = 1.0
        gold = np.array(list(rows), dtype=np.int64).reshape(-1, 2)
        members = len(sentence.entities) if self.relation_negatives == "strong" else len(spans_S2)
        if members < 2 or self.neg_relation_count == 0:
            return gold, gold_labels
        candidates = np.stack(np.meshgrid(np.arange(members), np.arange(members), indexing="ij"), -1).reshape(-1, 2)
        # As in the original, pairs are compared by their spans: two entities on the same words are not a pair, and a
        # relation of one of them counts for both.
        width = sentence.num_words + 1
        span_key = spans_S2[:, 0] * width + spans_S2[:, 1]
        pair_key = span_key[candidates[:, 0]] * width**2 + span_key[candidates[:, 1]]
        gold_key = span_key[gold[:, 0]] * width**2 + span_key[gold[:, 1]]
        distinct = span_key[candidates[:, 0]] != span_key[candidates[:, 1]]
        negatives = _choose(candidates[distinct & ~np.isin(pair_key, gold_key)], self.neg_relation_count, generator)
        labels = np.concatenate((gold_labels, np.zeros((len(negatives), Q), dtype=np.float32)))
        return np.concatenate((gold, negatives)), labels


def _choose(rows: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    if count == ALL or len(rows) <= count:
        return rows
    return rows[generator.choice(len(rows), size=count, replace=False)]


@dataclass
class TrainingCollator:
    """Labelled windows to a batch for `SpertModel.forward`, with labels.

    Attributes:
        sampler: Draws the negatives.
        pad_token_id: Of the tokenizer.
        epoch: Current epoch; the training loop sets it.
        variants: Shows some sentences in other letters or with other names; default: all as they are.
    """

    sampler: NegativeSampler
    pad_token_id: int
    epoch: int = 0
    variants: Variants | None = None

    def __call__(self, rows: Sequence[LabelledWindow]) -> dict[str, Tensor]:
        """Tensors of one batch; see `SpertModel.forward` for shapes."""
        if self.variants is not None:
            rows = [self.variants.show(row, self.epoch) for row in rows]
        batch = collate_windows([row.window for row in rows], self.pad_token_id)
        spans, span_labels, pairs, pair_labels = [], [], [], []
        num_spans = 0
        for index, row in enumerate(rows):
            for first_word, sentence in zip(row.window.first_words, row.sentences, strict=True):
                sampled = self.sampler.sample(sentence, self.epoch)
                window = np.full((len(sampled.spans), 1), index, dtype=np.int64)
                spans.append(np.concatenate((window, sampled.spans + first_word), axis=1))
                span_labels.append(sampled.span_labels)
                pairs.append(sampled.pairs + num_spans)
                pair_labels.append(sampled.pair_labels)
                num_spans += len(sampled.spans)
        batch["spans"] = torch.from_numpy(np.concatenate(spans))
        batch["span_labels"] = torch.from_numpy(np.concatenate(span_labels))
        batch["pairs"] = torch.from_numpy(np.concatenate(pairs))
        batch["pair_labels"] = torch.from_numpy(np.concatenate(pair_labels))
        return batch
