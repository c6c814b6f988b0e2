"""Predictions with low thresholds: at higher ones they are exactly what the model answers."""

import pytest
from tiny_pipeline import ENTITY_TYPES, RELATION_TYPES, tiny_model, tiny_tokenizer

from modeling_spert.analysis import analyse, at_thresholds, predict_with_scores
from modeling_spert.analysis.rows import read_side
from modeling_spert.evaluation import extraction_to_example, predict_examples

ROWS = [
    {"tokens": "Ada Lund was born in Vik .".split(), "entities": [], "relations": []},
    {"tokens": "She wrote The Tide , about Oslo .".split(), "entities": [], "relations": []},
    {"tokens": [], "entities": [], "relations": []},
    {"tokens": "word born novel about word".split(), "entities": [], "relations": []},
]
SYMMETRIC = ["Near"]


@pytest.mark.parametrize("thresholds", [(None, 0.4), (None, 0.1), (0.3, 0.2), (0.6, 0.5)])
def test_predictions_filtered_are_the_models_answers(thresholds):
    model, tokenizer = tiny_model(), tiny_tokenizer()
    scored = predict_with_scores(model, tokenizer, ROWS)
    entity, relation = thresholds
    settings = {"entity_threshold": entity, "relation_threshold": relation}
    direct = predict_examples(model, tokenizer, ROWS, **settings)
    answers = [extraction_to_example(row, found) for row, found in zip(ROWS, direct, strict=True)]
    assert any(answer["relations"] for answer in answers)  # else the test says nothing
    for answer, filtered in zip(answers, at_thresholds(scored, *thresholds), strict=True):
        expected, found = read_side(answer, SYMMETRIC), read_side(filtered, SYMMETRIC)
        assert found.entities.keys() == expected.entities.keys()
        assert found.relations.keys() == expected.relations.keys()
        assert found.entities == pytest.approx(expected.entities, abs=1e-4)


def test_predictions_hold_losers_and_leave_the_model_as_it_was():
    model = tiny_model()
    scored = predict_with_scores(model, tiny_tokenizer(), ROWS)
    assert {entity["wins"] for row in scored for entity in row["entities"]} == {True, False}
    assert model.config.symmetric_relation_types == SYMMETRIC


def test_predictions_do_not_depend_on_a_stored_entity_threshold():
    plain, stored = tiny_model(), tiny_model()
    stored.config.entity_threshold = 0.6
    assert predict_with_scores(stored, tiny_tokenizer(), ROWS) == predict_with_scores(plain, tiny_tokenizer(), ROWS)
    assert stored.config.entity_threshold == 0.6


def test_predictions_of_a_model_without_relations():
    model = tiny_model(relation_types=[])
    analysis = analyse(ROWS, predict_with_scores(model, tiny_tokenizer(), ROWS), entity_types=ENTITY_TYPES)
    assert analysis.relation_sweep is None
    assert analysis.scores["rel_support"] == 0


def test_predictions_can_be_analysed():
    predictions = predict_with_scores(tiny_model(), tiny_tokenizer(), ROWS)
    analysis = analyse(
        ROWS,
        predictions,
        entity_types=ENTITY_TYPES,
        relation_types=RELATION_TYPES,
        symmetric_relation_types=SYMMETRIC,
        relation_threshold=0.4,
    )
    assert analysis.holds_losers
    assert {error.kind for error in analysis.errors} == {"spurious"}  # nothing is annotated
