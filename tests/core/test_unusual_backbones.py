"""Encoders that always call a pooler, encoder-decoders, causal models, and models that are not encoders of text."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import build_batch, build_window
from torch import Tensor
from transformers import AutoConfig, AutoModel, PreTrainedModel

from modeling_spert import SpertConfig, SpertModel
from modeling_spert.loading_spert import check_window_length

LABELS: dict[str, Any] = {"entity_types": ["A", "B"], "relation_types": ["r"], "max_span_width": 3}
SIZE = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
T5 = {"vocab_size": 64, "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
BART = {
    **{"vocab_size": 64, "d_model": 32, "max_position_embeddings": 48},
    **{f"{part}_{name}": n for part in ("encoder", "decoder") for name, n in
       (("layers", 2), ("attention_heads", 2), ("ffn_dim", 64))},
    **{"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": 2},
}  # fmt: skip
GPT2 = {"vocab_size": 64, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 48, "bos_token_id": 1,
        "eos_token_id": 1}  # fmt: skip
FNET = {**SIZE, "max_position_embeddings": 48, "tpu_short_seq_length": 48}
IBERT = {**SIZE, "max_position_embeddings": 50, "pad_token_id": 1}
WORKING: dict[str, tuple[str, dict[str, Any]]] = {
    "squeezebert": ("squeezebert", {**SIZE, "embedding_size": 32, "q_groups": 2, "k_groups": 2, "v_groups": 2,
                                    "post_attention_groups": 1, "intermediate_groups": 2, "output_groups": 2,
                                    "max_position_embeddings": 48}),
    "layoutlm": ("layoutlm", {**SIZE, "max_position_embeddings": 48}),
    "t5": ("t5", T5),
    "mt5": ("mt5", T5),
    "bart": ("bart", BART),
    "gpt2": ("gpt2", GPT2),
    "llama": ("llama", {**SIZE, "num_key_value_heads": 2, "max_position_embeddings": 48}),
    "fnet": ("fnet", FNET),
    "ibert": ("ibert", IBERT),
}  # fmt: skip


def save(kind: str, folder: Path) -> PreTrainedModel:
    model_type, settings = WORKING[kind]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModel.from_config(AutoConfig.for_model(model_type, **settings)).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(folder)
    return model


def batch() -> dict[str, Tensor]:
    return build_batch(build_window([1, 2, 1, 3], [1, 1]), build_window([3, 1, 1, 1], seed=1))


def warnings_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    logger = logging.getLogger("modeling_spert.training.from_backbone")
    monkeypatch.setattr(logger, "warning", lambda message, *args: messages.append(message))
    return messages


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # old encoders' own
@pytest.mark.parametrize("kind", WORKING)
def test_unusual_backbone_trains_saves_and_loads(kind: str, tmp_path: Path):
    save(kind, tmp_path / "encoder")
    model = SpertModel.from_backbone(str(tmp_path / "encoder"), **LABELS)
    with torch.no_grad():
        expected = model(**batch(), entity_threshold=0.0)
    assert expected.entity_logits.isfinite().all() and len(expected.pairs) > 20
    labels = {"span_labels": torch.arange(len(expected.spans)) % 3, "pair_labels": torch.ones(len(expected.pairs), 1)}
    model.train()(**batch(), spans=expected.spans, pairs=expected.pairs, **labels).loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    model.eval().save_pretrained(tmp_path / "model")
    loaded, info = SpertModel.from_pretrained(tmp_path / "model", output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert type(loaded.backbone) is type(model.backbone)
    with torch.no_grad():
        found = loaded(**batch(), entity_threshold=0.0)
    torch.testing.assert_close(found.entity_logits, expected.entity_logits, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.relation_logits, expected.relation_logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_encoder_decoder_gives_its_encoder(kind: str, tmp_path: Path):
    """BART used to be read through its decoder, in silence."""
    whole = save(kind, tmp_path)
    model = SpertModel.from_backbone(str(tmp_path), **LABELS)
    given = {name: batch()[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        expected = whole.get_encoder()(**given).last_hidden_state
        assert torch.equal(model.backbone(**given).last_hidden_state, expected)
    assert not any("decoder" in name for name, _ in model.named_parameters())
    assert model.resize_token_embeddings(70, mean_resizing=False).weight.shape[0] == 70


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_causal_backbone_warns(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    messages = warnings_of(monkeypatch)
    save(kind, tmp_path)
    SpertModel.from_backbone(str(tmp_path), **LABELS)
    assert len(messages) == 1 and "is a causal model: its first position does not see the text" in messages[0]


def test_backbone_that_reads_padding_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    messages = warnings_of(monkeypatch)
    save("fnet", tmp_path)
    SpertModel.from_backbone(str(tmp_path), **LABELS)
    assert len(messages) == 1 and "does not leave padding out" in messages[0] and "batch_size=1" in messages[0]


def test_other_backbones_do_not_warn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    messages = warnings_of(monkeypatch)
    for kind in ("squeezebert", "t5", "bart"):
        save(kind, tmp_path / kind)
        SpertModel.from_backbone(str(tmp_path / kind), **LABELS)
    assert messages == []


def test_window_length_counts_positions_of_any_kind_of_table():
    """I-BERT's table is a module of its own kind: windows were two positions too long."""
    model = AutoModel.from_config(AutoConfig.for_model("ibert", **IBERT))
    assert check_window_length(None, model) == 48


CANINE = {name: value for name, value in SIZE.items() if name != "vocab_size"}
REFUSED = {
    "canine": (CANINE, "SpERT needs an encoder with one vocab_size in its configuration, and canine has none"),
    "vit": ({**SIZE, "image_size": 8, "patch_size": 4}, "reads subwords, but vit reads pixel_values"),
    "clip": ({}, "SpERT needs an encoder with one hidden_size in its configuration, and clip has none"),
}


@pytest.mark.parametrize("model_type", REFUSED)
def test_models_that_read_no_subwords_are_refused(model_type: str):
    settings, message = REFUSED[model_type]
    settings = {name: value for name, value in settings.items() if model_type != "vit" or name != "vocab_size"}
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        SpertModel(SpertConfig(backbone_config=AutoConfig.for_model(model_type, **settings), **LABELS))


def test_backbone_that_cannot_be_called_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    encoder = save("bart", tmp_path)
    monkeypatch.setattr(type(encoder.get_encoder()), "forward", lambda self, input_ids: None)
    with pytest.raises(
        ValueError, match=r"SpERT cannot use .*, which fails to read subwords: TypeError\(.*attention_ma"
    ):
        SpertModel.from_backbone(str(tmp_path), **LABELS)
