"""Words cut where annotated entities need it: the data, `types.json`, and a model that cuts raw text the same way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_models import save_backbone
from transformers import pipeline

from datasets_scripts import load_joint_dataset
from datasets_scripts.annotation_formats import convert
from datasets_scripts.checking import check_dataset
from datasets_scripts.parquet_folder import write_parquet
from modeling_spert.segmentation_rules_spert import rules_of_settings
from modeling_spert.segmentation_spert import segment
from spert_cli import main

# A spaced hyphen and IL-2 would mislead a count of the words: the rules must come from the choice.
TEXTS = (
    ("An EGFR-positive cell met IL-2 - twice.", ["EGFR"]),
    ("The MTX-based cure is well-known.", ["MTX"]),
    ("Zorab and Velorin do not mix.", ["Zorab", "Velorin"]),
)


def write_source(folder: Path, texts=TEXTS) -> Path:
    rows = []
    for number, (text, names) in enumerate(texts * 4):
        spans = [(text.index(name), text.index(name) + len(name)) for name in names]
        entities = [{"start": start, "end": end, "label": "Name"} for start, end in spans]
        rows.append({"doc_id": f"d{number}", "text": text, "entities": entities, "relations": []})
    path = folder / "all.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def entity_texts(folder: Path) -> set[str]:
    splits = load_joint_dataset(folder).splits.values()
    return {" ".join(row["tokens"][e["start"] : e["end"]]) for rows in splits for row in rows for e in row["entities"]}


def test_split_words_never_widens_and_says_what_would_help(tmp_path: Path) -> None:
    report = convert(write_source(tmp_path), "offsets", tmp_path / "out")
    assert entity_texts(tmp_path / "out") == {"EGFR-positive", "MTX-based", "Zorab", "Velorin"}
    hint = "words: spert convert … --split_words annotated --overwrite would keep the annotated ends of 8 entities "
    hint += "(split_hyphens: letters)"
    assert hint in report.render()


def test_check_reports_the_entities_that_were_widened(tmp_path: Path) -> None:
    """Of a converted folder and of annotations that are read directly; none where the cuts keep all."""
    source = write_source(tmp_path)
    convert(source, "offsets", tmp_path / "out")
    convert(source, "offsets", tmp_path / "cut", split_words="annotated")
    for place in (tmp_path / "out", source):
        findings = {finding.code: finding for finding in check_dataset(load_joint_dataset(place)).findings}
        assert findings["widened_entities"].count == 8
        message = findings["widened_entities"].message
        assert message.startswith("8 entities widened to whole words") and "'EGFR' is now 'EGFR-positive'" in message
    assert "widened_entities" not in {
        finding.code for finding in check_dataset(load_joint_dataset(tmp_path / "cut")).findings
    }
    (tmp_path / "out" / "conversion.json").write_text('{"changed": 3}', encoding="utf-8")  # not a report of ours
    assert check_dataset(load_joint_dataset(tmp_path / "out")).findings


def test_split_words_annotated_makes_entities_exact_and_records_the_cuts(tmp_path: Path) -> None:
    report = convert(write_source(tmp_path), "offsets", tmp_path / "out", split_words="annotated")
    assert entity_texts(tmp_path / "out") == {"EGFR", "MTX", "Zorab", "Velorin"}
    assert "widened" not in report.to_dict()["changed"] and "split_hyphens: letters" in report.render()
    cuts = {"split_hyphens": "letters", "split_slashes": "never", "split_units": False}
    dataset = load_joint_dataset(tmp_path / "out")
    assert dataset.segmentation == cuts
    assert load_joint_dataset(write_parquet(dataset, tmp_path / "parquet")).segmentation == cuts


@pytest.mark.parametrize(
    ("text", "name", "cuts"),
    [
        ("They gave IL-2 at once.", "IL", {"split_hyphens": "always"}),
        ("They gave Zorab/Velorin at once.", "Zorab", {"split_slashes": "letters"}),
        ("They gave Zorab-x and 12mg at once.", "12", {"split_units": True}),
        ("They gave ZorabX-ray at once.", "Zorab", {}),  # no rule cuts there
    ],
)
def test_split_words_annotated_makes_the_fewest_cuts(tmp_path: Path, text: str, name: str, cuts: dict) -> None:
    report = convert(write_source(tmp_path, ((text, [name]),)), "offsets", tmp_path / "out", split_words="annotated")
    none = {"split_hyphens": "never", "split_slashes": "never", "split_units": False}
    assert load_joint_dataset(tmp_path / "out").segmentation == none | cuts
    assert bool(report.to_dict()["changed"]) == (not cuts)


def test_split_words_annotated_refuses_words_that_are_given(tmp_path: Path) -> None:
    rows = [{"tokens": ["a", "MTX-based", "cure"], "entities": [{"type": "X", "start": 1, "end": 2}], "relations": []}]
    (tmp_path / "train.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(ValueError, match="split_words is 'annotated', but the source has words of its own"):
        convert(tmp_path, "spert", tmp_path / "out", split_words="annotated")


@pytest.mark.parametrize("split_words", ["never", "annotated"])
def test_pipeline_of_a_trained_model_cuts_text_as_its_data_were_cut(tmp_path: Path, split_words: str) -> None:
    data, model = str(tmp_path / "data"), str(tmp_path / "model")
    source = str(write_source(tmp_path))
    assert main(["convert", source, "--from", "offsets", "--output", data, "--split_words", split_words]) == 0
    save_backbone("bert", tmp_path / "encoder")
    arguments = ["--output_dir", model, "--backbone", str(tmp_path / "encoder"), "--max_steps", "2"]
    assert main(["train", data, *arguments]) == 0
    extract = pipeline("joint-extraction", model=model)
    files = [tmp_path / "data" / f"{name}.json" for name in ("train", "dev", "test")]
    rows = [row for file in files for row in json.loads(file.read_text("utf-8"))]
    assert len(rows) == 12
    config = json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))
    assert config["segmentation"]["split_hyphens"] == ("letters" if split_words == "annotated" else "never")
    for row in rows:
        words = segment(row["text"], rules_of_settings(extract.model.config.segmentation))
        assert [[word.start, word.end] for sentence in words for word in sentence] == row["offsets"]
    if split_words == "annotated":  # the pipeline itself: the whole of EGFR is a word, not inside one
        answer = extract({"text": TEXTS[0][0], "entities": [{"start": 3, "end": 7, "label": "Name"}]})
        assert answer["entities"][0]["words"] == [1, 2] and answer["entities"][0]["text"] == "EGFR"


def test_training_names_a_setting_of_types_json_that_does_not_exist(tmp_path: Path, capsys) -> None:
    convert(write_source(tmp_path), "offsets", tmp_path / "data")
    path = tmp_path / "data" / "types.json"
    types = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(types | {"segmentation": {"split_dashes": "letters"}}), encoding="utf-8")
    save_backbone("bert", tmp_path / "encoder")
    arguments = ["--output_dir", str(tmp_path / "model"), "--backbone", str(tmp_path / "encoder"), "--max_steps", "2"]
    assert main(["train", str(tmp_path / "data"), *arguments]) == 2
    assert "types.json of data, segmentation: unknown segmentation setting 'split_dashes'" in capsys.readouterr().err
