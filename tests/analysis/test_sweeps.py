"""Thresholds: filtering is what the metric and the model would say, the best are the best, and a model keeps them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_examples import SYMMETRIC, row_pairs

from modeling_spert import SpertConfig
from modeling_spert.analysis import Thresholds, at_thresholds, best_thresholds, save_thresholds
from modeling_spert.analysis.sweeps import sweep_entities, sweep_relations
from modeling_spert.evaluation.metrics import score_examples


def build_row(entities, relations=()):
    return {
        "tokens": ["w"] * 9,
        "entities": [{"type": "A", "start": i, "end": i + 1, **item} for i, item in enumerate(entities)],
        "relations": [{"type": "r", "head": head, "tail": tail, **item} for head, tail, item in relations],
    }


@given(row_pairs(), st.integers(0, 20), st.integers(0, 20))
@settings(max_examples=50)
def test_filtering_keeps_what_reaches_both_thresholds(pairs, entity, relation):
    entity, relation = entity / 20, relation / 20
    for _, row in pairs:
        (kept,) = at_thresholds([row], entity, relation)
        assert kept["entities"] == [e for e in row["entities"] if e["score"] >= entity]
        ends = [(row["entities"][r["head"]], row["entities"][r["tail"]], r) for r in row["relations"]]
        expected = [r for *both, r in ends if r["score"] >= relation and all(e["score"] >= entity for e in both)]
        assert [r["score"] for r in kept["relations"]] == [r["score"] for r in expected]
        for before, after in zip(expected, kept["relations"], strict=True):
            for end in ("head", "tail"):
                assert kept["entities"][after[end]] == row["entities"][before[end]]


def test_filtering_without_an_entity_threshold_keeps_the_winners():
    row = build_row([{"score": 0.3, "wins": True}, {"score": 0.45, "wins": False}, {}], [(0, 1, {}), (0, 2, {})])
    (kept,) = at_thresholds([row])
    assert [e["start"] for e in kept["entities"]] == [0, 2]
    assert [(r["head"], r["tail"]) for r in kept["relations"]] == [(0, 1)]


@given(row_pairs())
@settings(max_examples=30)
def test_sweep_points_are_the_metrics_scores(pairs):
    gold, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    sweeps = {
        "ner": sweep_entities(gold, predicted, 0.5),
        "rel_strict": sweep_relations(gold, predicted, 0.5, 0.4, SYMMETRIC),
    }
    for prefix, sweep in sweeps.items():
        for point in (*sweep.points, sweep.chosen, sweep.best) if sweep else ():
            thresholds = (point.threshold, None) if prefix == "ner" else (0.5, point.threshold)
            scores = score_examples(gold, at_thresholds(predicted, *thresholds), symmetric_relation_types=SYMMETRIC)
            assert point.f1 == scores[f"{prefix}_f1_micro"]
            assert point.recall == scores[f"{prefix}_recall_micro"]
            assert sweep.best.f1 >= point.f1 or point is sweep.chosen


def test_best_thresholds_are_in_the_middle_between_right_and_wrong():
    gold = [build_row([{}, {}, {}], [(0, 1, {}), (1, 2, {})])]
    predicted = [
        build_row(
            [{"score": s, "wins": True} for s in (0.9, 0.9, 0.8, 0.4)],
            [(0, 1, {"score": 0.7}), (1, 2, {"score": 0.6}), (2, 0, {"score": 0.2}), (0, 3, {"score": 0.9})],
        )
    ]
    best = best_thresholds(gold, predicted)
    assert best.entity_threshold == pytest.approx(0.6, abs=0.011)
    assert best.relation_threshold == pytest.approx(0.4, abs=0.011)


def test_best_thresholds_leave_the_best_class_where_no_number_does_better():
    gold = [build_row([{}, {}])]
    predicted = [build_row([{"score": 0.9, "wins": True}, {"score": 0.8, "wins": True}])]
    assert best_thresholds(gold, predicted) == Thresholds(None, 0.4)


def test_best_thresholds_without_scores_or_rows():
    assert best_thresholds([], []) == Thresholds(None, 0.4)
    row = build_row([{}], [])
    assert best_thresholds([row], [row]) == Thresholds(None, 0.4)


def test_save_thresholds_changes_nothing_else(tmp_path):
    SpertConfig(entity_types=["A"], relation_types=["r"]).save_pretrained(tmp_path)
    before = json.loads((tmp_path / "config.json").read_text())
    files = {path.name for path in tmp_path.iterdir()}
    save_thresholds(tmp_path, Thresholds(None, 0.31))
    assert json.loads((tmp_path / "config.json").read_text()) == {**before, "relation_threshold": 0.31}
    assert SpertConfig.from_pretrained(tmp_path).relation_threshold == 0.31
    assert {path.name for path in tmp_path.iterdir()} == files


def test_save_thresholds_writes_the_entity_threshold(tmp_path):
    SpertConfig(entity_types=["A"]).save_pretrained(tmp_path)
    save_thresholds(tmp_path, Thresholds(0.6, 0.4))
    assert json.loads((tmp_path / "config.json").read_text())["entity_threshold"] == 0.6


@pytest.mark.parametrize(
    ("content", "thresholds", "error", "message"),
    [
        (None, Thresholds(None, 0.4), FileNotFoundError, "holds no config.json"),
        ('{"model_type": "bert"}', Thresholds(None, 0.4), ValueError, "not the configuration of a SpERT model"),
        ('{"model_type": "spert"}', Thresholds(None, 1.4), ValueError, "relation_threshold must be between 0 and 1"),
        ('{"model_type": "spert"}', Thresholds(-1, 0.4), ValueError, "entity_threshold must be between 0 and 1"),
    ],
)
def test_save_thresholds_refuses(tmp_path, content, thresholds, error, message):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(error, match=message):
        save_thresholds(tmp_path, thresholds)
    if content is not None:
        assert (tmp_path / "config.json").read_text() == content
