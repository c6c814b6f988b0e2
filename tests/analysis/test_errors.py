"""The error sorter: each kind by example, and that every item is accounted for exactly once."""

import pytest
from hypothesis import given
from random_examples import SYMMETRIC, row_pairs

from modeling_spert.analysis.confusion import confuse_entities, confuse_relations
from modeling_spert.analysis.errors import find_errors, sort_entities, sort_relations
from modeling_spert.analysis.rows import read_rows
from modeling_spert.evaluation.metrics import TypedPair, TypedSpan, score_examples

GOLD = TypedSpan(2, 4, "A")
ENTITY_CASES = [
    ((2, 4, "B"), "wrong_type"),
    ((2, 5, "A"), "word_more"),
    ((1, 4, "A"), "word_more"),
    ((3, 4, "A"), "word_less"),
    ((2, 3, "A"), "word_less"),
    ((3, 5, "A"), "overlapping"),
    ((1, 5, "A"), "overlapping"),
    ((2, 6, "A"), "overlapping"),
    ((3, 4, "B"), "wrong_span_and_type"),
]


@pytest.mark.parametrize(("predicted", "kind"), ENTITY_CASES, ids=[f"{c[0]}" for c in ENTITY_CASES])
def test_errors_entity_kinds(predicted, kind):
    assert sort_entities({GOLD}, {TypedSpan(*predicted)}) == [(kind, GOLD, TypedSpan(*predicted))]


def test_errors_entity_elsewhere_is_missed_and_spurious():
    other = TypedSpan(4, 6, "A")
    assert sort_entities({GOLD}, {other}) == [("missed", GOLD, None), ("spurious", None, other)]


def test_errors_the_closest_prediction_is_the_partner():
    near, far = TypedSpan(2, 5, "A"), TypedSpan(3, 6, "A")
    assert sort_entities({GOLD}, {far, near}) == [("word_more", GOLD, near), ("spurious_overlapping", None, far)]


@pytest.mark.parametrize(("start", "kind"), [(3, "overlapping"), (4, "")])
def test_errors_entity_that_shares_words_with_a_found_one_only_is_overlapping(start, kind):
    inner = TypedSpan(start, start + 2, "B")
    suffix = f"_{kind}" if kind else ""
    assert sort_entities({GOLD}, {GOLD, inner}) == [(f"spurious{suffix}", None, inner)]
    assert sort_entities({GOLD, inner}, {GOLD}) == [(f"missed{suffix}", inner, None)]


def test_errors_the_right_span_is_a_better_partner_than_the_right_type():
    same_span, same_type = TypedSpan(2, 4, "B"), TypedSpan(2, 5, "A")
    assert sort_entities({GOLD}, {same_span, same_type})[0] == ("wrong_type", GOLD, same_span)


A, B, C = TypedSpan(0, 1, "A"), TypedSpan(2, 4, "B"), TypedSpan(5, 6, "A")
LINK = TypedPair(A, B, "r")
RELATION_CASES = [
    (TypedPair(A, TypedSpan(2, 4, "A"), "r"), "wrong_entity_type"),
    (TypedPair(B, A, "r"), "wrong_direction"),
    (TypedPair(A, B, "s"), "wrong_type"),
    (TypedPair(B, A, "s"), "wrong_type"),
    (TypedPair(A, TypedSpan(3, 4, "B"), "r"), "wrong_spans"),
]


@pytest.mark.parametrize(("predicted", "kind"), RELATION_CASES, ids=[c[1] for c in RELATION_CASES])
def test_errors_relation_kinds(predicted, kind):
    assert sort_relations({LINK}, {predicted}) == [(kind, LINK, predicted)]


def test_errors_relation_elsewhere_is_missed_and_spurious():
    other = TypedPair(B, C, "r")
    assert sort_relations({LINK}, {other}) == [("missed", LINK, None), ("spurious", None, other)]


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (TypedPair(A, B, "s"), "similar"),  # the same two spans
        (TypedPair(B, A, "r"), "similar"),
        (TypedPair(A, TypedSpan(3, 5, "B"), "r"), "similar"),  # the same type, a span that overlaps
        (TypedPair(A, TypedSpan(3, 5, "B"), "s"), ""),
        (TypedPair(A, C, "r"), ""),
    ],
)
def test_errors_relation_like_a_found_one_only_is_one_of_several(other, kind):
    suffix = f"_{kind}" if kind else ""
    assert sort_relations({LINK}, {LINK, other}) == [(f"spurious{suffix}", None, other)]
    assert sort_relations({LINK, other}, {LINK}) == [(f"missed{suffix}", other, None)]


@given(row_pairs())
def test_errors_a_spurious_entity_shares_no_word_with_gold(pairs):
    rows = rows_of(pairs)[2]
    for error in find_errors(rows, confident=0.9):
        own, others = (
            error.predicted or error.gold,
            rows[error.row].gold if error.predicted else rows[error.row].predicted,
        )
        if error.level == "entity" and (error.gold is None or error.predicted is None):
            shares = any(own.start < span.end and span.start < own.end for span in others.entities)
            assert shares == error.kind.endswith("_overlapping")
            assert not (shares and error.candidate)


def rows_of(pairs):
    gold, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return gold, predicted, read_rows(gold, predicted, predicted, SYMMETRIC)


@given(row_pairs())
def test_errors_add_up_to_the_metric(pairs):
    gold, predicted, rows = rows_of(pairs)
    errors = find_errors(rows, confident=0.9)
    scores = score_examples(gold, predicted, symmetric_relation_types=SYMMETRIC)
    for level, prefix, side in (("entity", "ner", "entities"), ("relation", "rel_strict", "relations")):
        own = [error for error in errors if error.level == level]
        missing = [(error.row, error.gold) for error in own if error.gold is not None]
        wrong = [(error.row, error.predicted) for error in own if error.predicted is not None]
        assert len(set(missing)) == len(missing)  # each at most once
        assert len(set(wrong)) == len(wrong)
        right = {(i, item) for i, row in enumerate(rows) for item in getattr(row.gold, side)} - set(missing)
        assert right == {(i, item) for i, row in enumerate(rows) for item in getattr(row.predicted, side)} - set(wrong)
        assert len(right) + len(missing) == scores[f"{prefix}_support"]
        assert len(right) + len(wrong) == scores[f"{prefix}_predicted"]
        if right:
            assert 100 * len(right) / (len(right) + len(missing)) == pytest.approx(scores[f"{prefix}_recall_micro"])


@given(row_pairs())
def test_errors_missed_and_spurious_have_one_side_the_others_two(pairs):
    for error in find_errors(rows_of(pairs)[2], confident=0.9):
        sides = (error.gold is not None, error.predicted is not None)
        start = error.kind.split("_")[0]
        assert sides == {"missed": (True, False), "spurious": (False, True)}.get(start, (True, True))


@given(row_pairs())
def test_confusion_diagonal_and_margins_are_the_metrics(pairs):
    gold, predicted, rows = rows_of(pairs)
    scores = score_examples(gold, predicted, symmetric_relation_types=SYMMETRIC)
    for prefix, confusion in (("ner", confuse_entities(rows, ())), ("rel", confuse_relations(rows, ()))):
        for index, label in enumerate(confusion.labels):
            row, column = confusion.counts[index], [line[index] for line in confusion.counts]
            assert sum(row) == scores[f"{prefix}_support/{label}"]
            assert sum(column) == scores[f"{prefix}_predicted/{label}"]
            if sum(row):
                assert 100 * row[index] / sum(row) == pytest.approx(scores[f"{prefix}_recall/{label}"])
        assert confusion.counts[-1][-1] == 0


def test_errors_candidates_are_confident_and_alone():
    tokens = "Lea met Ida in Rome and Rome is old".split()
    gold = [
        {"tokens": tokens, "entities": [{"type": "Place", "start": 4, "end": 5}], "relations": []},
        {"tokens": ["Rome"], "entities": [{"type": "Place", "start": 0, "end": 1}], "relations": []},
    ]
    found = [
        {"type": "Place", "start": 6, "end": 7, "score": 0.95},  # annotated twice elsewhere
        {"type": "Place", "start": 0, "end": 1, "score": 0.5},
        {"type": "Place", "start": 3, "end": 6, "score": 0.99},  # overlaps what is annotated
        {"type": "Place", "start": 4, "end": 5, "score": 0.99},
    ]
    predicted = [{"tokens": tokens, "entities": found, "relations": []}, gold[1]]
    errors = find_errors(read_rows(gold, predicted, predicted, ()), confident=0.9)
    assert [(e.predicted.start, e.candidate, e.evidence) for e in errors] == [
        (0, False, 0),
        (3, False, 0),
        (6, True, 2),
    ]
