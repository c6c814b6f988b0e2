"""Tiny models with levers, strong enough that every test would see one that is lost, and sentences with capitals."""

from __future__ import annotations

from typing import Any

import torch
from tiny_models import build_spert, build_tokenizer
from torch import Tensor

from modeling_spert import SpertModel
from modeling_spert.tokenization_spert import encode_sentences, special_affixes
from modeling_spert.windows_spert import collate_windows, make_windows

LEVERS: dict[str, Any] = {
    "word_features": ["case"],
    "span_borders": "inside",
    "type_pairs": True,
    "pair_product": 24,
}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
SENTENCES = [["John", "lives", "in", "the", "U.S.", "since", "1990"], ["McCoy", "--", "left", "OSLO"]]


def is_lever(key: str) -> bool:
    """Whether a weight belongs to a lever."""
    return key.startswith(("case_embeddings.", "span_borders.", "pair_levers."))


@torch.no_grad()
def strengthen(model: SpertModel) -> SpertModel:
    """Large weights for the levers, the same each time."""
    generator = torch.Generator().manual_seed(5)
    for name, parameter in model.named_parameters():
        if is_lever(name):
            parameter.normal_(generator=generator)
    if model.case_embeddings is not None:
        model.case_embeddings.weight[0] = 0  # padding
    return model.eval()


def build_levers(levers: dict[str, Any], **settings: Any) -> SpertModel:
    """A model without dropout, whose encoder reads `build_tokenizer("bert")`."""
    settings = {"scale": 3.0, "head_dropout": 0.0, **settings}
    backbone = {"vocab_size": len(build_tokenizer("bert")), **NO_DROPOUT}
    model = strengthen(build_spert(backbone=backbone, **levers, **settings))
    with torch.no_grad():  # again every class wins about equally often
        model.entity_classifier.bias.sub_(model(**lever_batch()).entity_logits.mean(0))
    return model


def lever_batch(kind: str = "bert", sentences: list[list[str]] = SENTENCES) -> dict[str, Tensor]:
    """A window of all sentences, and one of the last."""
    tokenizer = build_tokenizer(kind)
    affixes = special_affixes(tokenizer)
    encoded = encode_sentences(tokenizer, sentences)
    return collate_windows(
        [*make_windows(encoded, affixes, 64, "document"), *make_windows(encoded[-1:], affixes, 64)],
        tokenizer.pad_token_id or 0,
    )
