"""Where a model's weights come from and go to: pretrained encoders, saved folders, other labels, other dtypes."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tiny_models import HIDDEN, POSITIONS, build_batch, build_spert, build_window, save_backbone
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from modeling_spert import SpertConfig, SpertModel, SpertOutput

LABELS: dict[str, Any] = {"entity_types": ["A", "B"], "relation_types": ["r", "s"]}


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bare BERT, as on the Hub: with a pooler and without SpERT's heads."""
    folder = tmp_path_factory.mktemp("bert")
    save_backbone("bert", folder)
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a SpERT model: entity types A, B, C, relation types r and, symmetric, s."""
    folder = tmp_path_factory.mktemp("spert")
    build_spert(symmetric_relation_types=["s"]).save_pretrained(folder)
    return folder


def batch() -> dict[str, Tensor]:
    return build_batch(build_window([1, 2, 1], [1, 1]), build_window([2, 1], seed=1))


def assert_equal_models(a: nn.Module, b: nn.Module):
    expected, found = a.state_dict(), b.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


@torch.no_grad()
def assert_equal_answers(a: SpertModel, b: SpertModel):
    expected, found = a.eval()(**batch(), entity_threshold=0.0), b(**batch(), entity_threshold=0.0)
    for name in ("entity_logits", "relation_logits"):
        torch.testing.assert_close(found[name], expected[name], rtol=1e-6, atol=1e-6)


# --- From a bare encoder ------------------------------------------------------------------------------------------


def test_loading_from_backbone_takes_the_pretrained_weights(bert: Path):
    encoder = AutoModel.from_pretrained(bert)
    model = SpertModel.from_backbone(str(bert), **LABELS, max_span_width=3)
    encoder.pooler = None  # which SpERT does not have
    assert_equal_models(encoder, model.backbone)
    assert model.config.max_span_width == 3 and model.config.max_window_length == POSITIONS
    assert model.config.backbone_config.hidden_size == HIDDEN
    # As from_pretrained: no dropout until the caller says train(), neither in the heads nor in the encoder.
    assert not any(module.training for module in model.modules())


def test_loading_from_backbone_says_what_it_loaded(bert: Path, monkeypatch: pytest.MonkeyPatch):
    messages: list[str] = []
    logger = logging.getLogger("modeling_spert.training.from_backbone")
    monkeypatch.setattr(logger, "info", lambda message, *args: messages.append(message))
    SpertModel.from_backbone(str(bert), **LABELS)
    assert messages == [f"Loaded pretrained weights (all) of bert from {bert}"]


@pytest.mark.parametrize(
    ("pretrained", "embeddings_equal", "layers_equal"),
    [("all", True, True), ("embeddings", True, False), ("none", False, False)],
)
def test_loading_from_backbone_with_less_of_the_pretraining(
    bert: Path, pretrained: str, embeddings_equal: bool, layers_equal: bool
):
    encoder = AutoModel.from_pretrained(bert)
    model = SpertModel.from_backbone(str(bert), **LABELS, pretrained=pretrained)
    for part, expected in (("embeddings.word_embeddings", embeddings_equal), ("encoder.layer.0", layers_equal)):
        for old, new in zip(
            encoder.get_submodule(part).parameters(), model.backbone.get_submodule(part).parameters(), strict=True
        ):
            if old.ndim == 2:  # biases and layer norms start from constants
                assert torch.equal(old, new) == expected
    position = encoder.embeddings.position_embeddings.weight, model.backbone.embeddings.position_embeddings.weight
    assert torch.equal(*position) == embeddings_equal
    assert model.config.backbone_config.num_hidden_layers == 2 and not model.training


def test_loading_from_backbone_refuses_what_it_cannot_use(bert: Path, saved: Path):
    with pytest.raises(ValueError, match="pretrained must be one of all, embeddings, none, got 'some'"):
        SpertModel.from_backbone(str(bert), **LABELS, pretrained="some")
    with pytest.raises(ValueError, match=r"holds a SpERT model, .* SpertModel\.from_pretrained"):
        SpertModel.from_backbone(str(saved), **LABELS)
    with pytest.raises(ValueError, match="max_window_length must be at most 48, the positions of the encoder, got 49"):
        SpertModel.from_backbone(str(bert), **LABELS, max_window_length=49)
    assert SpertModel.from_backbone(str(bert), **LABELS, max_window_length=20).config.max_window_length == 20


def test_loading_a_bare_encoder_as_spert_names_the_call_to_make(bert: Path):
    config = SpertConfig(backbone_config=AutoConfig.from_pretrained(bert), **LABELS)
    call = r"holds a 'bert' model.*SpertModel\.from_backbone\(.*entity_types=\[…\], relation_types=\[…\]\)"
    for load in (
        lambda: SpertModel.from_pretrained(str(bert)),
        # With a config the encoder would be left random without a word.
        lambda: SpertModel.from_pretrained(str(bert), config=config),
        lambda: AutoModel.from_pretrained(bert, config=config),
    ):
        with pytest.raises(ValueError, match=call):
            load()


def test_loading_dtype_and_attention_reach_the_encoder(bert: Path, saved: Path):
    settings = {"dtype": torch.bfloat16, "attn_implementation": "eager"}
    fresh = SpertModel.from_backbone(str(bert), **LABELS, backbone_kwargs=settings)
    scratch = SpertModel.from_backbone(str(bert), **LABELS, backbone_kwargs=settings, pretrained="none")
    loaded = SpertModel.from_pretrained(saved, **settings)
    for model in (fresh, scratch, loaded):
        assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
        assert model.backbone.config._attn_implementation == "eager"
    assert SpertModel.from_pretrained(saved).backbone.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("device_map", ["cpu", "auto", {"": "cpu"}])
def test_loading_device_map_places_every_weight(saved: Path, device_map: str | dict[str, str]):
    model = SpertModel.from_pretrained(saved, device_map=device_map)
    plain = SpertModel.from_pretrained(saved).state_dict()
    assert {parameter.device.type for parameter in model.parameters()} <= {"cpu", "cuda"}
    assert all(torch.equal(tensor.cpu(), plain[name]) for name, tensor in model.state_dict().items())


# --- Saved and loaded ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_shard_size", ["5GB", "20KB"])
def test_loading_what_was_saved_gives_the_same_answers(tmp_path: Path, max_shard_size: str):
    model = build_spert(symmetric_relation_types=["s"], relation_context="full", label_names={"entity/A": "Anything"})
    model.save_pretrained(tmp_path, max_shard_size=max_shard_size)
    assert (len(list(tmp_path.glob("model*.safetensors"))) > 1) == (max_shard_size == "20KB")
    for load in (SpertModel.from_pretrained, AutoModel.from_pretrained):
        loaded = load(tmp_path)
        assert type(loaded) is SpertModel and not loaded.training
        assert_equal_models(model, loaded)
        assert_equal_answers(model, loaded)
        settings = [vars(m.config) | {"backbone_config": m.config.backbone_config.to_dict()} for m in (model, loaded)]
        for name in ("entity_types", "relation_types", "symmetric_relation_types", "relation_context", "label_names",
                     "max_window_length", "width_embedding_size"):  # fmt: skip
            assert settings[0][name] == settings[1][name]


def test_loading_keys_of_a_saved_model_are_these(saved: Path):
    # Keys are permanent once a model is on the Hub.
    keys = {key.split(".")[0] if key.startswith("backbone.") else key for key in load_file(saved / "model.safetensors")}
    heads = {f"{head}.{part}" for head in ("entity_classifier", "relation_classifier") for part in ("weight", "bias")}
    assert keys == {"backbone", "width_embeddings.weight"} | heads


def test_loading_without_width_embeddings_or_relations_round_trips(tmp_path: Path):
    model = build_spert(width_embedding_size=0, relation_types=[])
    model.save_pretrained(tmp_path)
    loaded, info = SpertModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert_equal_answers(model, loaded)


def test_loading_with_other_settings_checks_and_uses_them(saved: Path):
    model = SpertModel.from_pretrained(saved, relation_threshold=0.7, max_span_width=2)
    assert model.config.relation_threshold == 0.7 and model(**batch()).spans[:, 1:].diff().max() == 2
    with pytest.raises(ValueError, match="max_span_width must be an integer >= 1, got 0"):
        SpertModel.from_pretrained(saved, max_span_width=0)
    with pytest.raises(TypeError, match="relation_treshold"):
        SpertModel.from_pretrained(saved, relation_treshold=0.7)


# --- Other labels -------------------------------------------------------------------------------------------------

OTHER_LABELS = [
    {"entity_types": ["A", "B"]},
    {"entity_types": ["A", "B", "D"]},  # as many, but others
    {"entity_types": ["B", "A", "C"]},  # the same, in another order
    {"relation_types": ["r", "t"]},
    {"relation_types": ["s"]},
    {"relation_types": []},
    {"entity_types": ["X"], "relation_types": ["y"]},
]


@pytest.mark.parametrize("labels", OTHER_LABELS, ids=str)
def test_loading_other_labels_needs_new_classifiers(saved: Path, tmp_path: Path, labels: dict[str, list[str]]):
    message = f"{' and '.join(labels)} differ from those saved in .*: pass new_classifiers=True"
    config = SpertConfig.from_pretrained(saved, **labels)
    config.save_pretrained(tmp_path)
    for load, given in (
        (SpertModel.from_pretrained, labels),
        (SpertModel.from_pretrained, {"config": config}),
        (SpertModel.from_pretrained, {"config": str(tmp_path)}),
        (AutoModel.from_pretrained, labels),
        (AutoModel.from_pretrained, {"config": config}),
    ):
        with pytest.raises(ValueError, match=message):
            load(saved, **given)


@pytest.mark.parametrize("labels", OTHER_LABELS, ids=str)
def test_loading_other_labels_keeps_encoder_and_widths(saved: Path, tmp_path: Path, labels: dict[str, list[str]]):
    transformers.logging.set_verbosity_error()  # a report of what is new, at warning level
    try:
        model = SpertModel.from_pretrained(saved, new_classifiers=True, **labels)
    finally:
        transformers.logging.set_verbosity_warning()
    old = build_spert(symmetric_relation_types=["s"])
    assert_equal_models(old.backbone, model.backbone)
    assert_equal_models(old.width_embeddings, model.width_embeddings)
    for kind, head in (("entity_types", "entity_classifier"), ("relation_types", "relation_classifier")):
        before, after = getattr(old, head), getattr(model, head)
        if kind not in labels:
            assert_equal_models(before, after)
        elif labels[kind]:
            rows = min(len(before.weight), len(after.weight))
            assert not torch.isclose(before.weight[:rows], after.weight[:rows]).all(1).any()
            assert not after.bias.any() and 0.01 < after.weight.std() < 0.03
        else:
            assert after is None
    kept = set(labels.get("relation_types", ["r", "s"])) & {"s"}
    assert set(model.config.symmetric_relation_types) == kept
    model.save_pretrained(tmp_path)
    assert_equal_answers(model, SpertModel.from_pretrained(tmp_path))


def test_loading_the_same_labels_keeps_the_classifiers(saved: Path):
    model = SpertModel.from_pretrained(
        saved, new_classifiers=True, entity_types=("A", "B", "C"), relation_types=["r", "s"]
    )
    assert_equal_answers(build_spert(), model)
    assert model.config.symmetric_relation_types == ["s"]


def test_loading_other_labels_does_not_excuse_other_misfits(saved: Path):
    transformers.logging.set_verbosity_error()
    try:
        with pytest.raises(ValueError, match=r"saved weights do not fit .*width_embeddings\.weight"):
            SpertModel.from_pretrained(saved, new_classifiers=True, entity_types=["X"], width_table_size=50)
    finally:
        transformers.logging.set_verbosity_warning()


# --- Working with a loaded model ----------------------------------------------------------------------------------


def test_loading_after_resized_embeddings(saved: Path, tmp_path: Path):
    model = SpertModel.from_pretrained(saved)
    before = model.get_input_embeddings().weight.clone()
    resized = model.resize_token_embeddings(70, mean_resizing=False)
    assert resized is model.get_input_embeddings() and resized.weight.shape == (70, HIDDEN)
    assert torch.equal(resized.weight[:64], before)
    assert model.config.backbone_config.vocab_size == model.backbone.config.vocab_size == 70
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["backbone_config"]["vocab_size"] == 70
    assert_equal_answers(model, SpertModel.from_pretrained(tmp_path))


def test_loading_gradient_checkpointing_gives_the_same_gradients(saved: Path):
    calls = []

    def gradients(model: SpertModel) -> dict[str, Tensor]:
        torch.manual_seed(0)  # the same dropout
        data = batch()
        spans = torch.tensor([[0, 0, 1], [0, 1, 3], [1, 0, 2]])
        labels = {"span_labels": torch.tensor([1, 0, 2]), "pair_labels": torch.ones(2, 2)}
        calls.clear()
        model(**data, spans=spans, pairs=torch.tensor([[0, 1], [1, 0]]), **labels).loss.backward()
        return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}

    model = SpertModel.from_pretrained(saved).train()
    model.backbone.encoder.layer[0].attention.self.register_forward_hook(lambda *_: calls.append(1))
    expected = gradients(model)
    assert len(calls) == 1
    model.zero_grad()
    # The name since transformers 5.23, and the older one.
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable()
    found = gradients(model)
    assert len(calls) == 2  # the layer ran again for its gradients
    torch.testing.assert_close(found, expected)


# --- Files that are not whole, names that are not models ----------------------------------------------------------


@pytest.mark.parametrize("part", ["entity_classifier", "relation_classifier", "width_embeddings", "backbone.encoder"])
def test_loading_refuses_files_without_some_weights(saved: Path, tmp_path: Path, part: str):
    """They were random at each load, and so were the answers."""
    folder = shutil.copytree(saved, tmp_path / "cut")
    weights = load_file(folder / "model.safetensors")
    kept = {key: value for key, value in weights.items() if not key.startswith(part)}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    for load in (SpertModel.from_pretrained, AutoModel.from_pretrained):
        with pytest.raises(ValueError, match=rf"weights are missing from the files of .*cut: {part}\..*Copy or downl"):
            load(folder)
    if part == "entity_classifier":  # a new one is wanted
        SpertModel.from_pretrained(folder, new_classifiers=True, entity_types=["X"])
    else:
        with pytest.raises(ValueError, match="weights are missing"):
            SpertModel.from_pretrained(folder, new_classifiers=True, entity_types=["X"])


def test_loading_reads_no_pickle_whatever_it_is_asked(saved: Path, tmp_path: Path):
    folder = shutil.copytree(saved, tmp_path / "pickled")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    for load in (SpertModel.from_pretrained, AutoModel.from_pretrained):
        with pytest.raises(ValueError, match="use_safetensors=False: a SpERT model is loaded from safetensors only"):
            load(folder, use_safetensors=False)
        for settings in ({}, {"use_safetensors": None}, {"use_safetensors": True}):
            with pytest.raises(OSError, match="safetensors"):
                load(folder, **settings)


def test_loading_by_the_names_of_the_base_class(saved: Path):
    model = SpertModel.from_pretrained(pretrained_model_name_or_path=str(saved))
    assert_equal_answers(build_spert(symmetric_relation_types=["s"]), model)
    again = SpertModel.from_pretrained(None, config=model.config, state_dict=model.state_dict())
    assert_equal_models(model, again)


def test_loading_an_adapter_as_a_model_names_the_call_to_make(tmp_path: Path):
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    with pytest.raises(ValueError, match=r"an adapter \(peft\) of org/base, .*PeftModel\.from_pretrained\(SpertModel"):
        SpertModel.from_pretrained(tmp_path)


# --- What libraries ask of a model --------------------------------------------------------------------------------


def test_forward_returns_hidden_states_and_attentions_on_request(saved: Path):
    model = SpertModel.from_pretrained(saved, attn_implementation="eager")
    plain = model(**batch())
    assert plain.hidden_states is None and plain.attentions is None
    output = model(**batch(), output_hidden_states=True, output_attentions=True)
    assert len(output.hidden_states) == 3 and output.hidden_states[0].shape == (*batch()["input_ids"].shape, HIDDEN)
    assert len(output.attentions) == 2 and torch.equal(output.entity_logits, plain.entity_logits)
    assert len(model(**batch(), output_hidden_states=True, return_dict=False)) == 6
    model.config.output_hidden_states = True
    assert len(model(**batch()).hidden_states) == 3
    assert model(**batch(), output_hidden_states=False).hidden_states is None


def test_forward_follows_the_configurations_return_dict(saved: Path):
    model = SpertModel.from_pretrained(saved, return_dict=False)
    assert type(model(**batch())) is tuple and isinstance(model(**batch(), return_dict=True), SpertOutput)
