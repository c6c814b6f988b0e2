"""The pipeline's answer: a plain dict to everyone but a notebook."""

import copy
import json
import pickle
import sys

from drawn_answers import NEWS

from modeling_spert.pipeline_spert import Answer
from modeling_spert.rendering import render

PLAIN = NEWS[0]


def test_answer_is_a_dict_to_everyone():
    answer = Answer(PLAIN)
    assert isinstance(answer, dict) and answer == PLAIN and PLAIN == answer
    assert repr(answer) == repr(PLAIN)
    assert json.dumps(answer) == json.dumps(PLAIN)
    assert list(answer) == list(PLAIN)


def test_answer_is_pickled_and_copied_as_a_dict():
    answer = Answer(PLAIN)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(answer, protocol))
        assert type(again) is dict and again == PLAIN
    assert b"pipeline_spert" not in pickle.dumps([answer])
    assert type(copy.deepcopy(answer)) is dict and copy.deepcopy(answer) == PLAIN


def test_answer_draws_itself_in_a_notebook():
    assert Answer(PLAIN)._repr_html_() == render(PLAIN, page=False)


def test_answer_is_text_without_the_rendering_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "modeling_spert.rendering", None)
    assert Answer(PLAIN)._repr_html_() is None


def test_answer_is_text_once_it_is_no_answer_any_more():
    answer = Answer(PLAIN)
    del answer["text"]
    assert answer._repr_html_() is None
