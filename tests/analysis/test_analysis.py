"""analyse: consistent with the metric, with a baseline, at the edges."""

import json

import pytest
from noisy_predictions import corrupt
from tiny_data import build_rows

from modeling_spert.analysis import analyse, at_thresholds
from modeling_spert.analysis.comparison import PREFIXES
from modeling_spert.evaluation.metrics import score_examples

GOLD = build_rows(40, 3)
SYMMETRIC = ["met"]


def analysis_of(predictions, gold=GOLD, **settings):
    return analyse(gold, predictions, symmetric_relation_types=SYMMETRIC, **settings)


def test_analysis_scores_are_those_at_the_thresholds():
    predictions = corrupt(GOLD, 1)
    analysis = analysis_of(predictions, entity_threshold=0.5, relation_threshold=0.6)
    chosen = at_thresholds(predictions, 0.5, 0.6)
    assert analysis.scores == score_examples(GOLD, chosen, symmetric_relation_types=SYMMETRIC)
    assert analysis.entity_sweep.chosen.f1 == analysis.scores["ner_f1_micro"]
    assert analysis.relation_sweep.chosen.f1 == analysis.scores["rel_strict_f1_micro"]
    json.dumps(analysis.to_dict())


def test_analysis_of_a_perfect_model_has_no_error():
    analysis = analysis_of(GOLD)
    assert analysis.errors == ()
    assert analysis.scores["rel_strict_f1_micro"] == 100
    assert analysis.entity_sweep is None and analysis.entity_calibration is None  # no scores


def test_analysis_parts_hold_every_item_once():
    analysis = analysis_of(corrupt(GOLD, 1))
    for parts, prefix in (
        (analysis.by_width, "ner"),
        (analysis.entities_by_length, "ner"),
        (analysis.by_distance, "rel_strict"),
        (analysis.relations_by_length, "rel_strict"),
    ):
        assert sum(part.support for part in parts) == analysis.scores[f"{prefix}_support"]
        assert sum(part.predicted for part in parts) == analysis.scores[f"{prefix}_predicted"]


def test_analysis_missed_item_keeps_the_score_it_had():
    gold = [{"tokens": ["Lea"], "entities": [{"type": "Per", "start": 0, "end": 1}], "relations": []}]
    found = {"type": "Per", "start": 0, "end": 1, "score": 0.31, "wins": False}
    (error,) = analysis_of([{**gold[0], "entities": [found]}], gold).errors
    assert (error.kind, error.gold_score, error.remark) == ("missed", 0.31, "its score was 0.31")


def test_analysis_finds_what_is_wrong_again_and_again():
    tokens = ["5", "-", "fluorouracil", "helps"]
    gold = [{"tokens": tokens, "entities": [{"type": "Drug", "start": 0, "end": 3}], "relations": []}] * 4
    short = {**gold[0], "entities": [{"type": "Drug", "start": 2, "end": 3}]}
    (group,) = analysis_of([short, short, gold[0], short], gold).repeated
    assert (group.kind, group.errors) == ("overlapping", (0, 1, 2))
    assert (group.gold, group.predicted) == (("5 - fluorouracil", "Drug"), ("fluorouracil", "Drug"))


def test_analysis_calibration_error_of_scores_that_tell_the_truth():
    gold, predicted = [], []
    for index in range(10):  # eight of ten entities with a score of 0.8 are right
        entity = {"type": "A", "start": 0, "end": 1}
        gold.append({"tokens": ["w"], "entities": [entity] if index < 8 else [], "relations": []})
        predicted.append({"tokens": ["w"], "entities": [{**entity, "score": 0.8}], "relations": []})
    calibration = analysis_of(predicted, gold).entity_calibration
    assert calibration.error == pytest.approx(0)
    assert (calibration.bins[8].count, calibration.bins[8].accuracy) == (10, 0.8)


def test_comparison_with_itself_changes_nothing():
    predictions = at_thresholds(corrupt(GOLD, 1))
    comparison = analysis_of(predictions, baseline=predictions).comparison
    assert comparison.appeared == comparison.changed == comparison.gone == ()
    for difference in comparison.differences.values():
        assert (difference.points, difference.low, difference.high) == (0, 0, 0)
        assert not difference.is_clear


def test_comparison_of_a_perfect_run_with_a_bad_one():
    bad = at_thresholds(corrupt(GOLD, 1, rate=0.5))
    better, worse = analysis_of(GOLD, baseline=bad), analysis_of(bad, baseline=GOLD)
    assert better.comparison.appeared == ()
    assert better.comparison.gone == worse.errors
    assert len(worse.comparison.appeared) == len(worse.errors)
    for prefix in PREFIXES:
        there, back = better.comparison.differences[prefix], worse.comparison.differences[prefix]
        assert there.low > 0 and there.is_clear and there.share_not_better == 0
        assert (there.points, there.low) == (-back.points, pytest.approx(-back.high))
        assert there.low <= there.points <= there.high


def test_comparison_finds_new_changed_and_gone_errors():
    tokens = ["Lea", "Moss", "saw", "Oslo"]
    person, place = {"type": "Per", "start": 0, "end": 2}, {"type": "Loc", "start": 3, "end": 4}
    gold = [{"tokens": tokens, "entities": [person, place], "relations": []}]
    before = [{"tokens": tokens, "entities": [], "relations": []}]  # misses both
    now = [  # the person by a word less, the place rightly, a new one
        {
            "tokens": tokens,
            "entities": [{**person, "end": 1}, place, {"type": "Per", "start": 2, "end": 3}],
            "relations": [],
        }
    ]
    analysis = analysis_of(now, gold, baseline=before)
    kinds = [error.kind for error in analysis.errors]
    assert [kinds[i] for i in analysis.comparison.appeared] == ["spurious"]
    assert [kinds[i] for i in analysis.comparison.changed] == ["word_less"]
    assert [error.gold.type for error in analysis.comparison.gone] == ["Loc"]
    assert analysis.comparison.stayed == 0


def test_comparison_draws_documents_where_there_are_some():
    gold = [{**row, "doc_id": f"d{i // 4}", "sentence_index": i % 4} for i, row in enumerate(GOLD)]
    predictions = corrupt(gold, 1)
    assert analysis_of(predictions, gold, baseline=gold).comparison.units == "10 documents"
    assert analysis_of(corrupt(GOLD, 1), baseline=GOLD).comparison.units == "40 sentences"


def test_comparison_is_the_same_for_the_same_seed():
    one, two = (analysis_of(corrupt(GOLD, 1), baseline=GOLD, seed=5) for _ in range(2))
    assert one.comparison == two.comparison
    assert analysis_of(corrupt(GOLD, 1), baseline=GOLD, seed=6).comparison != one.comparison


@pytest.mark.parametrize("with_baseline", [False, True])
def test_analysis_of_no_rows(with_baseline):
    analysis = analysis_of([], [], baseline=[] if with_baseline else None)
    assert analysis.errors == () and analysis.by_width == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"predictions": GOLD[:2]}, "predictions must have one row for each of the 40 gold rows, got 2"),
        ({"baseline": GOLD[:2]}, "baseline must have one row"),
        ({"predictions": GOLD[1:] + GOLD[:1]}, "predictions, row 0: its words are not those of the gold row"),
        ({"entity_threshold": 1.5}, "entity_threshold must be between 0 and 1"),
        ({"relation_threshold": -1}, "relation_threshold must be between 0 and 1"),
    ],
)
def test_analysis_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        analyse(GOLD, **{"predictions": GOLD, **settings})
