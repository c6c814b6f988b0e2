"""Answers in displaCy's forms, drawn by displaCy where spaCy is installed."""

import re

import pytest
from drawn_answers import NESTED, NEWS, TIGHT, any_answer
from hypothesis import given

from modeling_spert.rendering import to_displacy


def test_displacy_ents_are_flat():
    flat = to_displacy(NESTED, "ent")
    assert [(flat["text"][ent["start"] : ent["end"]], ent["label"]) for ent in flat["ents"]] == [
        ("University of Norvane Medical School", "Organization"),
        ("codeine intoxication", "Condition"),
        ("codeine syrup", "Drug"),
    ]


def test_displacy_spans_are_nested():
    nested = to_displacy(NESTED, "span")
    shown = [(" ".join(nested["tokens"][s["start_token"] : s["end_token"]]), s["label"]) for s in nested["spans"]]
    assert sorted(shown) == sorted((entity["text"], entity["label"]) for entity in NESTED["entities"])


def test_displacy_arcs_join_entities():
    drawn = to_displacy(NEWS[1], "dep")
    words = [word["text"] for word in drawn["words"]]
    assert "Lumeo Batteries" in words
    arcs = {(a["label"], words[a["start"]], words[a["end"]], a["dir"]) for a in drawn["arcs"]}
    assert ("works_for", "Lumeo Batteries", "Dara Finch", "left") in arcs
    assert ("founded", "Annika Ruhl", "Lumeo Batteries", "right") in arcs
    assert len(drawn["arcs"]) == 6


def test_displacy_leaves_out_arcs_from_a_word_to_itself():
    assert len(to_displacy(TIGHT, "dep")["arcs"]) == len(TIGHT["relations"]) - 1


@given(any_answer())
def test_displacy_forms_hold_for_any_answer(answer):
    spans, arcs = to_displacy(answer, "span"), to_displacy(answer, "dep")
    assert "".join("".join(spans["tokens"]).split()) == "".join(answer["text"].split())
    assert all(0 <= s["start_token"] < s["end_token"] <= len(spans["tokens"]) for s in spans["spans"])
    assert all(0 <= a["start"] < a["end"] < len(arcs["words"]) for a in arcs["arcs"])


def test_displacy_refuses_another_style():
    with pytest.raises(ValueError, match="style must be one of ent, span, dep, got 'tree'"):
        to_displacy(NESTED, "tree")


@pytest.mark.parametrize("style", ["ent", "span", "dep"])
@pytest.mark.parametrize("answer", [*NEWS, NESTED])
def test_displacy_draws_it(answer, style):
    displacy = pytest.importorskip("spacy.displacy", reason="spaCy is not installed")
    drawn = displacy.render(to_displacy(answer, style), style=style, manual=True, page=True, jupyter=False)
    shown = re.sub(r"<[^>]+>", " ", drawn)
    for label in {entity["label"] for entity in answer["entities"]} if style == "span" else {"Organization"}:
        assert label in shown
    if style == "dep":
        assert all(relation["label"] in shown for relation in answer["relations"])
