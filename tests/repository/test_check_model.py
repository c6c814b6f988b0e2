"""benchmarks/check_model.py: checks of a model that finds something, and the tables they are printed in."""

import doctest
import json
from pathlib import Path

import pytest
from tiny_data import build_rows
from tiny_models import build_spert, build_tokenizer

from benchmarks import check_model
from modeling_spert.evaluation import predict_examples


def test_examples_of_the_checks() -> None:
    assert doctest.testmod(check_model).attempted == 1 and not doctest.testmod(check_model).failed


def test_checks_of_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokenizer = build_tokenizer("scibert")  # cased: other letters are other words
    model = build_spert(scale=3.0, backbone={"vocab_size": len(tokenizer)}, entity_types=["Per", "Org", "x"])
    rows = [{**row, "relations": [{"type": "r", "head": 0, "tail": 1}]} for row in build_rows(4, seed=3)]
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "rows.json").write_text(json.dumps(rows), "utf-8")
    argv = [str(tmp_path / "model"), str(tmp_path / "rows.json"), "--relation_free", str(tmp_path / "rows.json")]
    assert check_model.main([*argv, "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)
    found = predict_examples(model, tokenizer, rows, relation_threshold=0.5)
    assert checks["invented_by_threshold"]["0.5"] == 100 * sum(len(e.relations) for e in found) / 4 > 0
    assert checks["as_is"]["relations"] == checks["by_threshold"]["0.4"]
    assert checks["as_is"] != checks["capitals"] or checks["as_is"] != checks["small_letters"]
    given = check_model.relate_gold_entities(model, tokenizer, rows)
    for predicted, gold in zip(given, rows, strict=True):
        assert [(e["start"], e["end"], e["type"]) for e in predicted["entities"]] == [
            (e["start"], e["end"], e["type"]) for e in gold["entities"]
        ]
    assert checks["gold_entities"] == check_model.f1(rows, given)["relations"]
    assert check_model.main(argv) == 0
    assert "| gold entities given |  |" in capsys.readouterr().out
