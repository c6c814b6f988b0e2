"""The levers, which the published SpERT does not have: every path agrees, each one counts, and off means absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_levers import LEVERS, NO_DROPOUT, SENTENCES, build_levers, is_lever, lever_batch, strengthen
from tiny_models import KINDS, build_encoder, build_spert, build_tokenizer
from torch import nn

from modeling_spert import SpertConfig, SpertModel
from modeling_spert.levers_spert import build_case_embeddings
from modeling_spert.tokenization_spert import letter_case
from modeling_spert.training.optimizer import parameter_groups

EACH = [*({name: value} for name, value in LEVERS.items()), LEVERS]
NAMES = [*LEVERS, "all"]
KEYS = [
    "case_embeddings.weight",
    "pair_levers.product.classifier.weight",
    "pair_levers.product.head.bias",
    "pair_levers.product.head.weight",
    "pair_levers.product.tail.bias",
    "pair_levers.product.tail.weight",
    "pair_levers.types.classifier.weight",
    "span_borders.weight",
]


@torch.no_grad()
@pytest.mark.parametrize("levers", EACH, ids=NAMES)
@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_levers_score_alike_in_training_and_in_extraction(levers: dict[str, Any], pooling: str):
    model, inputs = build_levers(levers, span_pooling=pooling), lever_batch()
    found = model(**inputs)
    assert 2 < len(found.pairs) and 2 < len(found.entities) < len(found.spans)
    given = {"spans": found.spans, "pairs": found.pairs}
    for output in (model(**inputs, **given), model.train()(**inputs, **given)):
        torch.testing.assert_close(output.entity_logits, found.entity_logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(output.relation_logits, found.relation_logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_levers_score_pairs_in_chunks_as_at_once(monkeypatch: pytest.MonkeyPatch):
    model, inputs = build_levers(LEVERS), lever_batch()
    expected = model(**inputs, entity_threshold=0.0)
    monkeypatch.setattr("modeling_spert.heads_spert._MAX_CHUNK_VALUES", 64)
    found = model(**inputs, entity_threshold=0.0)
    torch.testing.assert_close(found.relation_logits, expected.relation_logits, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("levers", EACH, ids=NAMES)
def test_levers_change_the_scores_that_they_are_for(levers: dict[str, Any]):
    inputs, given = lever_batch(), {"spans": torch.tensor([[0, 0, 2], [0, 4, 5]]), "pairs": torch.tensor([[0, 1]])}
    model = build_levers(levers)
    found = model(**inputs, **given)
    for name, parameter in model.named_parameters():
        if is_lever(name):
            parameter.zero_()
    without = model(**inputs, **given)
    of_spans, of_pairs = {"word_features", "span_borders"}, {"word_features", "type_pairs", "pair_product"}
    assert (found.entity_logits - without.entity_logits).abs().max() > 0.1 or not of_spans & set(levers)
    assert (found.relation_logits - without.relation_logits).abs().max() > 0.01 or not of_pairs & set(levers)


@torch.no_grad()
def test_levers_with_weights_of_zero_are_the_published_model():
    with_levers, plain, inputs = build_levers(LEVERS), build_levers({}), lever_batch()
    for name, parameter in with_levers.named_parameters():
        if is_lever(name):
            parameter.zero_()
    plain.load_state_dict(with_levers.state_dict(), strict=False)
    found, expected = with_levers(**inputs), plain(**inputs)
    assert len(expected.pairs) and torch.equal(found.pairs, expected.pairs)
    torch.testing.assert_close(found.entity_logits, expected.entity_logits)
    torch.testing.assert_close(found.relation_logits, expected.relation_logits)


def test_levers_off_add_no_weight_and_on_these():
    plain = set(build_spert().state_dict())
    assert not any(map(is_lever, plain))
    assert sorted(set(build_spert(**LEVERS).state_dict()) - plain) == KEYS


def test_levers_start_as_the_other_classifiers():
    model = build_spert(**{**LEVERS, "pair_product": 64}, initializer_range=0.03)
    for name, parameter in model.named_parameters():
        if is_lever(name) and not name.endswith("bias"):
            assert 0.02 < parameter.std() < 0.04, name
    assert not model.case_embeddings.weight[0].any() and not model.pair_levers["product"].head.bias.any()


def test_levers_learn_at_the_rate_of_the_heads():
    model = build_spert(**LEVERS)
    groups = parameter_groups(model, 1e-5, 0.01, head_learning_rate=1e-3)
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    assert {rates[id(parameter)] for name, parameter in model.named_parameters() if is_lever(name)} == {1e-3}


def test_levers_are_all_trained():
    model = build_levers(LEVERS).train()
    spans, pairs = torch.tensor([[0, 0, 2], [0, 4, 5], [1, 0, 1]]), torch.tensor([[0, 1], [1, 0]])
    labels = {"span_labels": torch.tensor([1, 2, 0]), "pair_labels": torch.ones(2, 2)}
    model(**lever_batch(), spans=spans, pairs=pairs, **labels).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and (not is_lever(name) or parameter.grad.any()), name
    assert not model.case_embeddings.weight.grad[0].any()  # padding stays zero
    # Several processes wait for every gradient, also in a batch without pairs.
    model.zero_grad()
    none = {"pairs": pairs[:0], "pair_labels": labels["pair_labels"][:0], "span_labels": labels["span_labels"]}
    model(**lever_batch(), spans=spans, **none).loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_levers_of_pairs_need_relation_types():
    model = build_levers(LEVERS, relation_types=[])
    assert not model.pair_levers
    assert model(**lever_batch()).relation_logits.shape == (0, 0)


def test_levers_under_adapters_are_called():
    model = build_levers(LEVERS)
    expected = model(**lever_batch())
    assert model.span_borders is not None
    model.span_borders = nn.Sequential(model.span_borders, nn.Identity())  # not a plain layer: it has no weight
    for lever in model.pair_levers.values():
        lever.classifier = nn.Sequential(lever.classifier, nn.Identity())
    found = model(**lever_batch())
    torch.testing.assert_close(found.entity_logits, expected.entity_logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.relation_logits, expected.relation_logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_levers_follow_the_models_dtype(dtype: torch.dtype):
    output = build_levers(LEVERS).to(dtype)(**lever_batch())
    assert output.entity_logits.dtype == output.relation_logits.dtype == dtype
    assert output.relation_logits.isfinite().all()


@torch.no_grad()
def test_levers_take_windows_without_words():
    tokenizer = build_tokenizer("bert")
    output = build_levers(LEVERS)(**lever_batch(sentences=[[]] + SENTENCES[:1]))
    assert len(output.spans)
    ids = torch.tensor([[tokenizer.cls_token_id, tokenizer.sep_token_id]])
    none = torch.zeros(1, 0, dtype=torch.long)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "word_index": torch.full_like(ids, -1)}
    assert len(build_levers(LEVERS)(**batch, sentence_index=none, word_case=none).spans) == 0


@torch.no_grad()
def test_overlap_is_the_configurations_unless_the_caller_says():
    flat, allow = build_levers({}, overlap="flat"), build_levers({})
    flat.load_state_dict(allow.state_dict())
    inputs = {**lever_batch(), "entity_threshold": 0.0}
    expected = allow(**inputs, overlap="flat")
    assert 0 < len(expected.pairs) < len(allow(**inputs).pairs)
    assert torch.equal(flat(**inputs).pairs, expected.pairs)
    assert torch.equal(flat(**inputs, overlap="allow").pairs, allow(**inputs).pairs)
    torch.testing.assert_close(flat(**inputs).relation_logits, expected.relation_logits)
    with pytest.raises(ValueError, match="overlap must be one of allow, nested, flat, got 'none'"):
        flat(**inputs, overlap="none")


# --- Word features -------------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_word_features_reach_every_encoder(kind: str):
    encoder = build_encoder(kind, len(build_tokenizer(kind)))
    labels = {"entity_types": ["A"], "relation_types": ["r"]}
    model = strengthen(SpertModel(SpertConfig(encoder.config, word_features=["case"], **labels)))
    inputs = lever_batch(kind)
    found = model(**inputs, output_hidden_states=True)
    assert model.case_embeddings.weight.shape[1] == model.get_input_embeddings().weight.shape[1]
    other = model(**{**inputs, "word_case": 0 * inputs["word_case"]}, output_hidden_states=True)
    assert not torch.allclose(found.entity_logits, other.entity_logits, atol=1e-3)
    # Without a class of any word, embeddings are as the encoder's own.
    model.config.word_features, model.case_embeddings = [], None
    torch.testing.assert_close(other.entity_logits, model(**inputs).entity_logits, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_word_features_tell_words_apart_that_an_uncased_tokenizer_does_not():
    spans = {"spans": torch.tensor([[0, 0, 1]]), "pairs": torch.zeros(0, 2, dtype=torch.long)}
    small, capital = ([[[word, "left"]]] for word in ("oslo", "Oslo"))
    for levers, same in (({}, True), ({"word_features": ["case"]}, False)):
        model = build_levers(levers)
        one, other = (model(**lever_batch(sentences=words[0]), **spans).entity_logits for words in (small, capital))
        assert torch.allclose(one, other) == same


@torch.no_grad()
def test_word_features_take_embeddings_in_place_of_subwords():
    model, inputs = build_levers(LEVERS), lever_batch()
    expected = model(**inputs)
    embeds = model.get_input_embeddings()(inputs.pop("input_ids"))
    torch.testing.assert_close(model(**inputs, inputs_embeds=embeds).entity_logits, expected.entity_logits)


def test_word_features_need_the_case_of_words_and_an_encoder_that_takes_embeddings():
    inputs = lever_batch()
    del inputs["word_case"]
    with pytest.raises(ValueError, match=r"reads the letter case of words: pass word_case \(B, W\)"):
        build_levers(LEVERS)(**inputs)
    config = SpertConfig(word_features=["case"])
    with pytest.raises(ValueError, match="bert does not take inputs_embeds, which word_features need"):
        build_case_embeddings(config, nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (1, ["", "--", "…", "\ud800"]),
        (2, ["of", "e-mail", "阿达", "x2"]),
        (3, ["U.S.", "USA", "ÅÄ", "B2B"]),
        (4, ["John", "A", "A1", "Émile", "O'neill"]),
        (5, ["1990", "3.5", "½2", "٣"]),
        (6, ["McCoy", "iPod", "O'Neill", "阿A"]),
    ],
)
def test_letter_case_has_six_classes(case: int, words: list[str]):
    assert {word: letter_case(word) for word in words} == dict.fromkeys(words, case)


# --- Saved models --------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_levers_round_trip_through_a_folder(tmp_path: Path):
    model = build_levers(LEVERS, overlap="flat")
    model.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert {name: written[name] for name in LEVERS} == LEVERS and written["overlap"] == "flat"
    loaded, info = SpertModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert torch.equal(loaded(**lever_batch()).relation_logits, model(**lever_batch()).relation_logits)


@pytest.mark.parametrize(
    ("labels", "fresh"),
    [
        ({"entity_types": ["C", "B", "A"]}, ("entity_classifier", "span_borders", "pair_levers.types")),
        ({"entity_types": ["A"]}, ("entity_classifier", "span_borders", "pair_levers.types")),
        ({"relation_types": ["s", "r"]}, ("relation_classifier", "pair_levers")),
        ({"relation_types": ["r", "s", "t"]}, ("relation_classifier", "pair_levers")),
    ],
    ids=str,
)
def test_levers_start_anew_for_other_labels(tmp_path: Path, labels: dict[str, list[str]], fresh: tuple[str, ...]):
    model = build_levers(LEVERS)
    model.save_pretrained(tmp_path)
    loaded = SpertModel.from_pretrained(tmp_path, new_classifiers=True, **labels)
    before = model.state_dict()
    for name, value in loaded.state_dict().items():
        kept = value.shape == before[name].shape and torch.equal(value, before[name])
        assert kept != name.startswith(fresh), name
        assert not name.startswith(fresh) or value.abs().max() < 0.2, name


def test_levers_added_to_a_saved_model_miss_their_weights(tmp_path: Path):
    build_spert().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"weights are missing .*span_borders\.weight"):
        SpertModel.from_pretrained(tmp_path, span_borders="inside")


def test_configuration_of_an_earlier_version_has_no_lever():
    folder = Path(__file__).parents[1] / "data" / "saved_model_0_1"
    assert not set(json.loads((folder / "config.json").read_text("utf-8"))) & {*LEVERS, "overlap"}
    config = SpertConfig.from_pretrained(folder)
    assert (config.overlap, config.word_features, config.span_borders) == ("allow", [], "none")
    assert (config.type_pairs, config.pair_product) == (False, 0)


def test_levers_train_in_lower_precision_with_a_loss_that_falls():
    torch.manual_seed(0)
    model, inputs = build_spert(backbone={"vocab_size": 200, **NO_DROPOUT}, head_dropout=0.0, **LEVERS), lever_batch()
    spans, pairs = torch.tensor([[0, 0, 2], [0, 4, 5], [1, 0, 1]]), torch.tensor([[0, 1], [1, 0]])
    labels = {"span_labels": torch.tensor([1, 2, 0]), "pair_labels": torch.tensor([[1, 0], [0, 0]])}
    optimizer = torch.optim.AdamW(parameter_groups(model.train(), 1e-3, 0.0, head_learning_rate=1e-2))
    losses = []
    for _ in range(15):
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(**inputs, spans=spans, pairs=pairs, **labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 3, losses
