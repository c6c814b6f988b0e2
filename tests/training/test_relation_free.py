"""Sentences without relations that are mixed in: what they teach, how many an epoch has, errors that name the row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_data import build_rows
from tiny_models import build_spert, build_tokenizer

from modeling_spert import SpertModel
from modeling_spert.training import TrainingArguments
from modeling_spert.training.batches import EpochSampler, build_train_loader
from modeling_spert.training.negatives import UNKNOWN
from modeling_spert.training.relation_free import find_names, known_names, read_relation_free

ROWS = build_rows(12, seed=1)
PLAIN = "Maria Lund saw Tor Vik.\nNobody was there.\nAna Sol left Hill Bank."


def build_model(**settings: Any) -> SpertModel:
    labels = {"entity_types": ["Per", "Org"], "relation_types": ["runs", "met"], "max_span_width": 10}
    return build_spert(**labels, **settings)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "plain.txt").write_text(PLAIN, "utf-8")
    entities = [{"type": "Per", "start": 0, "end": 1}, {"type": "Org", "start": 2, "end": 3}]
    rows = [{"tokens": ["Ida", "left", "Norvane"], "entities": entities, "relations": [], "doc_id": "d0"}]
    (tmp_path / "labelled.json").write_text(json.dumps(rows), "utf-8")
    return {"plain": tmp_path / "plain.txt", "labelled": tmp_path / "labelled.json"}


def read(*paths: Path) -> list[dict[str, Any]]:
    return read_relation_free([str(path) for path in paths], ROWS, build_model().config)


def test_plain_sentences_get_known_names_and_those_without_two_are_left_out(
    files: dict[str, Path], caplog: pytest.LogCaptureFixture
):
    rows = read(files["plain"])
    assert [[" ".join(row["tokens"][e["start"] : e["end"]]) for e in row["entities"]] for row in rows] == [
        ["Maria Lund", "Tor Vik"],
        ["Ana Sol", "Hill Bank"],
    ]
    assert all(row["annotated"] is False and row["relations"] == [] for row in rows)
    assert "1 of 3 sentences are left out" in caplog.text


def test_labelled_sentences_keep_their_entities(files: dict[str, Path]):
    (row,) = read(files["labelled"])
    assert row["tokens"] == ["Ida", "left", "Norvane"] and "annotated" not in row and row["doc_id"] == "extra 0 d0"


def test_find_names_takes_the_longest_and_goes_on_after_it():
    names = known_names(ROWS)
    assert find_names("Ana Sol and Ana Sol and Ana".split(), names) == [
        {"type": "Per", "start": 0, "end": 2},
        {"type": "Per", "start": 3, "end": 5},
    ]
    assert find_names(["Ana"], {}) == []


def loader_of(extras: list[dict[str, Any]], share: float, **settings: Any) -> Any:
    args = TrainingArguments(output_dir="x", extra_share=share, per_device_train_batch_size=4, **settings)
    return build_train_loader(ROWS, build_tokenizer("bert"), build_model().config, args, extras)


def test_plain_sentences_teach_the_relation_classifier_only(files: dict[str, Path]):
    extras = read(files["plain"])
    loader, order, collator = loader_of(extras, 1.0)
    assert order.drawn == 2 and len(order) == 14
    batch = collator([loader.dataset[12], loader.dataset[13]])
    assert batch["span_labels"].tolist() == [UNKNOWN] * 4
    assert batch["pairs"].tolist() == [[0, 1], [1, 0], [2, 3], [3, 2]] and not batch["pair_labels"].any()
    model = build_model()
    loss = model.train()(**{**batch, "input_ids": batch["input_ids"] % 64}).loss
    loss.backward()
    assert loss.isfinite() and loss > 0
    assert model.entity_classifier.weight.grad is None or not model.entity_classifier.weight.grad.any()
    assert model.relation_classifier is not None and model.relation_classifier.weight.grad.any()


def test_labelled_sentences_teach_both_classifiers(files: dict[str, Path]):
    loader, _, collator = loader_of(read(files["labelled"]), 1.0)
    batch = collator([loader.dataset[12]])
    assert batch["span_labels"].tolist()[:2] == [1, 2] and batch["span_labels"].min() == 0
    assert batch["pairs"].tolist() == [[0, 1], [1, 0]] and not batch["pair_labels"].any()


def test_epoch_sampler_draws_extras_anew_and_every_row_once():
    drawn = []
    for epoch in range(30):
        sampler = EpochSampler(6, 1, num_extras=10, drawn=3)
        sampler.epoch = epoch
        order = list(sampler)
        assert len(order) == len(sampler) == 9 and set(range(6)) < set(order) and order == list(sampler)
        drawn.append(frozenset(set(order) - set(range(6))))
    assert len(set(drawn)) > 10 and set().union(*drawn) == set(range(6, 16))


def test_epoch_sampler_without_extras_is_as_it_was():
    order = torch.randperm(7, generator=torch.Generator().manual_seed(3 * 1_000_003 + 2)).tolist()
    sampler = EpochSampler(7, 3, num_extras=4, drawn=0)
    sampler.epoch = 2
    assert list(sampler) == order


@pytest.mark.parametrize(("share", "drawn"), [(0.0, 0), (0.1, 1), (0.5, 6), (9.0, 6)])
def test_extra_share_counts_sentences_of_the_training_split(share: float, drawn: int):
    extras = [{"tokens": ["a", "b"], "entities": [], "relations": []} for _ in range(6)]
    assert loader_of(extras, share)[1].drawn == drawn


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", [{"tokens": ["a"], "entities": [], "relations": [{}]}], "a.json, row 0: relations must be empty"),
        ("a.json", [{"tokens": ["a"], "entities": [{"type": "X", "start": 0, "end": 1}]}], "types Per, Org, got 'X'"),
        ("a.json", [{"tokens": ["a"], "entities": [{"type": "Per", "start": 0, "end": 2}]}], "row 0: entities[0]"),
        ("a.json", [{"tokens": "a"}], "row 0: tokens must be a list of words, got 'a'"),
        ("a.json", {"tokens": ["a"]}, "must hold a list of rows, got dict"),
        ("a.json", [], "holds no sentence"),
        ("a.txt", None, "a.txt: no such file"),
        ("a.txt", "Nothing known here.", "no sentence to learn from"),
    ],
)
def test_bad_files_are_named(name: str, content: Any, words: str, tmp_path: Path):
    if content is not None:
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(ValueError) as raised:
        read(tmp_path / name)
    assert words in str(raised.value) and name in str(raised.value)
