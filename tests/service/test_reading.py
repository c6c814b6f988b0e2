"""Bodies of requests: what is read, what is refused and how, whatever is sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_pipeline import tiny_model

from modeling_spert.service import Limits
from modeling_spert.service.reading import check_defaults, estimate_tokens, read_call, read_call_documents
from modeling_spert.service.refusals import Refusal

CONFIG = tiny_model().config
LIMITS = Limits(max_texts=3, max_text_length=20, max_given_entities=1)


def read(body, **defaults):
    return read_call(body if isinstance(body, bytes) else json.dumps(body).encode(), CONFIG, LIMITS, defaults)


def test_read_call_settings_of_the_request_replace_the_services():
    call = read({"text": "Ada.", "relation_threshold": 0.2, "overlap": None}, relation_threshold=0.9, overlap="flat")
    assert call.inputs == [{"text": "Ada."}] and call.is_single
    assert call.extraction == {"relation_threshold": 0.2, "overlap": "flat"} and call.on_error == "raise"


ENTITY = {"start": 0, "end": 1, "label": "A"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body must be JSON: "),
        (b"\xff\xfe", "the body must be JSON: "),
        (b"[" * 100_000, "the body must be JSON: it is nested too deeply"),
        (b"1" * 5000, "the body must be JSON: "),
        (["Ada."], "the body must be an object such as"),
        ({}, "an input must be a string or one of"),
        ({"text": 3}, '"text" must be a string, got int'),
        ({"text": "Ada.", "tokens": ["Ada"]}, "an input must be a string or one of"),
        ({"text": "Ada.", "texts": []}, '"texts" excludes text'),
        ({"texts": "Ada."}, '"texts" must be a list'),
        ({"texts": ["Ada.", 3]}, "input 1: an input must be"),
        ({"texts": ["a"] * 4}, "texts must hold at most 3 texts, got 4"),
        ({"text": "a" * 21}, "a text must have at most 20 characters, got 21"),
        ({"texts": ["", "a" * 21]}, "input 1: a text must have at most 20 characters, got 21"),
        ({"tokens": ["abc"] * 7}, "a text must have at most 20 characters, got 21"),
        ({"sentences": [["abc"]] * 7}, "a text must have at most 20 characters, got 21"),
        ({"text": "a b", "entities": [ENTITY, ENTITY]}, '"entities" must hold at most 1 entities, got 2'),
        ({"text": "a", "relation_treshold": 0.1}, "did you mean relation_threshold"),
        ({"text": "a", "batch_size": 1}, "unknown key 'batch_size'"),
        ({"text": "a", "relation_threshold": 2}, "relation_threshold must be between 0 and 1, got 2"),
        (b'{"text": "a", "relation_threshold": NaN}', "relation_threshold must be between 0 and 1, got nan"),
        ({"text": "a", "overlap": ["flat"]}, "overlap must be one of allow, nested, flat"),
        ({"text": "a", "max_entities_per_sentence": 257}, "max_entities_per_sentence must be at most 256"),
        ({"text": "a", "max_window_length": 49}, "max_window_length must be at most the model's, 48, got 49"),
    ],
)
def test_read_call_refuses_and_says_why(body, message):
    with pytest.raises(Refusal) as refused:
        read(body)
    assert refused.value.status == 422 and message in str(refused.value)


def test_read_call_documents_records_errors_where_asked():
    texts = ["Ada.", {"tokens": [1]}, 3]
    call = read({"texts": texts, "on_error": "record"})
    documents = read_call_documents(call, reader)
    assert [document.error is None for document in documents] == [True, False, False]
    with pytest.raises(Refusal, match="input 1: "):
        read_call_documents(read({"texts": texts[:2]}), reader)


def reader(item):
    from modeling_spert.inputs_spert import document_of_tokens, read_form

    form, found = read_form(item)
    return document_of_tokens([found[form]] if form == "tokens" else [[found[form]]])


@pytest.mark.parametrize(
    ("item", "tokens"),
    [("", 1), ("abcd", 1), ("abcde", 2), ("日本語だ", 3), ("\ud800", 1), (["a", "b"], 2), (3, 1), ({"tokens": 4}, 1)],
)
def test_estimate_tokens_counts_bytes(item, tokens):
    assert estimate_tokens(item) == tokens


def test_check_defaults_refuses_settings_that_a_service_has_not():
    assert check_defaults(CONFIG, {"entity_threshold": None, "batch_size": 4}) == {"batch_size": 4}
    with pytest.raises(ValueError, match="a service has no setting 'splitter'"):
        check_defaults(CONFIG, {"splitter": print})
    with pytest.raises(ValueError, match="batch_size must be an integer >= 1, got 0"):
        check_defaults(CONFIG, {"batch_size": 0})


KEYS = st.sampled_from("text texts tokens sentences entities overlap context on_error entity_threshold x".split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4) | VALUES | st.binary(max_size=20))
def test_read_call_answers_any_body_with_a_call_or_a_refusal(body):
    try:
        call = read(body)
    except Refusal as refusal:
        assert refusal.status == 422 and str(refusal)
    else:
        assert len(call.tokens) == len(call.inputs) <= 3 and all(count >= 1 for count in call.tokens)


@pytest.mark.parametrize("name", ["max_texts", "timeout", "max_wait_ms"])
def test_limits_refuse_what_is_no_limit(name):
    for value in (-1, True, "1", float("nan")):
        with pytest.raises(ValueError, match=f"{name} must be "):
            Limits(**{name: value})
