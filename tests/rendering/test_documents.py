"""Answers and gold rows in one checked form."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_spert.rendering.documents import Document, Link, Mention, make_printable, read_document, read_documents

ENTITY = {"label": "Per", "start": 0, "end": 2, "score": 0.9}


def test_document_of_an_answer():
    answer = {
        "text": "Bo in Oslo",
        "entities": [ENTITY],
        "relations": [{"label": "is", "head": 0, "tail": 0, "score": 1}],
    }
    document = read_document(answer)
    assert document == Document("Bo in Oslo", (Mention(0, 2, "Per", 0.9),), (Link(0, 0, "is", 1.0),))
    assert document.words_of(0) == "Bo"


def test_document_of_a_gold_row():
    row = {"tokens": ["in", "New", "York"], "entities": [{"type": "Loc", "start": 1, "end": 3}], "orig_id": 5}
    assert read_document(row) == Document("in New York", (Mention(3, 11, "Loc"),), (), "5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": 5}, "text must be a string, got 5"),
        ({"entities": 5}, "entities must be a list of dicts, got 5"),
        ({"relations": {}}, "relations must be a list of dicts, got {}"),
        ({"entities": [{**ENTITY, "end": 9}]}, "entities[0]: start and end are 0 and 9, but the text has 4 characters"),
        ({"entities": [{**ENTITY, "end": 0}]}, "entities[0]: start and end are 0 and 0, but"),
        ({"entities": [{**ENTITY, "start": -1}]}, "entities[0]: start and end are -1 and 2, but"),
        ({"entities": [{**ENTITY, "start": "0"}]}, "entities[0].start must be an integer, got '0'"),
        ({"entities": [{**ENTITY, "label": ""}]}, 'entities[0] needs "label" (or "type"), a string that is not empty'),
        (
            {"entities": [{**ENTITY, "score": float("nan")}]},
            "entities[0].score must be a finite number or absent, got nan",
        ),
        ({"relations": [{"label": "is", "head": 0, "tail": 1}]}, "relations[0].tail is 1, but there are 1 entities"),
        ({"relations": [{"label": "is", "tail": 0}]}, "relations[0].head must be an integer, got None"),
    ],
)
def test_document_refuses_what_is_not_an_answer(change, message):
    answer = {"text": "Bo .", "entities": [ENTITY], "relations": [], **change}
    with pytest.raises(ValueError, match=re.escape(message)):
        read_document(answer)


@pytest.mark.parametrize("value", [5, "text", b"text", None])
def test_documents_refuse_what_is_not_a_collection_of_answers(value):
    with pytest.raises(ValueError, match="answers must be an answer or an iterable of answers"):
        read_documents(value)


def test_documents_name_the_answer_that_is_wrong():
    with pytest.raises(ValueError, match=re.escape('answer 1: an answer needs "text", a string, or "tokens"')):
        read_documents([{"text": "Bo"}, {}])
    with pytest.raises(ValueError, match="answer 0: an answer must be a dict"):
        read_documents(["Bo"])


@given(st.text(st.characters()))
def test_printable_keeps_offsets_and_what_may_be_shown(text):
    printable = make_printable(text)
    assert len(printable) == len(text)
    assert make_printable(printable) == printable
    printable.encode("utf-8")
    assert all(
        new == old or not old.isprintable() or old in "\u200e\u200f" for new, old in zip(printable, text, strict=True)
    )


def test_printable_shows_overrides_and_hides_marks():
    assert make_printable("a\u202eb\u200fc\x00d\n\t\r") == "a\ufffdb\u2060c\u2400d\n\t\r"
