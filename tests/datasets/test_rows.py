"""Validation of one row: each kind of bad input, and that what passes is right."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_scripts.row_validation import RowProblem, parse_example, show
from datasets_scripts.types_json import DatasetTypes

TYPES = DatasetTypes(("Loc", "Peop"), ("Live_In", "Near"), ("Near",))
# "Ada Moss lives in Port Vell" : Peop [0, 2), Loc [4, 6), Loc [5, 6) inside it
ROW = {
    "tokens": ["Ada", "Moss", "lives", "in", "Port", "Vell"],
    "entities": [
        {"type": "Peop", "start": 0, "end": 2},
        {"type": "Loc", "start": 4, "end": 6},
        {"type": "Loc", "start": 5, "end": 6},
    ],
    "relations": [{"type": "Live_In", "head": 0, "tail": 1}],
    "orig_id": "a-1",
}


def changed(path: str, value: object) -> dict:
    """The good row with one value replaced, such as `entities.0.end`; `...` removes the key."""
    row: dict = copy.deepcopy(ROW)
    target: object = row
    *keys, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in keys:
        target = target[key]  # type: ignore[index]
    if value is ...:
        del target[last]  # type: ignore[attr-defined]
    else:
        target[last] = value  # type: ignore[index]
    return row


def test_rows_good_row_comes_back_unchanged():
    assert parse_example(ROW, TYPES) == ROW


def test_rows_other_keys_are_left_out():
    row = changed("entities.0.score", 0.5) | {"ltokens": ["Yes"]}
    assert parse_example(row, TYPES) == ROW


BAD_VALUES = [
    ("tokens", ..., "tokens", "missing"),
    ("tokens", None, "tokens", "missing"),
    ("tokens", [], "tokens", "at least one word"),
    ("tokens", "Ada Moss", "tokens", "'Ada Moss'; it must be a list"),
    ("tokens.1", "", "tokens[1]", "cannot be empty"),
    ("tokens.1", " \t", "tokens[1]", "' \\t'; a word cannot be empty"),
    ("tokens.1", 7, "tokens[1]", "7; it must be a string"),
    ("tokens.1", None, "tokens[1]", "None; it must be a string"),
    ("tokens.1", "\ud83d", "tokens[1]", "half a surrogate pair"),
    ("entities", ..., "entities", "missing"),
    ("entities", {"type": ["Peop"]}, "entities", "must be a list"),
    ("entities.1", ["Loc", 4, 6], "entities[1]", "must be an object"),
    ("entities.1.type", ..., "entities[1].type", "missing"),
    ("entities.1.type", 3, "entities[1].type", "3; it must be a string"),
    ("entities.1.type", "", "entities[1].type", "cannot be empty"),
    ("entities.1.type", "Place", "entities[1].type", "'Place', which is not among the known types: Loc, Peop"),
    ("entities.1.start", ..., "entities[1].start", "missing"),
    ("entities.1.start", -1, "entities[1].start", "is -1; it must be 0 or more"),
    ("entities.1.start", 6, "entities[1].start", "is 6, not before end 6"),
    ("entities.1.start", "4", "entities[1].start", "'4'; it must be an integer"),
    ("entities.1.start", 4.0, "entities[1].start", "4.0; it must be an integer"),
    ("entities.0.start", False, "entities[0].start", "False; it must be an integer"),
    ("entities.1.end", 7, "entities[1].end", "is 7, but the sentence has 6 words"),
    ("entities.1.end", 3, "entities[1].start", "is 4, not before end 3"),
    ("entities.1.end", None, "entities[1].end", "missing"),
    ("entities.1.start", 5, "entities[2]", "repeats entities[1] ('Loc', 5, 6)"),
    ("entities.0", {"type": "Peop", "start": 5, "end": 6}, "entities[2]", "'Loc' on the span of entities[0]"),
    ("relations", "none", "relations", "must be a list"),
    ("relations.0", 4, "relations[0]", "must be an object"),
    ("relations.0.type", "Owns", "relations[0].type", "'Owns', which is not among the known types: Live_In, Near"),
    ("relations.0.head", ..., "relations[0].head", "missing"),
    ("relations.0.head", 3, "relations[0].head", "is 3, but the row has 3 entities"),
    ("relations.0.tail", -1, "relations[0].tail", "is -1, but the row has 3 entities"),
    ("relations.0.tail", True, "relations[0].tail", "True; it must be an integer"),
    ("relations.0.tail", 0, "relations[0].tail", "the same entity as head"),
    ("orig_id", True, "orig_id", "True; it must be a string"),
    ("orig_id", ["a"], "orig_id", "must be a string"),
    ("doc_id", "d", "sentence_index", "missing"),
    ("sentence_index", 0, "doc_id", "missing"),
]


@pytest.mark.parametrize(
    ("path", "value", "field", "message"), BAD_VALUES, ids=[f"{b[0]}={b[1]!r}" for b in BAD_VALUES]
)
def test_rows_bad_value_is_refused_by_field(path, value, field, message):
    with pytest.raises(RowProblem) as caught:
        parse_example(changed(path, value), TYPES)
    assert caught.value.field == field
    assert message in str(caught.value)


@pytest.mark.parametrize("value", [None, [], "row", 3])
def test_rows_row_that_is_no_object_is_refused(value):
    with pytest.raises(RowProblem, match="must be an object"):
        parse_example(value, TYPES)


@pytest.mark.parametrize("index", [-1, 2**63, "0"])
def test_rows_bad_sentence_index_is_refused(index):
    with pytest.raises(RowProblem, match="sentence_index is"):
        parse_example(ROW | {"doc_id": "d", "sentence_index": index}, TYPES)


def test_rows_repeated_relation_is_refused_unless_allowed():
    row = copy.deepcopy(ROW)
    row["relations"] = [*ROW["relations"], {"type": "Near", "head": 1, "tail": 2}, *ROW["relations"]]
    with pytest.raises(RowProblem, match=r"relations\[2\] repeats relations\[0\] \('Live_In', head 0, tail 1\)"):
        parse_example(row, TYPES)
    assert len(parse_example(row, TYPES, allow_repeated_relations=True)["relations"]) == 3


def test_rows_several_types_and_both_directions_of_a_pair_are_no_repetition():
    row = copy.deepcopy(ROW)
    row["relations"] = [
        {"type": "Live_In", "head": 0, "tail": 1},
        {"type": "Near", "head": 0, "tail": 1},
        {"type": "Near", "head": 1, "tail": 0},
    ]
    assert parse_example(row, TYPES)["relations"] == row["relations"]


@pytest.mark.parametrize("relations", [..., None, []])
def test_rows_relations_may_be_absent(relations):
    assert parse_example(changed("relations", relations), DatasetTypes(("Loc", "Peop")))["relations"] == []


@pytest.mark.parametrize(("orig_id", "expected"), [(12, "12"), (1.5, "1.5"), ("x", "x")])
def test_rows_orig_id_becomes_a_string(orig_id, expected):
    assert parse_example(changed("orig_id", orig_id), TYPES)["orig_id"] == expected


def test_rows_missing_orig_id_is_left_to_the_reader():
    assert "orig_id" not in parse_example(changed("orig_id", ...), TYPES)


def test_rows_document_columns_are_kept():
    example = parse_example(ROW | {"doc_id": 4, "sentence_index": 2}, TYPES)
    assert (example["doc_id"], example["sentence_index"]) == ("4", 2)


def test_rows_without_types_every_label_passes():
    assert parse_example(changed("entities.1.type", "Place"), None)["entities"][1]["type"] == "Place"


def test_rows_long_values_are_cut_in_messages():
    assert len(show(["word"] * 1000)) == 80


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "start", "end"]), inner),
    max_leaves=6,
)
spans = st.fixed_dictionaries(
    {"type": st.sampled_from(["Loc", "Peop", "Place"]), "start": st.integers(-1, 5), "end": st.integers(-1, 5)}
)
pairs = st.fixed_dictionaries(
    {"type": st.sampled_from(["Live_In", "Near"]), "head": st.integers(-1, 3), "tail": st.integers(-1, 3)}
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "tokens": st.lists(st.sampled_from(["Ada", "in", "", "日本"]), max_size=5) | json_values,
        "entities": st.lists(spans, max_size=3) | json_values,
        "relations": st.lists(pairs, max_size=2) | json_values,
        "orig_id": json_values,
        "doc_id": json_values,
        "sentence_index": json_values,
    },
)


@given(rows)
def test_rows_whatever_passes_keeps_the_contract(row):
    try:
        example = parse_example(row, TYPES)
    except RowProblem as problem:
        assert str(problem)
        return
    assert example["tokens"] and all(isinstance(token, str) and token.strip() for token in example["tokens"])
    found = [(entity["start"], entity["end"]) for entity in example["entities"]]
    assert all(0 <= start < end <= len(example["tokens"]) for start, end in found)
    assert len(set(found)) == len(found)
    assert {entity["type"] for entity in example["entities"]} <= set(TYPES.entity_types)
    relations = [tuple(relation.values()) for relation in example["relations"]]
    assert len(set(relations)) == len(relations)
    for relation in example["relations"]:
        assert relation["type"] in TYPES.relation_types
        assert relation["head"] != relation["tail"]
        assert 0 <= min(relation["head"], relation["tail"]) and max(relation["head"], relation["tail"]) < len(found)
    assert ("doc_id" in example) == ("sentence_index" in example)
