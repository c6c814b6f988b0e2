"""The original implementation's numbers: scores, losses, thirty training steps, predictions of a whole test set."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from parity_reference import (
    ARRAYS,
    TRAINING,
    TURNED_ROWS,
    build_model,
    checkpoint_folder,
    encoder_settings,
    original_weights,
    read_json,
    reference_from_shared,
    stored_answer,
    stored_arrays,
    stored_batch,
    stored_model,
    stored_prediction,
    stored_rows,
    stored_training,
    stored_window,
    types,
)

from modeling_spert import SpertModel
from modeling_spert.decoding_spert import decode_windows, decoding_rules
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.evaluation.predict import extraction_to_example, predict_examples
from modeling_spert.tokenization_spert import encode_sentences, special_affixes
from modeling_spert.training.optimizer import build_optimizer, clipped_update, linear_schedule, parameter_groups
from modeling_spert.training.tokenizer import load_tokenizer
from modeling_spert.windows_spert import collate_windows

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


@functools.cache
def frozen_model() -> SpertModel:
    """The tiny model in eval mode; tests leave it as it is."""
    return stored_model()


# --- Without ../shared --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 13])
@torch.inference_mode()
def test_parity_spans_pairs_and_probabilities(batch_size: int):
    rows = stored_rows()
    assert len(rows) == 52
    num_pairs = 0
    for low in range(0, len(rows), batch_size):
        own = rows[low : low + batch_size]
        output = frozen_model()(**collate_windows([stored_window(row) for row in own], 0))
        for position, row in enumerate(own):
            chosen = output.spans[:, 0] == position
            assert np.array_equal(output.spans[chosen][:, 1:], stored_answer(row, "span_words")), row
            chances = output.entity_logits[chosen].softmax(1).numpy()
            np.testing.assert_allclose(chances, stored_answer(row, "entity_probs"), rtol=0, atol=1e-5)
            related = chosen[output.pairs[:, 0]] if len(output.pairs) else torch.zeros(0, dtype=torch.bool)
            pairs = (chosen.cumsum(0) - 1)[output.pairs[related]]
            assert np.array_equal(pairs, stored_answer(row, "pair_spans")), row
            chances = output.relation_logits[related].sigmoid().numpy()
            np.testing.assert_allclose(chances, stored_answer(row, "relation_probs"), rtol=0, atol=1e-5)
            num_pairs += len(pairs)
    assert num_pairs > 1000


@torch.inference_mode()
def test_parity_training_path_gives_the_probabilities_too():
    model = stored_model(**NO_DROPOUT).train()
    model.dropout.p = 0.0
    for row in stored_rows()[:8]:
        output = model(**collate_windows([stored_window(row)], 0))
        assert np.array_equal(output.pairs, stored_answer(row, "pair_spans")), row
        for found, name in (
            (output.entity_logits.softmax(1), "entity_probs"),
            (output.relation_logits.sigmoid(), "relation_probs"),
        ):
            np.testing.assert_allclose(found.numpy(), stored_answer(row, name), rtol=0, atol=1e-5)


@torch.inference_mode()
def test_parity_decoded_entities_and_relations():
    rows = [*stored_rows(), *TURNED_ROWS]
    windows = [stored_window(row) for row in rows]
    model = frozen_model()
    output = model(**collate_windows(windows, 0))
    decoded = decode_windows(output, windows, decoding_rules(model.config))
    as_found = decode_windows(
        output, windows, replace(decoding_rules(model.config), symmetric_relation_types=frozenset())
    )
    for row, (extraction,), (untouched,) in zip(rows, decoded, as_found, strict=True):
        assert_equal_predictions(extraction_to_example({"tokens": []}, extraction), stored_prediction(row), row)
        assert (extraction != untouched) == (row in TURNED_ROWS)
    assert any(len(a.relations) < len(b.relations) for (a,), (b,) in zip(decoded, as_found, strict=True))


def assert_equal_predictions(found: dict[str, Any], expected: dict[str, Any], row: int):
    for scores_of in (entity_scores, relation_scores):
        ours, theirs = scores_of(found), scores_of(expected)
        assert ours.keys() == theirs.keys(), row
        assert ours == pytest.approx(theirs, abs=1e-5, rel=0), row


def entity_scores(example: dict[str, Any]) -> dict[tuple[Any, ...], float]:
    scores = {(e["type"], e["start"], e["end"]): e["score"] for e in example["entities"]}
    assert len(scores) == len(example["entities"])
    return scores


def relation_scores(example: dict[str, Any]) -> dict[tuple[Any, ...], float]:
    entities = list(entity_scores(example))
    scores = {(r["type"], entities[r["head"]], entities[r["tail"]]): r["score"] for r in example["relations"]}
    assert len(scores) == len(example["relations"])
    return scores


@torch.inference_mode()
def test_parity_losses_of_given_samples():
    expected = stored_training()["loss"]
    batch = stored_batch(expected["samples"])
    model = frozen_model()
    total, spans_only = model(**batch).loss.item(), model(**{**batch, "pair_labels": None}).loss.item()
    assert spans_only == pytest.approx(expected["entity_loss"], abs=1e-5, rel=0)
    assert total - spans_only == pytest.approx(expected["relation_loss"], abs=1e-5, rel=0)
    assert total == pytest.approx(expected["loss"], abs=1e-5, rel=0)


def test_parity_thirty_training_steps():
    reference_steps = stored_training()["steps"]
    settings = {name: reference_steps[name] for name in ("dropout", "correct_bias", "eps", "betas")}
    assert settings == {"dropout": 0.0, "correct_bias": False, "eps": 1e-6, "betas": [0.9, 0.999]}
    model = stored_model(**NO_DROPOUT).train()
    model.dropout.p = 0.0
    optimizer = build_optimizer(
        parameter_groups(model, reference_steps["learning_rate"], reference_steps["weight_decay"])
    )
    schedule = linear_schedule(optimizer, reference_steps["warmup_steps"], reference_steps["total_steps"])
    assert len(reference_steps["steps"]) == 30
    for number, step in enumerate(reference_steps["steps"]):
        assert schedule.get_last_lr()[0] == pytest.approx(step["lr"], abs=1e-9, rel=0)
        loss = model(**stored_batch(step["samples"])).loss
        assert loss.item() == pytest.approx(step["loss"], abs=1e-4, rel=0), number
        loss.backward()
        with clipped_update(optimizer, list(model.parameters()), reference_steps["max_grad_norm"]):
            optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def test_parity_reference_holds_numbers_only():
    assert all(array.dtype.kind in "if" for array in stored_arrays().values())

    def strings(value: Any) -> set[str]:
        if isinstance(value, dict | list):
            return set().union(*map(strings, value.values() if isinstance(value, dict) else value))
        return {value} if isinstance(value, str) else set()

    assert strings(stored_training()) == {"gelu"}
    assert ARRAYS.stat().st_size + TRAINING.stat().st_size < 1_200_000


# --- With ../shared: from the words on ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original(shared_dir: Path) -> SpertModel:
    """The original's checkpoint, whole."""
    return build_model(original_weights(shared_dir), encoder_settings(shared_dir), types())


def test_parity_reference_is_what_the_original_produced(shared_dir: Path):
    arrays, training = reference_from_shared(shared_dir)
    assert training == stored_training()
    assert arrays.keys() == stored_arrays().keys()
    assert all(np.array_equal(arrays[name], stored) for name, stored in stored_arrays().items())


def test_parity_tokenizer_gives_the_originals_subwords(shared_dir: Path):
    folder = shared_dir / "reference" / "scierc_tiny"
    tokenizer = load_tokenizer(str(checkpoint_folder(shared_dir)))
    outputs, rows = np.load(folder / "eval_outputs.npz"), read_json(folder / "eval_rows.json")
    (cls,), (sep,) = special_affixes(tokenizer)
    for row, encoded in zip(rows, encode_sentences(tokenizer, [row["tokens"] for row in rows]), strict=True):
        assert [cls, *encoded.input_ids, sep] == outputs[f"{row['row']}/input_ids"].tolist(), row["row"]


def test_parity_predictions_and_scores_of_the_whole_test_set(shared_dir: Path, original: SpertModel):
    folder = shared_dir / "reference" / "scierc_tiny"
    gold = read_json(shared_dir / "data" / "scierc" / "scierc_test.json")
    expected = read_json(folder / "predictions.json")
    tokenizer = load_tokenizer(str(checkpoint_folder(shared_dir)))
    extractions = predict_examples(original, tokenizer, gold, batch_size=32)
    predicted = [extraction_to_example(row, extractions[number]) for number, row in enumerate(gold)]
    assert len(predicted) == len(expected) == 551
    for number, (found, wanted) in enumerate(zip(predicted, expected, strict=True)):
        assert_equal_predictions(found, wanted, number)
    assert sum(len(row["relations"]) for row in expected) > 500
    scores = read_json(folder / "scores.json")
    for option in ("overlapping", "no_overlapping"):
        found = score_examples(
            gold,
            predicted,
            symmetric_relation_types=types()["symmetric_relation_types"],
            # A type that occurs neither in gold nor in predictions: macro averages leave it out.
            entity_types=[*types()["entity_types"], "Unseen"],
            relation_types=[*types()["relation_types"], "unseen"],
            no_overlapping=option == "no_overlapping",
        )
        assert {name: found[name] for name in scores[option]} == pytest.approx(scores[option], abs=1e-6, rel=0), option
