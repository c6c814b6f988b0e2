"""Conversion to Parquet: the round trip, the card, all or nothing, the command."""

import dataclasses
import json
from pathlib import Path

import datasets
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from datasets_scripts import load_joint_dataset, write_parquet
from datasets_scripts import parquet_folder as parquet_module
from datasets_scripts.convert import main
from datasets_scripts.data_card import escape_markdown
from modeling_spert.shared.markdown import escape

ROWS = [
    {
        "tokens": ["Ada", "met", "Bo", "Özil"],
        "entities": [{"type": "Peop", "start": 0, "end": 1}, {"type": "Peop", "start": 2, "end": 4}],
        "relations": [{"type": "Met", "head": 0, "tail": 1}],
        "orig_id": "1",
        "doc_id": "d",
        "sentence_index": 0,
    },
    {"tokens": ["Rain"], "entities": [], "relations": [], "orig_id": "2", "doc_id": None, "sentence_index": None},
]
TYPES = {
    "entities": {"Peop": {"short": "P", "verbose": "People"}, "Loc|x": {}},
    "relations": {"Near": {}, "Met": {"verbose": "Has met", "symmetric": True}},
}


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "train.json").write_text(json.dumps(ROWS))
    (folder / "test.json").write_text(json.dumps(ROWS[1:]))
    (folder / "types.json").write_text(json.dumps(TYPES))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_parquet_load_dataset_gives_the_same_rows(source, tmp_path):
    dataset = load_joint_dataset(source)
    folder = write_parquet(dataset, tmp_path / "out")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train", "test"]
    for split, rows in dataset.splits.items():
        assert loaded[split].to_list() == rows.to_list()
        assert loaded[split].features == rows.features
    assert loaded["train"].to_list() == ROWS


def test_parquet_load_joint_dataset_gives_the_same_dataset(source, tmp_path):
    dataset = load_joint_dataset(source)
    again = load_joint_dataset(write_parquet(dataset, tmp_path / "out"))
    for field in dataclasses.fields(dataset):
        if field.name != "splits":
            assert getattr(again, field.name) == getattr(dataset, field.name), field.name
    assert again.entity_types == ("Peop", "Loc|x") and again.symmetric_relation_types == ("Met",)
    assert again.name == "news"
    assert {split: rows.to_list() for split, rows in again.splits.items()} == {
        split: rows.to_list() for split, rows in dataset.splits.items()
    }
    assert again.splits["test"].features == dataset.splits["test"].features


def test_parquet_repeated_relations_survive_the_round_trip(source, tmp_path):
    row = {key: value for key, value in ROWS[0].items() if key not in ("doc_id", "sentence_index")}
    row["relations"] = row["relations"] * 2
    (source / "train.json").write_text(json.dumps([row]))
    (source / "types.json").write_text(json.dumps(TYPES | {"allow_repeated_relations": True}))
    folder = write_parquet(load_joint_dataset(source), tmp_path / "out")
    assert load_joint_dataset(folder).counts()["train"].relations == 2


def test_parquet_rows_are_validated_when_read_back(source, tmp_path):
    folder = write_parquet(load_joint_dataset(source), tmp_path / "out")
    types = json.loads((folder / "types.json").read_text())
    del types["relations"]["Met"]
    (folder / "types.json").write_text(json.dumps(types))
    with pytest.raises(ValueError, match=r"train.parquet, row 0: relations\[0\].type is 'Met'"):
        load_joint_dataset(folder)


def test_parquet_card_names_configs_counts_labels_and_licence(source, tmp_path):
    card = (write_parquet(load_joint_dataset(source), tmp_path / "out") / "README.md").read_text(encoding="utf-8")
    _, metadata, text = card.split("---\n", 2)
    values = yaml.safe_load(metadata)
    assert values["configs"][0]["data_files"] == [
        {"split": "train", "path": "data/train.parquet"},
        {"split": "test", "path": "data/test.parquet"},
    ]
    assert values["license"] == "unknown" and "language" not in values
    assert "| train | 2 | 2 | 1 |" in text
    assert "Met (Has met, symmetric)" in text and "Loc\\|x" in text
    assert "under which licence they may be used" in text


def test_parquet_card_of_a_benchmark_cites_it_and_names_third_parties(source, tmp_path):
    dataset = dataclasses.replace(load_joint_dataset(source), name="ade_fold_3")
    card = (write_parquet(dataset, tmp_path / "out") / "README.md").read_text(encoding="utf-8")
    assert "ADE (adverse drug events), fold 3" in card
    assert "third-party research data" in card and "Gurulingappa" in card and "license: unknown" in card


def test_parquet_card_of_the_demo_corpus_has_the_projects_licence(source, tmp_path):
    dataset = dataclasses.replace(load_joint_dataset(source), name="demo")
    card = (write_parquet(dataset, tmp_path / "out") / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card and "nothing that they state is a fact" in card


@pytest.mark.parametrize("text", ["<script>", "a|b", "_x_ [y](z)", "two\nlines", "`code`"])
def test_parquet_card_escapes_what_it_quotes(text):
    escaped = escape_markdown(text)
    assert "\n" not in escaped
    for character in "<>|_[]`":
        assert escaped.count(character) == escaped.count("\\" + character)


@given(st.text() | st.sampled_from(["https://a.example", "www.a.example", "a\u202eb", "nul\x00", "a@b"]))
def test_parquet_card_escapes_as_model_cards_do(text):
    """The two packages do not import each other; what they quote must not differ."""
    assert escape_markdown(text) == escape(text)


def test_parquet_failure_leaves_nothing(source, tmp_path, monkeypatch):
    dataset = load_joint_dataset(source)

    def fail(*arguments):
        raise OSError("no space left")

    monkeypatch.setattr(parquet_module, "render_data_card", fail)
    parent = tmp_path / "parent"
    with pytest.raises(OSError, match="no space left"):
        write_parquet(dataset, parent / "out")
    assert list(parent.iterdir()) == []


def test_parquet_failure_leaves_the_earlier_folder(source, tmp_path, monkeypatch):
    dataset = load_joint_dataset(source)
    folder = write_parquet(dataset, tmp_path / "parent" / "out")
    before = content(folder)
    real_rename = parquet_module.os.rename

    def fail_to_put_the_new_one(origin, target):
        if Path(origin).name == "new":
            raise OSError("gone")
        real_rename(origin, target)

    monkeypatch.setattr(parquet_module.os, "rename", fail_to_put_the_new_one)
    with pytest.raises(OSError, match="gone"):
        write_parquet(dataset, folder, overwrite=True)
    assert content(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_parquet_folder_is_replaced_only_when_asked(source, tmp_path):
    dataset = load_joint_dataset(source)
    folder = write_parquet(dataset, tmp_path / "out")
    before = content(folder)
    with pytest.raises(FileExistsError, match="is not empty.*--overwrite"):
        write_parquet(dataset, folder)
    assert content(folder) == before
    write_parquet(dataclasses.replace(dataset, name="other"), folder, overwrite=True)
    assert load_joint_dataset(folder).name == "other"
    assert list(tmp_path.glob(".out*")) == []


def test_parquet_folder_of_other_things_is_never_replaced(source, tmp_path):
    before = content(source)
    with pytest.raises(FileExistsError, match="is not a folder of converted data"):
        write_parquet(load_joint_dataset(source), source, overwrite=True)
    assert content(source) == before
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="exists and is not a folder"):
        write_parquet(load_joint_dataset(source), file, overwrite=True)
    assert file.read_text() == "mine"


def test_parquet_empty_folder_is_used(source, tmp_path):
    (tmp_path / "empty").mkdir()
    assert (write_parquet(load_joint_dataset(source), tmp_path / "empty") / "types.json").is_file()


def test_convert_command_writes_the_folder_and_says_what(source, tmp_path, capsys):
    (source / "dev.json").write_text(json.dumps([*ROWS, {"tokens": []}]))
    out = tmp_path / "out"
    assert main([str(source), "--output", str(out), "--on_bad_row", "skip"]) == 0
    printed = capsys.readouterr()
    assert "train: 2 sentences, 2 entities, 1 relations" in printed.out
    assert "skipped 1 rows" in printed.out and f"wrote {out}" in printed.out
    assert "dev.json, row 2: tokens is []" in printed.err
    assert "1 rows of the source were invalid" in (out / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "'nowhere' is neither"),
        (["ade"], "needs a fold from 0 to 9"),
        (["conll04", "--data_dir", "."], "does not hold conll04_train.json"),
    ],
)
def test_convert_command_reports_errors_without_a_traceback(tmp_path, capsys, arguments, message):
    assert main([*arguments, "--output", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and message in told and told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_convert_command_refuses_unknown_flags(tmp_path):
    with pytest.raises(SystemExit):
        main(["demo", "--output", str(tmp_path / "out"), "--over"])
