"""What a row is, and that all that names rows says so: data card, facts, check, training, model card, report."""

from pathlib import Path

import pytest
from tiny_models import save_backbone

from datasets_scripts import load_joint_dataset
from datasets_scripts.annotation_formats import convert
from datasets_scripts.parquet_folder import write_parquet
from datasets_scripts.row_units import count_sentences, row_unit
from spert_cli import main

FACT = "Zorab causes rash. Nobody knew. It went."


def write_source(folder: Path) -> Path:
    """Brat files with a relation in the first sentence, and one into the third."""
    folder.mkdir()
    for number in range(20):
        rows = ["T1\tDrug 0 5\tZorab", "T2\tEffect 13 17\trash", "T3\tDrug 32 34\tIt"]
        rows += ["R1\tcauses Arg1:T1 Arg2:T2", "R2\tsame Arg1:T1 Arg2:T3"]
        (folder / f"{number}.txt").write_text(FACT, encoding="utf-8")
        (folder / f"{number}.ann").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_row_unit_needs_most_rows_to_hold_several_sentences():
    one, two = ["Go", "."], ["Go", ".", "Now", "!"]
    assert row_unit([one, two]) == "sentence" and row_unit([one, two, two]) == "document" and row_unit([]) == "sentence"
    assert row_unit([["e.g", ".", "a", "."]]) == "sentence"  # no capital follows


def test_count_sentences_counts_a_relation_in_both_of_its_sentences():
    row = {
        "tokens": ["A", "came", ".", "It", "rained", ".", "B", "left", "."],
        "entities": [{"type": "x", "start": 0, "end": 1}, {"type": "x", "start": 6, "end": 7}],
        "relations": [{"type": "r", "head": 0, "tail": 1}],
    }
    assert count_sentences([row], "document") == (3, 1, 1)
    assert count_sentences([row | {"relations": []}], "sentence") == (1, 0, 1)


@pytest.mark.parametrize(("unit", "other"), [("document", "sentence"), ("sentence", "document")])
def test_every_report_names_the_unit_of_the_rows(tmp_path: Path, capsys, unit: str, other: str) -> None:
    data, model, report = (str(tmp_path / name) for name in ("data", "model", "report.html"))
    convert(write_source(tmp_path / "brat"), "brat", data, unit=unit)
    dataset = load_joint_dataset(data)
    assert dataset.unit == unit
    card = (write_parquet(dataset, tmp_path / "parquet") / "README.md").read_text("utf-8")
    assert f"One row is one {unit}:" in card and f"| split | {unit}s |" in card
    save_backbone("bert", tmp_path / "encoder")
    arguments = ["--output_dir", model, "--backbone", str(tmp_path / "encoder"), "--max_steps", "2"]
    assert main(["train", data, *arguments]) == 0
    count = 16 if unit == "document" else 48
    said = capsys.readouterr()
    assert f"train: {count} {unit}s, 2 steps" in said.out + said.err
    card = (tmp_path / "model" / "README.md").read_text("utf-8")
    assert f"{count} {unit}s with 48 entities" in card
    if unit == "document":
        assert "16 of its 48 sentences, in 16 documents, hold no relation." in card
        assert "relations across its sentences are found" in card and "within a sentence only" not in card
    else:
        assert "32 of its 48 training sentences hold no relation." in card
        assert "Relations are found within a sentence only; between sentences there are none." in card
    assert main(["analyse", model, data, "--split", "test", "--output", report]) == 0
    page = Path(report).read_text("utf-8")
    assert f"by length of the {unit}" in page and f"by length of the {other}" not in page
    assert f"({2 if unit == 'document' else 6} {unit}s)" in capsys.readouterr().out
