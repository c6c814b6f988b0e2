"""What the paper published: figures with their conventions, and what it found when it switched a choice.

Eberts and Ulges, "Span-based Joint Entity and Relation Extraction with Transformer Pre-training", ECAI 2020,
arXiv 1909.07755.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# By data set: F1 in percent, by the name that our scores give the same convention. What is not here was not published.
PUBLISHED_F1 = {
    "conll04": {
        "ner_f1_micro": 88.94,
        "ner_f1_macro": 86.25,
        "rel_strict_f1_micro": 71.47,
        "rel_strict_f1_macro": 72.87,
    },
    "scierc": {"ner_f1_micro": 70.33, "rel_f1_micro": 50.84},
    "ade": {
        "ner_f1_macro": 89.28,
        "rel_strict_f1_macro": 78.84,
        "no_overlapping_ner_f1_macro": 89.25,
        "no_overlapping_rel_strict_f1_macro": 79.24,
    },
}
PUBLISHED_WITH = {
    "conll04": "bert-base-cased, trained on train+dev, mean of 5 runs",
    "scierc": "SciBERT (cased), trained on train+dev, mean of 5 runs; by the original's code at commit 3f4ab22, before "
    "the reverse of a symmetric pair became a negative sample",
    "ade": "bert-base-cased, mean over 10 folds",
}


@dataclass(frozen=True)
class Ablation:
    """A choice that a flag switches.

    Attributes:
        flag: The training argument.
        values: What it is set to; the paper's choice is the first.
        finding: What the paper says of it.
        figures: The paper's figures on CoNLL04: percent by score name by value.
    """

    flag: str
    values: tuple[str, ...]
    finding: str
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


_OURS = "Not in the paper: an ablation of this package."

ABLATIONS = {
    "span_pooling": Ablation(
        "span_pooling", ("max", "mean", "sum"), "The paper: max pooling is better than mean and sum."
    ),
    "relation_context": Ablation(
        "relation_context",
        ("localized", "full", "cls"),
        "The paper: the localized context is better than the full sentence and than [CLS].",
    ),
    "relation_negatives": Ablation(
        "relation_negatives",
        ("strong", "weak"),
        "The paper: weak negatives keep recall (84.4 % on CoNLL04) and destroy precision (4.3 %).",
        {"weak": {"rel_strict_precision_micro": 4.3, "rel_strict_recall_micro": 84.4}},
    ),
    "pretrained": Ablation(
        "pretrained", ("all", "embeddings", "none"), "The paper: pre-training the encoder is a benefit."
    ),
    "neg_entity_count": Ablation(
        "neg_entity_count", ("100", "20", "5", "1"), "The paper: up to 100 negative spans per sentence."
    ),
    "neg_relation_count": Ablation(
        "neg_relation_count", ("100", "20", "5", "1"), "The paper: up to 100 negative pairs per sentence."
    ),
    "width_embedding_size": Ablation("width_embedding_size", ("25", "0"), _OURS),
    "freeze_backbone": Ablation("freeze_backbone", ("False", "True"), _OURS),
    "freeze_embeddings": Ablation("freeze_embeddings", ("False", "True"), _OURS),
}
