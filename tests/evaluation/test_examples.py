"""Examples to windows: documents keep to themselves, and what a cut loses is told."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tiny_models import SENTENCES, build_spert, build_tokenizer

from modeling_spert import SpertConfig
from modeling_spert.evaluation.examples import group_documents
from modeling_spert.training.labelling import label_windows, window_examples


def example(sentence: int, doc_id: str | None = None, sentence_index: int | None = None, **fields: Any) -> dict:
    tokens = SENTENCES[sentence].split()
    return {"tokens": tokens, "entities": [], "relations": [], "doc_id": doc_id, "sentence_index": sentence_index,
            **fields}  # fmt: skip


def config_of(**settings: Any) -> SpertConfig:
    return build_spert(backbone={"max_position_embeddings": 256}, **settings).config


def rows_of(examples: list[dict], config: SpertConfig) -> list[list[int]]:
    return [rows for rows, _ in window_examples(examples, build_tokenizer("bert"), config)]


def test_corpus_documents_are_grouped_and_ordered_by_sentence():
    rows = [example(0, "b", 2), example(1, "a", 0), example(2), example(0, "b", 1), example(1), example(2, "b", 1)]
    assert group_documents(rows) == [[3, 5, 0], [1], [2], [4]]
    assert group_documents([{"tokens": []}, {"tokens": []}]) == [[0], [1]]  # the fields may be missing
    assert group_documents([example(0, "2"), example(0)]) == [[0], [1]]
    assert group_documents(rows[:3], context="none") == [[0], [1], [2]]


def test_corpus_windows_hold_one_sentence_or_a_document():
    rows = [example(0, "a", 1), example(1, "a", 0), example(2), example(2, "c")]
    assert rows_of(rows, config_of(context="none")) == [[0], [1], [2], [3]]
    assert rows_of(rows, config_of(context="document")) == [[1, 0], [2], [3]]


def test_corpus_windows_of_a_document_do_not_depend_on_other_documents():
    config = config_of(context="document", max_window_length=100)
    document = [example(number % 3, "a", number) for number in range(5)]
    others = [example(number % 3, f"other {number % 2}", number) for number in range(6)]
    tokenizer = build_tokenizer("bert")
    alone = [window for _, window in window_examples(document, tokenizer, config)]
    assert len(alone) > 1 and any(len(window.pieces) > 1 for window in alone)
    mixed = [row for pair in zip(others, [*document, example(0)], strict=True) for row in pair]
    own = {row for row, it in enumerate(mixed) if it["doc_id"] == "a"}
    together = [(rows, window) for rows, window in window_examples(mixed, tokenizer, config) if set(rows) <= own]
    assert [window for _, window in together] == alone
    assert sorted(row for rows, _ in together for row in rows) == sorted(own)


def test_corpus_windows_of_long_sentences_name_their_row_each_time():
    windows = window_examples([example(0), example(1)], build_tokenizer("bert"), config_of(max_window_length=16))
    rows = [row for of_window, _ in windows for row in of_window]
    assert rows == sorted(rows) and rows.count(0) > 1 and rows.count(1) > 1
    assert max(len(window.input_ids) for _, window in windows) <= 16


def test_corpus_labels_count_from_their_piece_and_turn_symmetric_relations():
    entities = [{"type": "B", "start": 4, "end": 6}, {"type": "A", "start": 0, "end": 2}]
    relations = [{"type": "s", "head": 0, "tail": 1}, {"type": "r", "head": 0, "tail": 1}]
    rows = [example(1, "a", 0), example(0, "a", 1, entities=entities, relations=relations)]
    config = config_of(context="document", symmetric_relation_types=["s"])
    (labelled,) = label_windows(rows, build_tokenizer("bert"), config)
    empty, full = labelled.sentences
    assert (empty.row_id, empty.entities, empty.num_words) == (0, (), len(rows[0]["tokens"]))
    assert (full.row_id, full.num_words) == (1, len(rows[1]["tokens"]))
    assert full.entities == ((4, 6, 2), (0, 2, 1)) and full.relations == ((1, 0, 1), (0, 1, 0))


def test_corpus_labels_say_what_a_cut_loses(monkeypatch: pytest.MonkeyPatch):
    messages: list[str] = []
    monkeypatch.setattr(
        logging.getLogger("modeling_spert.training.labelling"),
        "warning",
        lambda message, *args: messages.append(message),
    )
    words = len(SENTENCES[0].split())
    wide = [{"type": "A", "start": 0, "end": words}]
    label_windows([example(1), example(0, entities=wide)], build_tokenizer("bert"), config_of())
    assert messages == []
    label_windows([example(1), example(0, entities=wide)], build_tokenizer("bert"), config_of(max_window_length=16))
    assert len(messages) == 1 and messages[0].startswith("1 sentences are longer than a window")
    assert "(rows [1])" in messages[0]
