"""Predictions of examples: in their order, however they are batched or grouped, and the pipeline's own."""

import pytest
from tiny_data import build_rows
from tiny_models import build_spert, build_tokenizer

from modeling_spert import Extraction, SpertModel
from modeling_spert.evaluation import extraction_to_example, predict_examples

TOKENIZER = build_tokenizer("bert")


def build_model(**settings) -> SpertModel:
    return build_spert(scale=3.0, backbone={"vocab_size": len(TOKENIZER)}, **settings)


def plain(extraction: Extraction) -> tuple[list, list]:
    """Without scores, whose last digits depend on the batch."""
    return (
        [(e.start, e.end, e.label) for e in extraction.entities],
        [(r.head, r.tail, r.label) for r in extraction.relations],
    )


@pytest.mark.parametrize("context", ["none", "document"])
def test_predict_examples_answers_in_the_order_of_the_examples(context):
    model = build_model(max_window_length=24, context=context)
    rows = [{**row, "tokens": row["tokens"] * (1 + i % 4)} for i, row in enumerate(build_rows(6, seed=3))]
    rows[2]["tokens"] = []
    rows = [{**row, "doc_id": "ab"[i % 2], "sentence_index": -i} for i, row in enumerate(rows)]  # last sentence first
    together = predict_examples(model, TOKENIZER, rows, batch_size=2)
    assert len(together) == len(rows) and together[2] == Extraction() and together[3].entities[-1].end > 24
    # Whole documents may be predicted apart, as by the processes of a training.
    apart = {i: predict_examples(model, TOKENIZER, rows[i::2], batch_size=32) for i in (0, 1)}
    assert [plain(found) for found in together] == [plain(apart[i % 2][i // 2]) for i in range(len(rows))]


def test_predict_examples_are_the_pipelines_answers():
    model = build_model(max_window_length=24)
    rows = build_rows(5, seed=3)
    pipe = model.extraction_pipeline(TOKENIZER, entity_threshold=0.3, relation_threshold=0.2)
    found = predict_examples(model, TOKENIZER, rows, entity_threshold=0.3, relation_threshold=0.2)
    for answer, extraction in zip(pipe([row["tokens"] for row in rows]), found, strict=True):
        assert [(*e["words"], e["label"], e["score"]) for e in answer["entities"]] == [
            (e.start, e.end, e.label, e.score) for e in extraction.entities
        ]
        assert [(r["head"], r["tail"], r["label"], r["score"]) for r in answer["relations"]] == [
            (r.head, r.tail, r.label, r.score) for r in extraction.relations
        ]
    assert any(extraction.relations for extraction in found)


def test_predict_examples_refuses_bad_settings():
    with pytest.raises(ValueError, match="relation_threshold must be between 0 and 1, got 2"):
        predict_examples(build_model(), TOKENIZER, [], relation_threshold=2)


def test_extraction_to_example_keeps_what_names_the_row():
    row = {**build_rows(1, seed=3)[0], "doc_id": "d", "sentence_index": 0}
    example = extraction_to_example(row, predict_examples(build_model(), TOKENIZER, [row])[0])
    assert (example["orig_id"], example["doc_id"], example["sentence_index"]) == (row["orig_id"], "d", 0)
    assert example["tokens"] == row["tokens"] and all("score" in entity for entity in example["entities"])
