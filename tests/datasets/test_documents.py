"""Documents in the DyGIE form: offsets, brackets, labels, and what is refused."""

import copy
import json

import pytest

from datasets_scripts import BadRowError, load_joint_dataset

# Words 0-3 and 4-9; the entity of the second sentence spans the brackets.
DOCUMENT = {
    "doc_key": "report-7",
    "sentences": [["Parsers", "need", "rules", "."], ["The", "parser", "-LRB-", "fast", "-RRB-", "wins"]],
    "ner": [[[0, 0, "Method"], [2, 2, "Material"]], [[5, 8, "Method"]]],
    "relations": [[[2, 2, 0, 0, "USED-FOR"]], []],
    "clusters": [],
}
TYPES = {"entities": {"Method": {}, "Material": {}}, "relations": {"Used-for": {}}}


def write(folder, *documents, types=TYPES):
    folder.mkdir(exist_ok=True)
    (folder / "train.json").write_text("\n".join(json.dumps(document) for document in documents), encoding="utf-8")
    if types is not None:
        (folder / "types.json").write_text(json.dumps(types))
    return folder


def test_documents_become_sentences_with_half_open_spans(tmp_path):
    rows = load_joint_dataset(write(tmp_path, DOCUMENT)).splits["train"]
    assert rows[0] == {
        "tokens": ["Parsers", "need", "rules", "."],
        "entities": [{"type": "Method", "start": 0, "end": 1}, {"type": "Material", "start": 2, "end": 3}],
        "relations": [{"type": "Used-for", "head": 1, "tail": 0}],
        "orig_id": "report-7:0",
        "doc_id": "report-7",
        "sentence_index": 0,
    }
    assert rows[1]["tokens"] == ["The", "parser", "(", "fast", ")", "wins"]
    assert rows[1]["entities"] == [{"type": "Method", "start": 1, "end": 5}]
    assert (rows[1]["doc_id"], rows[1]["sentence_index"]) == ("report-7", 1)


def test_documents_without_types_keep_their_own_labels(tmp_path):
    dataset = load_joint_dataset(write(tmp_path, DOCUMENT, types=None))
    assert dataset.relation_types == ("USED-FOR",)


def test_documents_without_relations_are_entity_only(tmp_path):
    document = {key: value for key, value in DOCUMENT.items() if key != "relations"}
    assert load_joint_dataset(write(tmp_path, document, types=None)).relation_types == ()


BAD_VALUES = [
    ("doc_key", None, "doc_key", "missing"),
    ("doc_key", 7, "doc_key", "must be a string"),
    ("sentences", [], "sentences", "at least one sentence"),
    ("sentences.1", "The parser", "sentences[1]", "must be a list"),
    ("sentences.1.2", "", "sentences[1][2]", "cannot be empty"),
    ("ner", None, "ner", "missing"),
    ("ner", [[]], "ner", "has 1 items, but there are 2 sentences"),
    ("ner.1.0", [5, 10, "Method"], "ner[1][0]", "the sentence holds the words 4 to 9"),
    ("ner.1.0", [3, 5, "Method"], "ner[1][0]", "the sentence holds the words 4 to 9"),
    ("ner.1.0", [6, 5, "Method"], "ner[1][0]", "the sentence holds the words 4 to 9"),
    ("ner.1.0", [5, 6], "ner[1][0]", "must be [start, end, label]"),
    ("ner.1.0", [5, True, "Method"], "ner[1][0][1]", "must be an integer"),
    ("ner.1.0", [5, 6, "Person"], "ner[1][0].type", "'Person', which is not among the known types"),
    ("ner.0.1", [0, 0, "Method"], "relations[0][0]", "its head [2, 2] is not an entity of ner[0]"),
    ("relations", [[]], "relations", "has 1 items"),
    ("relations.0.0", [2, 2, 1, 1, "USED-FOR"], "relations[0][0]", "its tail [1, 1] is not an entity"),
    ("relations.0.0", [2, 2, 2, 2, "USED-FOR"], "relations[0][0].tail", "the same entity as head"),
    ("relations.0.0", [2, 2, 0, 0, "LIKES"], "relations[0][0].type", "'LIKES'"),
]


@pytest.mark.parametrize(("path", "value", "field", "message"), BAD_VALUES, ids=[f"{b[0]}={b[1]}" for b in BAD_VALUES])
def test_documents_bad_value_is_refused_by_its_own_field(tmp_path, path, value, field, message):
    document: dict = copy.deepcopy(DOCUMENT)
    target: dict = document
    *keys, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in keys:
        target = target[key]
    target[last] = value
    with pytest.raises(BadRowError) as caught:
        load_joint_dataset(write(tmp_path, DOCUMENT | {"doc_key": "other"}, document))
    assert caught.value.field == field
    assert message in str(caught.value)
    assert "train.json, row 1 (line 2)" in str(caught.value)


def test_documents_skipping_leaves_out_the_bad_sentence_only(tmp_path):
    document = copy.deepcopy(DOCUMENT)
    document["sentences"][0][1] = ""
    dataset = load_joint_dataset(write(tmp_path, document), on_bad_row="skip")
    assert dataset.splits["train"]["sentence_index"] == [1]
    assert len(dataset.skipped) == 1 and dataset.skipped[0].row == 0


def test_documents_with_one_key_are_refused(tmp_path):
    with pytest.raises(BadRowError, match="sentence_index is 0 in document 'report-7', as in row 0"):
        load_joint_dataset(write(tmp_path, DOCUMENT, DOCUMENT))


def test_documents_are_found_by_the_name_scierc(tmp_path):
    folder = write(tmp_path / "documents", DOCUMENT, types=None)
    for split in ("dev", "test"):
        (folder / f"{split}.json").write_text(json.dumps(DOCUMENT))
    for name, data_dir in (("scierc", folder), ("scierc_documents", folder), ("scierc_documents", tmp_path)):
        dataset = load_joint_dataset(name, data_dir)
        assert dataset.name == "scierc_documents"
        assert dataset.symmetric_relation_types == ("Compare", "Conjunction")  # known without a types file
        assert dataset.splits["train"][0]["relations"][0]["type"] == "Used-for"


def test_documents_types_file_above_wins_over_the_built_in_labels(tmp_path):
    folder = write(tmp_path / "documents", DOCUMENT, types=None)
    for split in ("dev", "test"):
        (folder / f"{split}.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "scierc_types.json").write_text(json.dumps(TYPES))
    assert load_joint_dataset("scierc", folder).entity_types == ("Method", "Material")
