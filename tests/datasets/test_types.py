"""types.json: the order of labels, symmetric relations, names; and what is refused."""

import json

import pytest

from datasets_scripts.types_json import DatasetTypes, TypeName, parse_types, read_types, render_types

CONTENT = {
    "entities": {"Peop": {"short": "P", "verbose": "People"}, "Loc": {"short": "L", "verbose": "Location"}},
    "relations": {
        "Near": {"short": "N", "verbose": "Near", "symmetric": True},
        "Live_In": {"short": "Live", "verbose": "Live in", "symmetric": False},
    },
}


def test_types_order_symmetry_and_names_follow_the_file():
    types = parse_types(CONTENT)
    assert types.entity_types == ("Peop", "Loc")
    assert types.relation_types == ("Near", "Live_In")
    assert types.symmetric_relation_types == ("Near",)
    assert types.relation_type_names["Live_In"] == TypeName("Live", "Live in")
    assert not types.allow_repeated_relations


def test_types_names_and_symmetry_are_optional():
    types = parse_types({"entities": {"Peop": {}}, "relations": {"Near": {}}})
    assert types.entity_type_names == {"Peop": TypeName("Peop", "Peop")}
    assert types.symmetric_relation_types == ()


def test_types_rendered_text_reads_back():
    types = DatasetTypes(
        ("b", "a"),
        ("s", "r"),
        ("s",),
        {"a": TypeName("A", "Ähre")},
        {},
        dataset_name="mine",
        allow_repeated_relations=True,
    )
    assert parse_types(json.loads(render_types(types))) == types
    assert list(json.loads(render_types(types))["entities"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], '"entities" is missing'),
        ({"relations": {}}, '"entities" is missing'),
        ({"entities": {}}, "entity_types is empty"),
        ({"entities": ["Peop"]}, "entities must map each label to an object"),
        ({"entities": {"Peop": "People"}}, "entities must map each label to an object"),
        ({"entities": {"": {}}}, "entities holds an empty label"),
        ({"entities": {"Peop": {"short": 1}}}, "entities.Peop: short must be a str, got 1"),
        (
            {"entities": {"Peop": {}}, "relations": {"Near": {"symmetric": "yes"}}},
            "relations.Near: symmetric must be a bool, got 'yes'",
        ),
        ({"entities": {"Peop": {}}, "allow_repeated_relations": 1}, "allow_repeated_relations must be a bool, got 1"),
    ],
)
def test_types_file_of_another_form_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "types.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError) as caught:
        read_types(path)
    assert message in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"entities": {"Peop": {}, "Peop": {}}}', "the key 'Peop' occurs twice"),
        (b'{"entities": ', "not a readable types file"),
        (b"\xff\xfe", "not a readable types file"),
    ],
)
def test_types_unreadable_file_is_refused_by_name(tmp_path, text, message):
    path = tmp_path / "types.json"
    path.write_bytes(text)
    with pytest.raises(ValueError) as caught:
        read_types(path)
    assert message in str(caught.value) and str(path) in str(caught.value)


def test_types_symmetric_type_must_be_a_relation_type():
    with pytest.raises(ValueError, match=r"names \['Near'\], not in relation_types"):
        DatasetTypes(("Peop",), ("Live_In",), ("Near",))


def test_types_nested_too_deep_names_the_file(tmp_path):
    (tmp_path / "types.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"types\.json is not a readable types file"):
        read_types(tmp_path / "types.json")
