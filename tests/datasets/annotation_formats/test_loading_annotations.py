"""load_joint_dataset takes annotations of a plain form, says what became of them, and leaves its own files alone."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from datasets_scripts import load_joint_dataset

LINE = json.dumps(
    {
        "text": "Velorin causes rash. Zorab does not.",
        "entities": [{"start": 0, "end": 7, "label": "Drug"}, {"start": 15, "end": 19, "label": "Effect"}],
        "relations": [{"head": 0, "tail": 1, "label": "causes"}],
    }
)
ROW = {"tokens": ["Velorin"], "entities": [{"type": "Drug", "start": 0, "end": 1}], "relations": []}


def brat(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text("Velorin causes rash.")
        (folder / f"{name}.ann").write_text(
            "T1\tDrug 0 7\tVelorin\nT2\tEffect 15 19\trash\nR1\tcauses Arg1:T1 Arg2:T2\nA1\tNegation T2\n"
        )
    return folder


def test_load_a_brat_folder_and_be_told_what_was_lost(tmp_path, caplog):
    source = brat(tmp_path / "abstracts", *(f"a{number}" for number in range(10)))
    with caplog.at_level(logging.WARNING):
        dataset = load_joint_dataset(source)
    assert dataset.counts() == {"train": (8, 16, 8), "dev": (1, 2, 1), "test": (1, 2, 1)}
    assert (dataset.name, dataset.entity_types) == ("abstracts", ("Drug", "Effect"))
    assert "was read as brat" in caplog.text and "10  attributes (Negation 10)" in caplog.text
    first = dataset.splits["train"][0]
    assert first["tokens"] == ["Velorin", "causes", "rash", "."] and first["sentence_index"] == 0


def test_load_answers_of_the_pipeline_and_files_of_splits(tmp_path):
    (tmp_path / "answers.jsonl").write_text(f"{LINE}\n" * 10)
    assert load_joint_dataset(tmp_path / "answers.jsonl").counts()["train"] == (16, 16, 8)
    folder = tmp_path / "splits"
    folder.mkdir()
    for split in ("train", "test"):
        (folder / f"{split}.jsonl").write_text(f"{LINE}\n")
    assert list(load_joint_dataset(folder).splits) == ["train", "test"]


def test_load_skips_bad_documents_where_asked_and_lists_them(tmp_path):
    source = brat(tmp_path / "in", "a", "b")
    (source / "b.txt").write_text("Something else entirely.")
    with pytest.raises(ValueError, match=r"b.ann, line 1: T1 says 'Velorin'"):
        load_joint_dataset(source)
    (skipped,) = load_joint_dataset(source, on_bad_row="skip").skipped
    assert "b.ann, line 1" in skipped.message and skipped.row == -1


def test_load_own_files_next_to_other_things_as_before(tmp_path):
    (tmp_path / "train.json").write_text(json.dumps([ROW]))
    brat(tmp_path / "raw", "a")
    assert load_joint_dataset(tmp_path).counts() == {"train": (1, 1, 0)}
    (tmp_path / "test.json").write_text("[7]")
    with pytest.raises(ValueError, match="test.json, row 0: the row is 7"):
        load_joint_dataset(tmp_path)


def test_load_does_not_import_what_a_format_needs_until_one_is_read():
    code = (
        "import sys, datasets_scripts.annotation_formats as f; "
        "found = {'spacy', 'cassis', 'modeling_spert', 'torch'} & set(sys.modules); "
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
