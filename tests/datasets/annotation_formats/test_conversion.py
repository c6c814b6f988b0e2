"""convert and convert_out: folders written whole or not at all, arguments, the report, and loading the result."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from datasets_scripts import load_joint_dataset
from datasets_scripts.annotation_formats import FORMATS_IN, FORMATS_OUT, convert, convert_out, load_annotations

TEXT = "Velorin causes rash. Zorab does not."


def source(folder: Path, count: int = 10, across: bool = False) -> Path:
    rows = []
    for number in range(count):
        tail = {"start": 21, "end": 26, "label": "Drug"} if across else {"start": 15, "end": 19, "label": "Effect"}
        entities = [{"start": 0, "end": 7, "label": "Drug"}, tail]
        relations = [{"head": 0, "tail": 1, "label": "causes"}]
        rows.append({"doc_id": f"d{number}", "text": TEXT, "entities": entities, "relations": relations})
    path = folder / "all.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_convert_writes_splits_types_and_report_that_load(tmp_path):
    report = convert(source(tmp_path), "offsets", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "conversion.json",
        "dev.json",
        "test.json",
        "train.json",
        "types.json",
    ]
    dataset = load_joint_dataset(tmp_path / "out")
    assert dataset.counts() == {"train": (16, 16, 8), "dev": (2, 2, 1), "test": (2, 2, 1)}
    assert dataset.entity_types == ("Drug", "Effect")
    assert {name: size.documents for name, size in report.splits.items()} == {"train": 8, "dev": 1, "test": 1}
    assert json.loads((tmp_path / "out" / "conversion.json").read_text()) == report.to_dict()


def test_convert_chooses_documents_where_relations_cross_sentences(tmp_path):
    report = convert(source(tmp_path, across=True), "offsets", tmp_path / "out")
    assert report.unit == "document" and report.kept.relations == 10
    report = convert(source(tmp_path, across=True), "offsets", tmp_path / "out", unit="sentence", overwrite=True)
    assert report.lost("relation") == 10
    assert "10  relations across sentences (causes 10); first in d0: Velorin –causes→ Zorab" in report.render()


def test_convert_labels_of_every_split_are_known(tmp_path):
    path = source(tmp_path, count=3)
    lines = zip(path.read_text().splitlines(), ("train", "dev", "test"), strict=True)
    rows = [json.loads(line) | {"split": split} for line, split in lines]
    rows[2]["entities"][0]["label"] = "OnlyInTest"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    convert(path, "offsets", tmp_path / "out")
    assert "OnlyInTest" in load_joint_dataset(tmp_path / "out").entity_types


def test_convert_is_the_same_for_a_seed(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        convert(source(tmp_path), "offsets", tmp_path / name, seed=seed)
    texts = [(tmp_path / name / "train.json").read_text() for name in "abc"]
    assert texts[0] == texts[1] != texts[2]


def test_convert_with_a_splitter_does_without_the_projects_segmentation(tmp_path):
    def one_word(text: str) -> list[list[tuple[int, int]]]:
        return [[(0, len(text))]]

    converted = load_annotations(source(tmp_path, count=1), splitter=one_word)
    assert converted.rows["train"][0]["tokens"] == [TEXT]


def test_convert_refuses_a_folder_that_holds_something_and_replaces_only_its_own(tmp_path):
    path = source(tmp_path)
    convert(path, "offsets", tmp_path / "out")
    before = (tmp_path / "out" / "train.json").read_bytes()
    with pytest.raises(FileExistsError, match=r"out is not empty; name another folder, or replace it with overwrite"):
        convert(path, "offsets", tmp_path / "out")
    convert(path, "offsets", tmp_path / "out", overwrite=True, seed=1)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not a folder of converted data"):
        convert(path, "offsets", tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "train.json").read_bytes() != before
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    with pytest.raises(FileExistsError, match="exists and is not a folder"):
        convert(path, "offsets", path, overwrite=True)


def test_convert_that_fails_leaves_nothing_behind(tmp_path):
    path = source(tmp_path)
    path.write_text(path.read_text() + '{"text": 7}\n')
    with pytest.raises(ValueError, match="line 11"):
        convert(path, "offsets", tmp_path / "out")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["all.jsonl"]


def test_convert_out_that_fails_while_writing_keeps_the_old_folder(tmp_path, monkeypatch):
    path = source(tmp_path)
    convert_out(path, "brat", tmp_path / "out")
    before = sorted(entry.name for entry in (tmp_path / "out").iterdir())

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        convert_out(path, "brat", tmp_path / "out", overwrite=True)
    monkeypatch.undo()
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["all.jsonl", "out"]


def test_convert_out_replaces_only_what_it_wrote_for_the_same_tool(tmp_path):
    path = source(tmp_path)
    convert_out(path, "doccano", tmp_path / "out")
    with pytest.raises(FileExistsError, match="is not empty"):
        convert_out(path, "doccano", tmp_path / "out")
    with pytest.raises(FileExistsError, match="is not a folder of converted data"):
        convert_out(path, "offsets", tmp_path / "out", overwrite=True)
    assert convert_out(path, "doccano", tmp_path / "out", overwrite=True).kept == (10, 20, 10)


def test_convert_out_writes_a_file_per_split_of_our_folder(tmp_path):
    convert(source(tmp_path), "offsets", tmp_path / "ours")
    for tool, suffix in (("label-studio", "json"), ("doccano", "jsonl"), ("offsets", "jsonl")):
        convert_out(tmp_path / "ours", tool, tmp_path / tool)
        names = {f"{split}.{suffix}" for split in ("train", "dev", "test")}
        assert names <= {path.name for path in (tmp_path / tool).iterdir()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "page"}, "unit must be one of sentence, document, auto, got 'page'"),
        ({"split": (0.9, 0.2, 0.1)}, "split must be three fractions that add up to 1"),
        ({"discontinuous": "keep"}, "discontinuous must be one of widen, drop, got 'keep'"),
        ({"offset_unit": "bytes"}, "offset_unit must be one of auto, code-points, utf-16, got 'bytes'"),
        ({"on_bad": "ignore"}, "on_bad must be one of raise, skip, got 'ignore'"),
    ],
)
def test_convert_wrong_argument_is_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        convert(source(tmp_path), "offsets", tmp_path / "out", **options)


def test_convert_out_wrong_format_is_named(tmp_path):
    with pytest.raises(ValueError, match="to must be one of brat, label-studio, doccano, spacy, offsets, got 'word'"):
        convert_out(source(tmp_path), "word", tmp_path / "out")


def test_convert_without_any_entity_says_so(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "It rains.", "entities": []}\n')
    with pytest.raises(ValueError, match="holds no entity to learn from"):
        convert(tmp_path / "a.jsonl", "offsets", tmp_path / "out")


def test_formats_are_those_that_the_command_offers():
    assert FORMATS_IN == (
        "brat", "label-studio", "doccano", "inception", "conll", "spacy", "dygie", "spert", "offsets", "csv",
    )  # fmt: skip
    assert FORMATS_OUT == ("brat", "label-studio", "doccano", "spacy", "offsets")


def test_convert_a_pipe_is_refused_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(ValueError, match="is not an ordinary file"):
        convert(tmp_path / "a.jsonl", "offsets", tmp_path / "out")
