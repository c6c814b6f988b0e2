"""A tiny SpERT model for tests of the pipeline: random weights, a tokenizer of characters, everything offline."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertTokenizer, PreTrainedConfig

from modeling_spert import JointExtractionPipeline, SpertConfig, SpertModel

ENTITY_TYPES = ["Person", "Place", "Work"]
RELATION_TYPES = ["Born_In", "Near", "Wrote"]
SEED = 11
WINDOW = 48  # subwords, special tokens included
TEXT = "Ada Lund was born in Vik. She wrote The Tide, a novel about Oslo and Bergen. It sold well."


def tiny_tokenizer() -> BertTokenizer:
    """WordPiece over printable ASCII, a subword per character but for a few words: windows fill quickly."""
    characters = [chr(code) for code in range(33, 127)]
    words = ["Ada", "Lund", "born", "wrote", "novel", "about", "word"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters), *words]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizer(vocab=vocabulary, do_lower_case=False, strip_accents=False, model_max_length=WINDOW)


def tiny_model(encoder: PreTrainedConfig | None = None, **settings: Any) -> SpertModel:
    """Random weights that find a third of the spans and some relations of every type, with varied scores.

    Args:
        encoder: Configuration of another encoder than the tiny BERT.
        **settings: Of `SpertConfig`.
    """
    encoder = encoder or BertConfig(
        vocab_size=len(tiny_tokenizer()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=WINDOW,
        initializer_range=0.3,
    )
    labels = {"entity_types": ENTITY_TYPES, "relation_types": RELATION_TYPES}
    if "relation_types" not in settings:
        labels["symmetric_relation_types"] = ["Near"]
    config = SpertConfig(encoder, **{**labels, "max_span_width": 4, "max_window_length": WINDOW, **settings})
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(SEED)
        model = SpertModel(config).eval()
        model.width_embeddings.weight.normal_()
        for head in (model.entity_classifier, model.relation_classifier):
            if head is not None:
                head.weight.normal_(std=0.6)
                head.weight -= head.weight.mean(1, keepdim=True)  # max pooling raises all numbers of wide spans
        model.entity_classifier.weight[:, : encoder.hidden_size] = 0  # the same for all spans of a window
        model.entity_classifier.bias[0] = 4
        if model.relation_classifier is not None:
            model.relation_classifier.bias.fill_(-2.5)
    return model


def word_finder(**settings: Any) -> SpertModel:
    """A model that finds every single word as a Person, no wider span, and no relation."""
    model = tiny_model(**settings)
    with torch.no_grad():
        for parameter in (*model.entity_classifier.parameters(), *model.relation_classifier.parameters()):
            parameter.zero_()
        model.width_embeddings.weight.zero_()
        model.width_embeddings.weight[1, 0] = 1
        model.entity_classifier.weight[1, 2 * model.config.backbone_config.hidden_size] = 20
        model.entity_classifier.bias[0] = 10
        model.relation_classifier.bias.fill_(-20)
    return model


def tiny_pipeline(model: SpertModel | None = None, **settings: Any) -> JointExtractionPipeline:
    """The pipeline around a tiny model."""
    return (model or tiny_model()).extraction_pipeline(tiny_tokenizer(), **settings)


def save_folder(folder: Path, **settings: Any) -> Path:
    """A complete model folder, as the pipeline saves it."""
    tiny_pipeline(tiny_model(**settings)).save_pretrained(folder)
    return folder


def assert_same_answers(found: list[dict], expected: list[dict], tolerance: float = 1e-5) -> None:
    """Equal except for the last digits of scores: the order of a sum depends on the shape of the batch."""
    scores: list[list[float]] = []
    plain = []
    for answers in (found, expected):
        items = [item for answer in answers for key in ("entities", "relations") for item in answer[key]]
        scores.append([item["score"] for item in items])
        plain.append(
            [
                {**answer, **{k: [{**i, "score": 0} for i in answer[k]] for k in ("entities", "relations")}}
                for answer in answers
            ]
        )
    assert plain[0] == plain[1]
    assert scores[0] == pytest.approx(scores[1], abs=tolerance)
