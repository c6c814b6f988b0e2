"""Predictions of examples: whole over several shards, also of sentences longer than a window."""

from tiny_data import build_rows
from tiny_models import build_spert, build_tokenizer

from modeling_spert.evaluation.predict import extraction_to_example, merge_rows, predict_examples, predict_pieces


def test_predict_pieces_of_shards_merge_to_the_whole() -> None:
    tokenizer = build_tokenizer("bert")
    model = build_spert(scale=3.0, backbone={"vocab_size": len(tokenizer)}, max_window_length=16)
    rows = [{"tokens": row["tokens"] * 4, "entities": [], "relations": []} for row in build_rows(6, seed=3)]
    whole = predict_examples(model, tokenizer, rows, batch_size=2)
    for shards in (2, 3):
        parts = [predict_pieces(model, tokenizer, rows, batch_size=2, shard=(i, shards)) for i in range(shards)]
        found = merge_rows(parts)
        assert found.keys() == whole.keys() and len(found) == len(rows)
        for row in found:
            ours, theirs = found[row].entities, whole[row].entities
            assert [(e.start, e.end, e.label) for e in ours] == [(e.start, e.end, e.label) for e in theirs]
            assert theirs[-1].end > 16  # behind the first window


def test_extraction_to_example_keeps_what_names_the_row() -> None:
    tokenizer = build_tokenizer("bert")
    model = build_spert(scale=3.0, backbone={"vocab_size": len(tokenizer)})
    row = {**build_rows(1, seed=3)[0], "doc_id": "d", "sentence_index": 0}
    example = extraction_to_example(row, predict_examples(model, tokenizer, [row])[0])
    assert (example["orig_id"], example["doc_id"], example["sentence_index"]) == (row["orig_id"], "d", 0)
    assert example["tokens"] == row["tokens"] and all("score" in entity for entity in example["entities"])
