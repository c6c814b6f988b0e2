"""A user's own folder or file: layouts, formats, labels, bad rows."""

import json
import logging

import pytest

from datasets_scripts import BadRowError, count_wide_entities, load_joint_dataset
from datasets_scripts.folder_layout import lay_out_folder


def row(*words: str, entities=(), relations=(), **more) -> dict:
    return {
        "tokens": list(words),
        "entities": [{"type": label, "start": start, "end": end} for label, start, end in entities],
        "relations": [{"type": label, "head": head, "tail": tail} for label, head, tail in relations],
        **more,
    }


ADA = row("Ada", "left", "Vell", entities=[("Peop", 0, 1), ("Loc", 2, 3)], relations=[("Left", 0, 1)])
BEN = row("Ben", "slept", entities=[("Peop", 0, 1)])
RAIN = row("It", "rains")
TYPES = {"entities": {"Peop": {}, "Loc": {}}, "relations": {"Near": {"symmetric": True}, "Left": {}}}


def write_json(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_lines(path, rows):
    path.write_text("".join(json.dumps(item) + "\n" for item in rows), encoding="utf-8")
    return path


def test_own_files_folder_with_types_keeps_their_order(tmp_path):
    write_json(tmp_path / "train.json", [ADA, RAIN])
    write_lines(tmp_path / "dev.jsonl", [BEN])
    write_json(tmp_path / "types.json", TYPES)
    dataset = load_joint_dataset(str(tmp_path))
    assert list(dataset.splits) == ["train", "dev"]
    assert dataset.entity_types == ("Peop", "Loc")
    assert dataset.relation_types == ("Near", "Left")
    assert dataset.symmetric_relation_types == ("Near",)
    assert dataset.name == tmp_path.name
    assert dataset.splits["train"][0] == ADA | {"orig_id": "0"}
    assert dataset.counts() == {"train": (2, 2, 1), "dev": (1, 1, 0)}
    assert dataset.skipped == ()


def test_own_files_without_types_collect_them_sorted_from_training(tmp_path):
    write_json(tmp_path / "news_train.json", [ADA])
    write_json(tmp_path / "news_test.json", [BEN])
    dataset = load_joint_dataset(tmp_path)
    assert (dataset.entity_types, dataset.relation_types) == (("Loc", "Peop"), ("Left",))
    assert dataset.name == "news"


def test_own_files_label_that_training_lacks_is_known(tmp_path):
    """The usual case with few annotations: a rare label is in dev or test only. It comes after the trained ones."""
    write_json(tmp_path / "train.json", [BEN])
    write_json(tmp_path / "dev.json", [BEN, ADA])
    dataset = load_joint_dataset(tmp_path)
    assert (dataset.entity_types, dataset.relation_types) == (("Peop", "Loc"), ("Left",))
    facts = dataset.facts("train", "dev", max_span_width=10)
    assert facts["train"]["entity_types"].keys() == {"Peop"} and facts["eval"]["entity_types"].keys() == {"Loc", "Peop"}


def test_own_files_label_that_types_json_lacks_is_an_error(tmp_path):
    write_json(tmp_path / "train.json", [BEN])
    write_json(tmp_path / "dev.json", [BEN, ADA])
    write_json(tmp_path / "types.json", {"entities": {"Peop": {}}, "relations": {"Left": {}}})
    with pytest.raises(BadRowError) as caught:
        load_joint_dataset(tmp_path)
    message = str(caught.value)
    assert f"{tmp_path / 'dev.json'}, row 1: entities[1].type is 'Loc', which is not among the known types" in message
    assert "--on_bad_row skip; in Python on_bad_row='skip'" in message
    assert (caught.value.row, caught.value.field) == (1, "entities[1].type")


def test_own_files_skipped_training_rows_give_no_labels(tmp_path):
    bad = row("Oh", entities=[("Ghost", 0, 2)])
    write_json(tmp_path / "train.json", [ADA, bad])
    dataset = load_joint_dataset(tmp_path, on_bad_row="skip")
    assert dataset.entity_types == ("Loc", "Peop")


def test_own_files_splits_without_training_need_types(tmp_path):
    write_json(tmp_path / "dev.json", [ADA])
    write_json(tmp_path / "test.json", [ADA])
    with pytest.raises(ValueError, match="no types.json and no train split"):
        load_joint_dataset(tmp_path)
    write_json(tmp_path / "types.json", TYPES)
    assert list(load_joint_dataset(tmp_path).splits) == ["dev", "test"]


def test_own_files_training_without_entities_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"train.json has no entity to collect labels from; put a types.json"):
        load_joint_dataset(write_json(tmp_path / "train.json", [RAIN]))


def test_own_files_entity_only_data_have_no_relation_type(tmp_path):
    entity_only = {key: value for key, value in BEN.items() if key != "relations"}
    dataset = load_joint_dataset(write_lines(tmp_path / "anything.jsonl", [entity_only, entity_only]))
    assert dataset.relation_types == ()
    assert dataset.splits["train"]["relations"] == [[], []]
    assert dataset.splits["train"].features["relations"].feature["head"].dtype == "int64"
    assert dataset.name == "anything"


@pytest.mark.parametrize(
    ("name", "split"),
    [("test.json", "test"), ("a_dev.jsonl", "dev"), ("x_train_dev.json", "train_dev"), ("y.json", "train")],
)
def test_own_files_single_file_is_the_split_its_name_says(tmp_path, name, split):
    dataset = load_joint_dataset(write_lines(tmp_path / name, [ADA]))
    assert list(dataset.splits) == [split]


def test_own_files_single_file_takes_the_types_beside_it(tmp_path):
    write_json(tmp_path / "types.json", TYPES)
    assert load_joint_dataset(write_json(tmp_path / "mine.json", [ADA])).entity_types == ("Peop", "Loc")


def test_own_files_types_of_another_prefix_are_not_taken(tmp_path):
    write_json(tmp_path / "sports_types.json", TYPES)
    write_json(tmp_path / "corpus_types.json", TYPES)
    write_json(tmp_path / "corpus_split_0_train.json", [ADA])
    assert load_joint_dataset(tmp_path).entity_types == ("Peop", "Loc")
    (tmp_path / "corpus_types.json").unlink()
    assert load_joint_dataset(tmp_path).entity_types == ("Loc", "Peop")


def test_own_files_numbers_and_missing_ids_become_strings(tmp_path):
    rows = [ADA | {"orig_id": 17}, ADA | {"orig_id": "x"}, ADA, ADA | {"orig_id": None}]
    dataset = load_joint_dataset(write_json(tmp_path / "train.json", rows))
    assert dataset.splits["train"]["orig_id"] == ["17", "x", "2", "3"]


def test_own_files_documents_of_some_rows_make_columns_for_all(tmp_path):
    write_json(tmp_path / "train.json", [ADA | {"doc_id": "d", "sentence_index": 1}, BEN])
    write_json(tmp_path / "dev.json", [BEN])
    splits = load_joint_dataset(tmp_path).splits
    assert splits["train"]["doc_id"] == ["d", None]
    assert splits["train"]["sentence_index"] == [1, None]
    assert splits["dev"].features == splits["train"].features


def test_own_files_two_sentences_in_one_place_are_an_error(tmp_path):
    place = {"doc_id": "d", "sentence_index": 1}
    path = write_json(tmp_path / "train.json", [ADA | place, BEN | place])
    with pytest.raises(BadRowError, match="row 1: sentence_index is 1 in document 'd', as in row 0"):
        load_joint_dataset(path)


def test_own_files_skip_counts_and_lists_bad_rows(tmp_path, caplog):
    path = tmp_path / "train.jsonl"
    path.write_text(f'{json.dumps(ADA)}\n\n{{"tokens": \n{json.dumps(row("", "b"))}\n{json.dumps(BEN)}\n')
    with caplog.at_level(logging.WARNING):
        dataset = load_joint_dataset(path, on_bad_row="skip")
    assert dataset.splits["train"]["tokens"] == [ADA["tokens"], BEN["tokens"]]
    assert dataset.splits["train"]["orig_id"] == ["0", "3"]  # row numbers stay those of the file
    assert [(skipped.file, skipped.row) for skipped in dataset.skipped] == [(str(path), 1), (str(path), 2)]
    assert "row 1 (line 3): malformed JSON" in dataset.skipped[0].message
    assert "row 2 (line 4): tokens[0] is ''" in dataset.skipped[1].message
    assert "skipped 2 of 4 rows" in caplog.text


def test_own_files_malformed_line_is_an_error_with_its_number(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(ADA) + '\n{"tokens": ["a",]}\n')
    with pytest.raises(BadRowError, match=r"train.jsonl, row 1 \(line 2\): malformed JSON"):
        load_joint_dataset(path)


def test_own_files_nothing_left_after_skipping_is_an_error(tmp_path):
    path = write_json(tmp_path / "train.json", [row("")])
    with pytest.raises(ValueError, match="every row was skipped"):
        load_joint_dataset(path, on_bad_row="skip")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"[]", "holds no rows"),
        (b"tokens,entities\n", "starts with 't'; it must be a JSON array of rows or JSON Lines"),
        (b'[{"tokens": ["a"],\n "entities": [}]', "line 2, column 15: malformed JSON"),
        (b'[{"tokens": ["\xff"]}]', "is not UTF-8"),
        (b"[" * 100_000, "JSON that cannot be read"),
    ],
)
def test_own_files_unreadable_file_is_an_error_with_its_name(tmp_path, content, message):
    path = tmp_path / "train.json"
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        load_joint_dataset(path, on_bad_row="skip")
    assert str(path) in str(caught.value) and message in str(caught.value)


def test_own_files_line_separators_inside_words_do_not_split_lines(tmp_path):
    path = tmp_path / "train.jsonl"
    line = json.dumps(row("a\u2028b", "c\x85d", entities=[("Odd", 0, 1)]), ensure_ascii=False)
    path.write_bytes(("\ufeff" + line + "\r\n").encode())
    assert load_joint_dataset(path).splits["train"]["tokens"] == [["a\u2028b", "c\x85d"]]


def test_own_files_unreadable_parquet_is_an_error_with_its_name(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ValueError, match="train.parquet is not a readable Parquet file"):
        load_joint_dataset(tmp_path)


def test_own_files_folder_without_data_says_what_it_found(tmp_path):
    write_json(tmp_path / "notes.json", [])
    with pytest.raises(ValueError, match=r"holds no data: expected files such as train.json.*found notes.json"):
        load_joint_dataset(tmp_path)


def test_own_files_two_files_for_a_split_are_ambiguous(tmp_path):
    for prefix in ("a", "b"):
        write_json(tmp_path / f"{prefix}_train.json", [ADA])
    with pytest.raises(ValueError, match="several files for the split 'train': a_train.json, b_train.json"):
        lay_out_folder(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("conll5",), FileNotFoundError, "'conll5' is neither the name of a data set (conll04, scierc,"),
        (("demo", "somewhere"), ValueError, "data_dir goes with the benchmarks"),
        (("./own", "somewhere"), ValueError, "name your own folder or file directly"),
        (("conll04", None, 3), ValueError, "fold goes with 'ade' only, got fold=3"),
        (("ade",), ValueError, "'ade' needs a fold from 0 to 9, got fold=None"),
        (("ade", None, 10), ValueError, "got fold=10"),
        (("ade", None, True), ValueError, "got fold=True"),
        (("demo", None, None, "ignore"), ValueError, "on_bad_row must be 'raise' or 'skip', got 'ignore'"),
        (("scierc_documents",), ValueError, "with data_dir (--data_dir)"),
    ],
)
def test_own_files_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error) as caught:
        load_joint_dataset(*arguments)
    assert message in str(caught.value)


def test_joint_dataset_select_concatenates_in_the_given_order(tmp_path):
    write_json(tmp_path / "train.json", [ADA])
    write_json(tmp_path / "dev.json", [BEN, RAIN])
    dataset = load_joint_dataset(tmp_path)
    assert dataset.select("dev + train")["tokens"] == [BEN["tokens"], RAIN["tokens"], ADA["tokens"]]
    assert dataset.select("dev")["tokens"] == [BEN["tokens"], RAIN["tokens"]]
    assert dataset.select("train+dev").features == dataset.splits["train"].features


@pytest.mark.parametrize(
    ("splits", "message"),
    [("test", "no split 'test'.*it has: train"), ("train+", "no split ''"), ("train+train", "names a split twice")],
)
def test_joint_dataset_select_names_what_is_wrong(tmp_path, splits, message):
    dataset = load_joint_dataset(write_json(tmp_path / "train.json", [ADA]))
    with pytest.raises(ValueError, match=message):
        dataset.select(splits)


def test_joint_dataset_is_frozen(tmp_path):
    dataset = load_joint_dataset(write_json(tmp_path / "train.json", [ADA]))
    with pytest.raises(AttributeError):
        dataset.name = "other"  # type: ignore[misc]


def test_count_wide_entities_counts_by_words(tmp_path):
    rows = [row(*"abcdef", entities=[("X", 0, 3), ("X", 1, 3), ("X", 0, 6)]), row("a", entities=[("X", 0, 1)])]
    dataset = load_joint_dataset(write_json(tmp_path / "train.json", rows))
    assert [count_wide_entities(dataset.select("train"), width) for width in (1, 2, 3, 6)] == [3, 2, 1, 0]


def test_demo_corpus_loads_and_passes_validation():
    dataset = load_joint_dataset("demo")
    assert list(dataset.splits) == ["train", "dev", "test", "test_plain"]
    assert dataset.name == "demo" and len(dataset.relation_types) >= 5
    assert len(dataset.splits["train"]) >= 600 and len(dataset.splits["test"]) >= 200


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"tokens": ["a"], "tokens": ["b"], "entities": []}', "row 0.*: the row has the key 'tokens' twice"),
        (
            '{"tokens": ["a"], "entities": [{"type": "X", "start": 0, "end": 1, "type": "Y"}]}',
            r"row 0.*: entities\[0\] has the key 'type' twice",
        ),
        (
            '{"doc_key": "d", "sentences": [["a"]], "ner": [[]], "ner": [[]]}',
            "row 0.*: the row has the key 'ner' twice",
        ),
    ],
)
@pytest.mark.parametrize("form", ["[{}]", "{}"])
def test_own_files_refuse_a_key_that_comes_twice(tmp_path, row, message, form):
    (tmp_path / "train.json").write_text(form.replace("{}", row))
    with pytest.raises(ValueError, match=message):
        load_joint_dataset(tmp_path)


def test_own_files_sentence_index_has_an_upper_bound(tmp_path):
    row = {"tokens": ["a"], "entities": [], "relations": [], "doc_id": "d", "sentence_index": 10**30}
    (tmp_path / "train.json").write_text(json.dumps([row]))
    with pytest.raises(ValueError, match="it must be from 0 to 2\\^63 - 1"):
        load_joint_dataset(tmp_path)


def test_path_that_does_not_exist_names_the_nearest(tmp_path, monkeypatch):
    (tmp_path / "my_data").mkdir()
    with pytest.raises(FileNotFoundError, match=rf"; did you mean {tmp_path / 'my_data'}\?$"):
        load_joint_dataset(tmp_path / "my_dta")
    monkeypatch.chdir(tmp_path)
    for name, nearest in (("my_dta", "my_data"), ("./my_dta", "my_data"), ("scirc", "scierc")):
        with pytest.raises(FileNotFoundError, match=rf"; did you mean {nearest}\?$"):
            load_joint_dataset(name)
    for name in ("zzz", "no/such/my_dta"):
        with pytest.raises(FileNotFoundError, match="existing folder or file$"):
            load_joint_dataset(name)
