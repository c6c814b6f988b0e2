"""What a model claims about ordinary text: counts that add up, the threshold for a wanted rate, files of both kinds."""

import json
from pathlib import Path

import pytest
from tiny_data import build_rows
from tiny_models import build_spert, build_tokenizer

from modeling_spert import SpertModel
from modeling_spert.evaluation import extraction_to_example, predict_examples, score_examples
from modeling_spert.evaluation.ordinary_text import joined_types, main, measure_ordinary_text, threshold_for_rate
from modeling_spert.evaluation.sentence_files import read_sentences

TOKENIZER = build_tokenizer("bert")
ROWS = build_rows(12, seed=3)


def build_model(**settings) -> SpertModel:
    return build_spert(scale=3.0, backbone={"vocab_size": len(TOKENIZER)}, **settings)


def test_measures_count_what_the_model_finds():
    model = build_model()
    found = predict_examples(model, TOKENIZER, ROWS)
    relations = sum(len(extraction.relations) for extraction in found)
    pairs = sum(len(extraction.entities) * (len(extraction.entities) - 1) for extraction in found)
    measures = measure_ordinary_text(model, TOKENIZER, ROWS, wanted_rate=100 * relations / len(ROWS), batch_size=4)
    assert relations and measures["sentences"] == 12
    assert measures["relations_per_100_sentences"] == pytest.approx(100 * relations / 12)
    assert measures["relations_per_1000_pairs"] == pytest.approx(1000 * relations / pairs)
    assert measures["sentences_with_a_relation"] == pytest.approx(100 * sum(bool(e.relations) for e in found) / 12)
    # The rate at the model's own threshold is wanted: no higher one is needed.
    assert measures["threshold_for_wanted_rate"] <= measures["relation_threshold"] == 0.4
    predicted = [extraction_to_example(row, extraction) for row, extraction in zip(ROWS, found, strict=True)]
    assert measures["entity_f1"] == score_examples(ROWS, predicted)["ner_f1_micro"]


def test_measures_at_the_threshold_for_a_rate_have_that_rate():
    wanted = measure_ordinary_text(build_model(), TOKENIZER, ROWS, wanted_rate=300)["threshold_for_wanted_rate"]
    model = build_model(relation_threshold=wanted)
    at_wanted = measure_ordinary_text(model, TOKENIZER, ROWS)["relations_per_100_sentences"]
    below = measure_ordinary_text(build_model(relation_threshold=wanted - 0.01), TOKENIZER, ROWS)
    assert at_wanted <= 300 < below["relations_per_100_sentences"]


def test_measures_count_pairs_of_types_that_a_relation_joins():
    signatures = [["A", "r", "B"], ["C", "s", "A"]]
    model = build_model(relation_signatures=signatures, symmetric_relation_types=["s"])
    assert joined_types(model.config) == {("A", "B"), ("C", "A"), ("A", "C")}
    assert joined_types(build_model().config) is None


def test_measures_without_labels_or_pairs_are_none():
    rows = [{"tokens": ["a"]}]
    measures = measure_ordinary_text(build_model(relation_threshold=1.0), TOKENIZER, rows)
    assert measures["entity_f1"] is None and measures["relations_per_1000_pairs"] is None
    assert measures["relations_per_100_sentences"] == 0


@pytest.mark.parametrize(
    ("scores", "rate", "threshold"), [([], 0, 0.01), ([1.0], 0, None), ([0.5] * 6, 5, 0.51), ([0.5] * 5, 5, 0.01)]
)
def test_threshold_for_rate(scores: list[float], rate: float, threshold: float | None):
    assert threshold_for_rate(scores, 100, rate) == threshold


def test_read_sentences_reads_json_lines_and_text(tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text('{"tokens": ["a", "b"], "entities": []}\n\n{"tokens": ["c"]}\n', "utf-8")
    assert read_sentences(tmp_path / "rows.jsonl") == [{"tokens": ["a", "b"], "entities": []}, {"tokens": ["c"]}]
    (tmp_path / "text").write_text("\ufeffAda sat. She rose.\n\nIt rained.", "utf-8")
    assert [row["tokens"] for row in read_sentences(tmp_path / "text")] == [
        ["Ada", "sat", "."],
        ["She", "rose", "."],
        ["It", "rained", "."],
    ]
    (tmp_path / "rows.jsonl").write_text('{"tokens": ["a"]}\n{"tokens"', "utf-8")
    with pytest.raises(ValueError, match=r"rows\.jsonl, line 2 is not JSON"):
        read_sentences(tmp_path / "rows.jsonl")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="bytes is not text in UTF-8"):
        read_sentences(tmp_path / "bytes")


def test_main_prints_the_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    build_model().save_pretrained(tmp_path / "model")
    TOKENIZER.save_pretrained(tmp_path / "model")
    (tmp_path / "rows.json").write_text(json.dumps(ROWS), "utf-8")
    argv = [str(tmp_path / "model"), str(tmp_path / "rows.json")]
    assert main([*argv, "--json", "--wanted_rate", "7"]) == 0
    measures = json.loads(capsys.readouterr().out)
    assert measures["sentences"] == 12 and measures["wanted_rate"] == 7
    assert main(argv) == 0
    text = capsys.readouterr().out
    assert f"Relations per 100 sentences, at the model's relation threshold 0.4: {text.split('0.4: ')[1][:4]}" in text
    assert f"{measures['relations_per_100_sentences']:.2f}\n" in text and "at most 5 per 100 sentences" in text
    assert main([argv[0], str(tmp_path / "absent.txt")]) == 2
    assert capsys.readouterr().err.endswith("absent.txt: no such file\n")
    assert main([str(tmp_path / "nothing"), argv[1]]) == 2
    assert capsys.readouterr().err.count("\n") == 1
