"""Temperatures with which scores are probabilities: fitted on a split that was not trained on (`--calibrate`).

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. A temperature changes no best class of a span and
no order of relations by their scores, only how sure the scores sound, and with them what a threshold lets through.

Looked at are the spans whose best type has a score of at least 0.1, and the relations of at least 0.05 between entities
found: the others are told apart easily, and there are so many of them that they would decide alone.

Shape letters: S candidate spans, P candidate pairs, N spans looked at, E entity classes, Q relation types.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import PreTrainedTokenizerBase

from modeling_spert.analysis.calibration import calibrate
from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.evaluation.examples import Example
from modeling_spert.modeling_spert import SpertModel, SpertOutput
from modeling_spert.training.labelling import LabelledWindow, label_windows
from modeling_spert.windows_spert import collate_windows, plan_batches

LOW_ENTITY_SCORE, LOW_RELATION_SCORE = 0.1, 0.05
_LONGEST_BATCH = 4096  # subwords
_RANGE = (0.05, 20.0)  # of temperatures
_STEPS = 60  # of the search: more than a float's digits need


@dataclass(frozen=True)
class Scored:
    """Logits, and what is right.

    Attributes:
        entity_logits: (N, E) of the spans looked at.
        entity_labels: (N,) their gold classes, 0 for none.
        relation_logits: (M,) of a pair and a relation type each.
        relation_labels: (M,) 1 where that relation is right, types and spans of both entities too.
    """

    entity_logits: Tensor
    entity_labels: Tensor
    relation_logits: Tensor
    relation_labels: Tensor


@dataclass(frozen=True)
class Reliability:
    """Expected calibration errors (ten bins, 0..1) of a split, without and with the temperatures; None: no scores."""

    entity_error_before: float | None
    entity_error: float | None
    relation_error_before: float | None
    relation_error: float | None

    def __str__(self) -> str:
        """In words.

        >>> print(Reliability(0.12, 0.03, None, None))
        entities 0.120 → 0.030
        """
        entities = (self.entity_error_before, self.entity_error)
        relations = (self.relation_error_before, self.relation_error)
        found = (("entities", *entities), ("relations", *relations))
        return ", ".join(f"{name} {a:.3f} → {b:.3f}" for name, a, b in found if a is not None and b is not None)


def calibrate_model(
    model: SpertModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], batch_size: int = 32
) -> None:
    """Fit the temperatures in a model's configuration on labelled examples that it was not trained on."""
    model.config.entity_temperature = model.config.relation_temperature = 1.0
    fitted = fit_temperatures(score_candidates(model, tokenizer, examples, batch_size))
    model.config.entity_temperature, model.config.relation_temperature = fitted


@torch.no_grad()
def score_candidates(
    model: SpertModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], batch_size: int = 32
) -> Scored:
    """The logits of the model on labelled examples, on the CPU, with what is right.

    Args:
        model: On its device; is put in eval mode.
        tokenizer: Its tokenizer.
        examples: With gold entities and relations.
        batch_size: Windows per forward pass.
    """
    model.eval()
    rows = label_windows(examples, tokenizer, model.config)
    parts = []
    for indices in plan_batches([len(row.window.input_ids) for row in rows], batch_size, _LONGEST_BATCH):
        batch = [rows[index] for index in indices]
        tensors = collate_windows([row.window for row in batch], tokenizer.pad_token_id or 0)
        inputs = {name: tensor.to(model.device) for name, tensor in tensors.items()}
        output = model(**inputs, entity_threshold=model.config.entity_threshold)
        parts.append(_compare(output, batch, model.config.symmetric_relation_types, model.config.relation_types))
    empty = torch.zeros(0)
    parts.append(Scored(torch.zeros(0, model.config.num_entity_classes), empty.long(), empty, empty))
    return Scored(*(torch.cat([getattr(part, name) for part in parts]) for name in Scored.__annotations__))


def _compare(
    output: SpertOutput, rows: Sequence[LabelledWindow], symmetric: Sequence[str], relation_types: Sequence[str]
) -> Scored:
    """The candidates of one batch that are looked at, with their labels."""
    spans, pairs = output["spans"].tolist(), output["pairs"].tolist()
    entity_logits, relation_logits = (output[f"{kind}_logits"].float().cpu() for kind in ("entity", "relation"))
    turned = {index for index, label in enumerate(relation_types) if label in symmetric}
    classes: dict[tuple[int, int, int], int] = {}
    relations: set[tuple[tuple[int, int, int], tuple[int, int, int], int]] = set()
    for index, row in enumerate(rows):
        for first, sentence in zip(row.window.first_words, row.sentences, strict=True):
            gold = [(index, start + first, end + first) for start, end, _ in sentence.entities]
            classes.update(zip(gold, (label for *_, label in sentence.entities), strict=True))
            for head, tail, label in sentence.relations:
                relations.add((gold[head], gold[tail], label))
                if label in turned:
                    relations.add((gold[tail], gold[head], label))
    labels_S = torch.tensor([classes.get((row, start, end), 0) for row, start, end in spans], dtype=torch.long)
    kept_S = entity_logits.softmax(1)[:, 1:].amax(1) >= LOW_ENTITY_SCORE
    is_right_S = labels_S == entity_logits[:, 1:].argmax(1) + 1
    pair_M, label_M = (relation_logits.sigmoid() >= LOW_RELATION_SCORE).nonzero().unbind(1)
    right = []
    for pair, label in zip(pair_M.tolist(), label_M.tolist(), strict=True):
        head, tail = pairs[pair]
        known = (tuple(spans[head]), tuple(spans[tail]), label) in relations
        right.append(float(known and bool(is_right_S[head]) and bool(is_right_S[tail])))
    return Scored(entity_logits[kept_S], labels_S[kept_S], relation_logits[pair_M, label_M], torch.tensor(right))


def fit_temperatures(scored: Scored) -> tuple[float, float]:
    """The temperatures of the span and the relation classifier that make what is right most probable.

    Each is 1 where there is nothing to fit it on.
    """

    def entity_loss(temperature: float) -> float:
        return float(cross_entropy(scored.entity_logits / temperature, scored.entity_labels))

    def relation_loss(temperature: float) -> float:
        return float(binary_cross_entropy_with_logits(scored.relation_logits / temperature, scored.relation_labels))

    return (
        find_minimum(entity_loss, *_RANGE) if len(scored.entity_logits) else 1.0,
        find_minimum(relation_loss, *_RANGE) if len(scored.relation_logits) else 1.0,
    )


def find_minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function of a positive number that falls and then rises is least: a golden section of the logarithm.

    >>> round(find_minimum(lambda x: (x - 3) ** 2, 0.1, 20), 4)
    3.0
    """
    ratio = (math.sqrt(5) - 1) / 2
    a, b = math.log(low), math.log(high)
    for _ in range(_STEPS):
        c, d = b - ratio * (b - a), a + ratio * (b - a)
        if function(math.exp(c)) < function(math.exp(d)):
            b = d
        else:
            a = c
    return math.exp((a + b) / 2)


def measure_reliability(
    model: SpertModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], batch_size: int = 32
) -> Reliability:
    """How far a model's scores are from the share that is right, without and with its temperatures."""
    return compare_reliability(score_candidates(model, tokenizer, examples, batch_size), model.config)


def compare_reliability(scored: Scored, config: SpertConfig) -> Reliability:
    """How far scores are from the share that is right, without and with the temperatures of a configuration."""
    entities = [_entity_error(scored, temperature) for temperature in (1.0, config.entity_temperature)]
    relations = [_relation_error(scored, temperature) for temperature in (1.0, config.relation_temperature)]
    return Reliability(*entities, *relations)


def _entity_error(scored: Scored, temperature: float) -> float | None:
    if not len(scored.entity_logits):
        return None
    scores, labels = (scored.entity_logits / temperature).softmax(1)[:, 1:].max(1)
    right = labels + 1 == scored.entity_labels
    return calibrate(zip(scores.tolist(), right.tolist(), strict=True)).error


def _relation_error(scored: Scored, temperature: float) -> float | None:
    if not len(scored.relation_logits):
        return None
    scores = (scored.relation_logits / temperature).sigmoid()
    return calibrate(zip(scores.tolist(), scored.relation_labels.bool().tolist(), strict=True)).error
