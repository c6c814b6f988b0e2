"""Label Studio, doccano, offsets, SpERT and DyGIE: what each says and how it is read; what is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_scripts.annotation_formats import FormatError, annotated_documents, convert, convert_out, recognise
from datasets_scripts.annotation_formats.documents import Relation

TEXT = "Velorin causes rash."


def save(path: Path, content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = isinstance(content, list) and path.suffix == ".jsonl"
    text = "".join(json.dumps(row) + "\n" for row in content) if lines else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def noted(documents) -> list[str]:
    return [note.kind.name for document in documents for note in document.notes]


# --- Label Studio


def region(name: str, start: int, end: int, *labels: str, text: str = TEXT, **more) -> dict:
    value = {"start": start, "end": end, "text": text[start:end], "labels": list(labels)}
    return {"id": name, "type": "labels", "from_name": "label", "to_name": "text", "value": value, **more}


def arrow(head: str, tail: str, *labels: str, direction: str = "right") -> dict:
    return {"type": "relation", "from_id": head, "to_id": tail, "direction": direction, "labels": list(labels)}


def task(*result: dict, text: str = TEXT, **more) -> dict:
    return {"id": 7, "data": {"text": text}, "annotations": [{"result": list(result)}], **more}


DRUG, RASH = region("a", 0, 7, "Drug"), region("b", 15, 19, "Effect")


def test_label_studio_regions_and_the_three_directions(tmp_path):
    result = [DRUG, RASH, arrow("a", "b", "causes", "worsens"), arrow("a", "b", "of", direction="left")]
    result.append(arrow("a", "b", "with", direction="bi"))
    (document,) = annotated_documents(save(tmp_path / "export.json", [task(*result)]))
    assert document.doc_id == "7" and document.text == TEXT
    assert [(entity.label, entity.fragments) for entity in document.entities] == [
        ("Drug", ((0, 7),)),
        ("Effect", ((15, 19),)),
    ]
    assert document.relations == (
        Relation("causes", "a", "b"),
        Relation("worsens", "a", "b"),
        Relation("of", "b", "a"),
        Relation("with", "a", "b", both_ways=True),
    )


def test_label_studio_relation_without_direction_among_directed_ones_becomes_two(tmp_path):
    result = [DRUG, RASH, arrow("a", "b", "with", direction="bi")]
    other = [DRUG, RASH, arrow("a", "b", "with")]
    source = save(tmp_path / "export.json", [task(*result), task(*other)])
    report = convert(source, "label-studio", tmp_path / "out")
    assert report.read.relations == report.kept.relations == 3
    assert {kind.name: found.count for kind, found in report.findings.items()} == {"both_ways": 1}


def test_label_studio_several_labels_choices_and_unlabelled_arrows_are_kept_or_noted(tmp_path):
    choice = {"id": "a", "type": "choices", "from_name": "certain", "to_name": "text", "value": {"choices": ["no"]}}
    result = [region("a", 0, 7, "Drug", "Chemical"), RASH, region("c", 8, 14), choice, arrow("a", "b")]
    documents = annotated_documents(save(tmp_path / "export.json", [task(*result)]))
    assert [entity.label for entity in documents[0].entities] == ["Drug", "Chemical", "Effect"]
    assert documents[0].relations == (Relation("related", "a", "b"),)
    assert sorted(noted(documents)) == ["attribute", "foreign_entity", "unlabelled_relation"]


def test_label_studio_chooses_an_annotation_and_leaves_out_what_nobody_annotated(tmp_path):
    first, second = {"result": [DRUG]}, {"result": [RASH]}
    tasks = [
        task() | {"annotations": [first, second | {"was_cancelled": True}]},
        task() | {"id": 8, "annotations": [first, second]},
        task() | {"id": 9, "annotations": [first | {"ground_truth": True}, second]},
        task() | {"id": 10, "annotations": [], "predictions": [first]},
    ]
    report = convert(save(tmp_path / "export.json", tasks), "label-studio", tmp_path / "out", split=(1, 0, 0))
    rows = json.loads((tmp_path / "out" / "train.json").read_text())
    assert [row["entities"][0]["type"] for row in rows] == ["Drug", "Effect", "Drug"]
    assert {kind.name: found.count for kind, found in report.findings.items()} == {
        "not_annotated": 1,
        "other_annotator": 3,
    }


def test_label_studio_offsets_in_utf16_are_found_by_the_quotes(tmp_path):
    text = "😀 Velorin"
    units = region("a", 3, 10, "Drug", text="123Velorin")
    (document,) = annotated_documents(save(tmp_path / "export.json", [task(units, text=text)]))
    assert document.entities[0].fragments == ((2, 9),)
    assert noted([document]) == ["utf16_offsets"]


def test_label_studio_text_is_found_under_any_name(tmp_path):
    one = task(DRUG) | {"data": {"title": "Of rash", "abstract": TEXT, "year": 2020}}
    (document,) = annotated_documents(save(tmp_path / "export.json", [one]))
    assert document.text == TEXT


def test_label_studio_scores_of_an_answer_become_a_prediction(tmp_path):
    answer = {
        "text": TEXT,
        "entities": [{"label": "Drug", "score": 0.5, "start": 0, "end": 7, "text": "Velorin", "words": [0, 1]}],
        "relations": [],
    }
    convert_out(save(tmp_path / "answers.jsonl", [answer]), "label-studio", tmp_path / "out")
    (written,) = json.loads((tmp_path / "out" / "tasks.json").read_text())
    (prediction,) = written["predictions"]
    assert prediction["score"] == 0.5 and prediction["result"][0]["score"] == 0.5
    assert 'value="Drug"' in (tmp_path / "out" / "labeling_config.xml").read_text()


BAD_TASKS = [
    ({"text": TEXT, "label": []}, "data is missing (the keys are label, text); export as 'JSON'"),
    (task(region("a", 0, 7, "Drug", text="Zorab  ")), "data.text does not hold 'Zorab  ' at 0 to 7"),
    (task(region("a", 0, 99, "Drug")), "data.text does not hold"),
    (task(DRUG | {"value": {"end": 7, "labels": ["Drug"]}}), "result[0].value.start is missing"),
    (task(DRUG, DRUG), "result[1].id is 'a', as an earlier region's"),
    (task(DRUG, RASH, arrow("a", "b", "x", direction="up")), "result[2].direction is 'up'"),
    (task(DRUG, arrow("a", "b", "")), "a label cannot be empty"),
    (task(DRUG) | {"data": {"image": 7}}, "data holds no text (the keys are image)"),
    ([], "the row is []; it must be an object"),
]


@pytest.mark.parametrize(("bad", "message"), BAD_TASKS)
def test_label_studio_bad_task_is_named_and_can_be_skipped(tmp_path, bad, message):
    source = save(tmp_path / "export.json", [task(DRUG), bad])
    with pytest.raises(FormatError) as caught:
        annotated_documents(source, "label-studio")
    assert f"{source}, record 1: " in str(caught.value) and message in str(caught.value)
    assert convert(source, "label-studio", tmp_path / "out", on_bad="skip").lost("document") == 1


# --- doccano


def test_doccano_both_forms_and_comments(tmp_path):
    entities = [
        {"id": 4, "label": "Drug", "start_offset": 0, "end_offset": 7},
        {"id": 5, "label": "Effect", "start_offset": 15, "end_offset": 19},
    ]
    relations = [{"id": 1, "from_id": 4, "to_id": 5, "type": "causes"}]
    rows = [
        {"id": 1, "text": TEXT, "entities": entities, "relations": relations, "Comments": ["sure?"]},
        {"id": 2, "text": TEXT, "label": [[0, 7, "Drug"]]},
    ]
    documents = annotated_documents(save(tmp_path / "all.jsonl", rows))
    assert [document.doc_id for document in documents] == ["1", "2"]
    assert documents[0].relations == (Relation("causes", "4", "5"),)
    assert [entity.label for entity in documents[1].entities] == ["Drug"]
    assert noted(documents) == ["comment"]


@pytest.mark.parametrize(
    ("offsets", "unit", "found"),
    [([3, 10], "auto", "Velorin"), ([2, 9], "auto", " Velori"), ([2, 9], "code-points", "Velorin"),
     ([1, 2], "auto", " ")],
)  # fmt: skip
def test_doccano_counts_as_javascript_unless_it_cannot_be_or_told_otherwise(tmp_path, offsets, unit, found):
    rows = [{"id": 1, "text": "😀 Velorin", "label": [[*offsets, "Drug"]]}]
    documents = annotated_documents(save(tmp_path / "all.jsonl", rows), "doccano", offset_unit=unit)
    entity = documents[0].entities[0]
    assert documents[0].text[entity.start : entity.end] == found


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": TEXT, "label": [[0, 99, "Drug"]]}, "label[0] goes from 0 to 99, but the text has 20 characters"),
        ({"text": TEXT, "label": [[7, 0, "Drug"]]}, "label[0] goes from 7 to 0"),
        ({"text": TEXT, "label": [["0", 7, "Drug"]]}, "label[0][0] is '0'; it must be an integer"),
        ({"text": TEXT, "label": [[0, 7]]}, "label[0] is [0, 7]; it must be [start, end, label]"),
        ({"text": TEXT}, "entities is missing, and so is label"),
        ({"text": 7, "label": []}, "text is 7; it must be a string"),
        (
            {"text": TEXT, "entities": [], "relations": [{"from_id": 1, "to_id": 2, "type": "x"}]},
            "relations[0].from_id is 1, the id of no entity",
        ),
    ],
)
def test_doccano_bad_row_is_named_by_line_and_field(tmp_path, row, message):
    source = save(tmp_path / "all.jsonl", [{"text": TEXT, "label": []}, row])
    with pytest.raises(FormatError) as caught:
        annotated_documents(source, "doccano")
    assert str(caught.value).startswith(f"{source}, line 2, record 1: ") and message in str(caught.value)


# --- offsets


def test_offsets_take_what_the_pipeline_prints(tmp_path):
    answer = {
        "text": TEXT,
        "entities": [
            {"label": "Drug", "score": 0.9, "start": 0, "end": 7, "text": "Velorin", "words": [0, 1]},
            {"label": "Effect", "score": 0.8, "start": 15, "end": 19, "text": "rash", "words": [2, 3]},
        ],
        "relations": [{"label": "causes", "score": 0.7, "head": 0, "tail": 1}],
    }
    source = save(tmp_path / "answers.jsonl", [answer])
    assert recognise(source) == "offsets"
    convert(source, "auto", tmp_path / "out")
    (row,) = json.loads((tmp_path / "out" / "train.json").read_text())
    assert row["tokens"] == ["Velorin", "causes", "rash", "."]
    assert row["relations"] == [{"type": "causes", "head": 0, "tail": 1}]


def test_offsets_corrected_by_hand_beat_the_old_quote(tmp_path):
    entity = {"label": "Drug", "start": 0, "end": 14, "text": "Velorin"}
    (document,) = annotated_documents(save(tmp_path / "a.jsonl", [{"text": TEXT, "entities": [entity]}]))
    assert document.entities[0].fragments == ((0, 14),)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": TEXT, "entities": [{"start": 0, "end": 7}]}, "entities[0].label is None; it must be a string"),
        ({"text": TEXT, "entities": [{"start": -1, "end": 7, "label": "x"}]}, "entities[0].start is -1"),
        ({"text": TEXT, "entities": [{"start": 0, "end": 21, "label": "x"}]}, "entities[0] goes from 0 to 21"),
        ({"text": TEXT, "entities": [], "relations": [{"head": 0, "tail": 1}]}, "head is 0, but there are 0 entities"),
        ({"text": "\ud83d", "entities": []}, "half a surrogate pair"),
    ],
)
def test_offsets_bad_row_is_named_by_field(tmp_path, row, message):
    with pytest.raises(FormatError) as caught:
        annotated_documents(save(tmp_path / "a.jsonl", [row]), "offsets")
    assert message in str(caught.value)


# --- SpERT and DyGIE

ROW = {
    "tokens": ["Velorin", "harms"],
    "entities": [{"type": "Drug", "start": 0, "end": 1}],
    "relations": [],
    "doc_id": "d",
    "sentence_index": 1,
}


def test_spert_rows_of_a_document_are_joined_in_order(tmp_path):
    rows = [ROW, ROW | {"tokens": ["First", "."], "entities": [], "sentence_index": 0}, {**ROW, "doc_id": None}]
    rows[2].pop("sentence_index")
    documents = annotated_documents(save(tmp_path / "train.json", rows))
    assert [document.text for document in documents] == ["First .\nVelorin harms", "Velorin harms"]
    assert documents[0].sentences == (((0, 5), (6, 7)), ((8, 15), (16, 21)))
    assert documents[0].entities[0].fragments == ((8, 15),)


def test_spert_splits_and_types_of_a_folder_are_kept(tmp_path):
    source = tmp_path / "in"
    for name in ("train", "validation", "test", "train_dev"):
        save(source / f"{name}.json", [ROW | {"doc_id": name}])
    types = {"entities": {"Zebra": {}, "Drug": {"verbose": "A drug"}}, "relations": {"near": {"symmetric": True}}}
    save(source / "types.json", types)
    report = convert(source, "auto", tmp_path / "out")
    assert list(report.splits) == ["train", "dev", "test"] and "train_dev.json" in report.render()
    written = json.loads((tmp_path / "out" / "types.json").read_text())
    assert list(written["entities"]) == ["Zebra", "Drug"] and written["entities"]["Drug"]["verbose"] == "A drug"
    assert written["relations"]["near"]["symmetric"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": "Velorin harms", "offsets": [[0, 7]]}, "offsets has 1 items for 2 words"),
        ({"text": "Velorin", "offsets": [[0, 7], [8, 13]]}, "offsets[1] is [8, 13]; remove text and offsets"),
        ({"entities": [{"type": "Drug", "start": 0, "end": 9}]}, "entities[0].end is 9"),
    ],
)
def test_spert_bad_row_is_named_by_field(tmp_path, change, message):
    with pytest.raises(FormatError) as caught:
        annotated_documents(save(tmp_path / "train.json", [ROW | change]), "spert")
    assert message in str(caught.value)


def test_dygie_documents_with_coreference_and_events_noted(tmp_path):
    document = {
        "doc_key": "r-1",
        "sentences": [["Velorin", "harms"], ["Zorab", "too"]],
        "ner": [[[0, 0, "Drug"]], [[2, 2, "Drug"], [2, 2, "Chemical"]]],
        "relations": [[], []],
        "clusters": [[[0, 0], [2, 2]]],
        "events": [[[[1, "Harm"]]], []],
    }
    (read,) = annotated_documents(save(tmp_path / "train.json", document))
    assert read.text == "Velorin harms\nZorab too" and len(read.entities) == 3
    assert noted([read]) == ["chain", "event_lost"]
    report = convert(tmp_path / "train.json", "auto", tmp_path / "out")
    assert (report.read.entities, report.kept.entities, report.lost("entity")) == (3, 2, 1)


def test_dygie_broken_document_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"record 0: sentences\[0\] is 'Velorin'; it must be a list"):
        annotated_documents(save(tmp_path / "a.json", {"doc_key": "r", "sentences": ["Velorin"], "ner": [[]]}))
    message = r"and ner \(the keys are doc_id, entities, relations, sentence_index, tokens\).*--on_bad skip"
    with pytest.raises(FormatError, match=message):
        annotated_documents(save(tmp_path / "a.json", ROW), "dygie")


# --- What a file is


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.json", [task(DRUG)], "label-studio"),
        ("a.jsonl", [{"text": TEXT, "label": [[0, 7, "Drug"]]}], "doccano"),
        ("a.jsonl", [{"text": TEXT, "entities": [], "relations": [], "Comments": []}], "doccano"),
        ("a.json", [ROW], "spert"),
        ("a.json", {"doc_key": "a", "sentences": [], "ner": []}, "dygie"),
        ("a.json", [{"text": TEXT, "entities": []}], "offsets"),
        ("a.json", {"text": TEXT}, None),
        ("a.json", [7], None),
        ("a.json", [{"text": "long " * 50_000, "label": []}], "doccano"),
    ],
)
def test_recognise_json_by_its_keys(tmp_path, name, content, found):
    assert recognise(save(tmp_path / name, content)) == found
    assert recognise(tmp_path) == found


def test_unknown_format_says_how_to_name_one(tmp_path):
    with pytest.raises(FormatError, match=r"is of no known format; name it with from_ \(--from\): brat, label-studio"):
        convert(save(tmp_path / "a.json", {"x": 1}), "auto", tmp_path / "out")
    with pytest.raises(ValueError, match="from_ must be 'auto' or one of brat, .*, got 'bart'"):
        convert(tmp_path / "a.json", "bart", tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        convert(tmp_path / "nowhere", "auto", tmp_path / "out")


def test_recognise_a_folder_by_its_own_files_before_those_below_it(tmp_path):
    save(tmp_path / "train.json", [ROW])
    save(tmp_path / "documents" / "train.json", {"doc_key": "a", "sentences": [["x"]], "ner": [[]]})
    (tmp_path / "documents" / "a.ann").write_text("")
    assert recognise(tmp_path) == "spert"
    assert recognise(tmp_path / "documents") is None


def test_files_that_are_no_split_among_splits_are_left_out_and_named(tmp_path):
    for name in ("news_train", "news_dev", "news_extra"):
        save(tmp_path / "in" / f"{name}.json", [ROW | {"doc_id": name}])
    report = convert(tmp_path / "in", "auto", tmp_path / "out")
    assert {name: size.rows for name, size in report.splits.items()} == {"train": 1, "dev": 1}
    assert "left out, since other files are named as splits: news_extra.json" in report.render()
