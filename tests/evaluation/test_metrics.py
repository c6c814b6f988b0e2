"""Scores against the original implementation's, against an independent count, and by their laws."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_reference import CONVENTIONS, REFERENCE, example, reference, reference_from_shared, report_rows

from modeling_spert.evaluation.metrics import JointCounts, TypeCounts, precision_recall_f1, score_examples
from modeling_spert.evaluation.report import format_report

MEASURES = ("precision", "recall", "f1")


# --- Parity with the original implementation ---------------------------------------------------------------------


def reference_scores(option: str, **options: Any) -> dict[str, float]:
    data = reference()
    options = {"symmetric_relation_types": data["symmetric_relation_types"], **options}
    return score_examples(data["gold"], data["predicted"], no_overlapping=option == "no_overlapping", **options)


@pytest.mark.parametrize("option", ["overlapping", "no_overlapping"])
def test_metrics_equal_the_originals_scores(option: str) -> None:
    expected = reference()["scores"][option]
    scores = reference_scores(option)
    assert len(expected) == 18
    assert {key: scores[key] for key in expected} == pytest.approx(expected, abs=1e-6, rel=0)


@pytest.mark.parametrize("option", ["overlapping", "no_overlapping"])
def test_metrics_report_prints_the_originals_figures_for_every_type(option: str) -> None:
    expected = reference()["printed"][option]
    assert [len(expected[c]) for c in CONVENTIONS] == [6 + 2, 7 + 2, 7 + 2]
    assert report_rows(format_report(reference_scores(option)), {}) == expected


@pytest.mark.parametrize("side", ["gold", "predicted"])
def test_metrics_equal_the_originals_scores_with_symmetric_relations_turned_round(side: str) -> None:
    # In the reference, gold and predictions alike, every symmetric relation already has its earlier span as head, so
    # the parity above holds without canonicalisation too. Turned round on one side, it does not.
    data = reference()
    symmetric = data["symmetric_relation_types"]

    def turned(row: dict[str, Any]) -> dict[str, Any]:
        def turn(r: dict[str, Any]) -> dict[str, Any]:
            same_start = row["entities"][r["head"]]["start"] == row["entities"][r["tail"]]["start"]
            keep = r["type"] not in symmetric or same_start
            return r if keep else {**r, "head": r["tail"], "tail": r["head"]}

        return {**row, "relations": [turn(r) for r in row["relations"]]}

    sides = {
        name: [turned(row) for row in data[name]] if name == side else data[name] for name in ("gold", "predicted")
    }
    assert sides[side] != data[side]
    expected = data["scores"]["overlapping"]
    scores = score_examples(sides["gold"], sides["predicted"], symmetric_relation_types=symmetric)
    assert {key: scores[key] for key in expected} == pytest.approx(expected, abs=1e-6, rel=0)


def test_metrics_reference_is_what_the_original_produced(shared_dir: Path) -> None:
    assert json.loads(REFERENCE.read_text("utf-8")) == reference_from_shared(shared_dir)


# --- Each convention, one small case -----------------------------------------------------------------------------


def test_metrics_boundaries_ignore_entity_types_and_strict_does_not() -> None:
    gold = example([("A", 0, 1), ("B", 2, 3)], [("R", 0, 1)])
    predicted = example([("A", 0, 1), ("A", 2, 3)], [("R", 0, 1)])
    scores = score_examples([gold], [predicted])
    assert (scores["ner_f1_micro"], scores["rel_f1_micro"], scores["rel_strict_f1_micro"]) == (50, 100, 0)


def test_metrics_wrong_span_is_wrong_by_boundaries_too() -> None:
    gold = example([("A", 0, 1), ("B", 2, 3)], [("R", 0, 1)])
    scores = score_examples([gold], [example([("A", 0, 1), ("B", 2, 4)], [("R", 0, 1)])])
    assert (scores["ner_f1_micro"], scores["rel_f1_micro"]) == (50, 0)


def test_metrics_macro_runs_over_types_in_gold_or_predictions_only() -> None:
    # A is right, B only in gold, C only predicted; D is declared and occurs nowhere.
    gold = example([("A", 0, 1), ("B", 2, 3)], [("R", 0, 1)])
    predicted = example([("A", 0, 1), ("C", 4, 5)], [("Q", 0, 1)])
    scores = score_examples([gold], [predicted], entity_types=["D", "C", "B", "A"], relation_types=["P", "Q", "R"])
    assert scores["ner_f1_macro"] == pytest.approx(100 / 3)
    assert scores["ner_precision_macro"] == scores["ner_recall_macro"] == pytest.approx(100 / 3)
    assert scores["rel_f1_macro"] == 0
    perfect = score_examples([gold], [gold], entity_types=["A", "B", "D"], relation_types=["P", "Q", "R"])
    assert all(perfect[f"{c}_{m}_macro"] == 100 for c in CONVENTIONS for m in MEASURES)


def test_metrics_declared_types_order_and_complete_the_per_type_scores() -> None:
    gold = example([("A", 0, 1), ("B", 2, 3)], [("R", 0, 1)])
    plain, declared = score_examples([gold], [gold]), score_examples([gold], [gold], entity_types=["D", "B"])
    assert [k for k in declared if k.startswith("ner_f1/")] == ["ner_f1/D", "ner_f1/B", "ner_f1/A"]
    assert {k: v for k, v in declared.items() if not k.endswith("/D")} == plain
    assert {v for k, v in declared.items() if k.endswith("/D")} == {0}
    # An iterator serves both relation conventions.
    iterated = score_examples([gold], [gold], relation_types=iter(["Q"]))
    assert iterated["rel_f1/Q"] == iterated["rel_strict_f1/Q"] == 0


def test_metrics_symmetric_relations_match_either_way_round_in_gold_and_predictions() -> None:
    entities = [("A", 0, 1), ("B", 2, 3)]
    forward, backward = example(entities, [("S", 0, 1)]), example(entities, [("S", 1, 0)])
    for gold, predicted in ((forward, backward), (backward, forward)):
        symmetric = score_examples([gold], [predicted], symmetric_relation_types=["S"])
        assert (symmetric["rel_f1_micro"], symmetric["rel_strict_f1_micro"]) == (100, 100)
        directed = score_examples([gold], [predicted], symmetric_relation_types=["other"])
        assert (directed["rel_f1_micro"], directed["rel_strict_f1_micro"]) == (0, 0)
    both_ways = score_examples(
        [forward], [example(entities, [("S", 0, 1), ("S", 1, 0)])], symmetric_relation_types=["S"]
    )
    assert both_ways["rel_predicted"] == 1


def test_metrics_symmetric_relation_turns_entity_types_with_their_spans() -> None:
    gold = example([("A", 0, 1), ("B", 2, 3)], [("S", 0, 1)])
    swapped_types = example([("B", 0, 1), ("A", 2, 3)], [("S", 1, 0)])
    scores = score_examples([gold], [swapped_types], symmetric_relation_types=["S"])
    assert (scores["rel_f1_micro"], scores["rel_strict_f1_micro"]) == (100, 0)


def test_metrics_symmetric_relation_with_equal_starts_is_left_as_it_is() -> None:
    entities = [("A", 0, 1), ("B", 0, 3)]
    scores = score_examples(
        [example(entities, [("S", 0, 1)])], [example(entities, [("S", 1, 0)])], symmetric_relation_types=["S"]
    )
    assert scores["rel_f1_micro"] == 0


def test_metrics_no_overlapping_drops_both_entities_and_keeps_their_relations() -> None:
    nested = example([("A", 0, 3), ("B", 1, 2), ("A", 4, 5)], [("R", 1, 2), ("R", 0, 1)])
    scores = score_examples([nested], [nested], no_overlapping=True)
    assert (scores["ner_support"], scores["ner_predicted"]) == (1, 1)
    # (1, 2) -> (4, 5) stays although its head is dropped; (0, 3) -> (1, 2) overlaps itself and goes.
    assert (scores["rel_support"], scores["rel_f1_micro"], scores["rel_strict_f1_micro"]) == (1, 100, 100)


def test_metrics_no_overlapping_looks_at_each_side_alone() -> None:
    scores = score_examples([example([("A", 0, 2)])], [example([("A", 0, 2), ("B", 1, 3)])], no_overlapping=True)
    assert (scores["ner_support"], scores["ner_predicted"]) == (1, 0)


def test_metrics_no_overlapping_same_span_with_two_types_overlaps_but_a_repeated_entity_does_not() -> None:
    rows = [
        example([("A", 0, 2), ("B", 0, 2)]),
        example([("A", 0, 2), ("A", 0, 2)]),
        example([("A", 0, 2), ("A", 2, 3)]),
    ]
    assert score_examples(rows, rows, no_overlapping=True)["ner_support"] == 3


def test_metrics_count_sets_not_lists() -> None:
    gold = example([("A", 0, 1), ("B", 2, 3)], [("R", 0, 1)])
    twice = example([("A", 0, 1), ("B", 2, 3), ("A", 0, 1)], [("R", 0, 1), ("R", 2, 1)])
    assert score_examples([gold], [twice]) == score_examples([twice], [gold]) == score_examples([gold], [gold])


def test_metrics_rows_are_not_mixed() -> None:
    rows = [example([("A", 0, 1)]), example([("A", 2, 3)])]
    assert score_examples(rows, rows[::-1])["ner_f1_micro"] == 0


@pytest.mark.parametrize("rows", [[], [example([])]])
def test_metrics_empty_denominators_give_zero(rows: list[dict[str, Any]]) -> None:
    scores = score_examples(rows, rows)
    assert len(scores) == 3 * (6 + 2)
    assert set(scores.values()) == {0}
    assert precision_recall_f1(gold=0, predicted=3, correct=0) == (0, 0, 0)
    assert precision_recall_f1(gold=3, predicted=0, correct=0) == (0, 0, 0)


def test_metrics_ignore_other_keys() -> None:
    gold = {**example([("A", 0, 1)]), "tokens": ["a"], "orig_id": "x"}
    predicted = {"entities": [{"type": "A", "start": 0, "end": 1, "score": 0.5}], "relations": [], "row": 7}
    assert score_examples([gold], [predicted])["ner_f1_micro"] == 100


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        ({"entities": []}, r"row 1: the predicted row lacks \['relations'\], it has \['entities'\]"),
        (example([("A", 0, 1)], [("R", 0, 1)]), r"row 1: head and tail of a predicted relation .* 1 entities, got .*1"),
        (example([("A", 0, 1)], [("R", -1, 0)]), r"row 1: head and tail of a predicted relation .*'head': -1"),
        ({"entities": [{"type": "A", "start": 0}], "relations": []}, r"row 1: a predicted entity lacks \['end'\]"),
    ],
)
def test_metrics_bad_row_is_named(predicted: dict[str, Any], message: str) -> None:
    good = example([])
    with pytest.raises(ValueError, match=message):
        score_examples([good, good], [good, predicted])
    with pytest.raises(ValueError, match=message.replace("predicted", "gold")):
        score_examples([good, predicted], [good, good])


def test_metrics_different_numbers_of_rows_are_an_error() -> None:
    with pytest.raises(ValueError, match="same number of rows, got 2 and 1"):
        score_examples([example([])] * 2, [example([])])


def test_metrics_symmetric_types_given_as_one_string_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"pass \['Compare'\]"):
        score_examples([example([])], [example([])], symmetric_relation_types="Compare")


def test_metrics_report_names_absent_types_and_conventions() -> None:
    gold = example([("A", 0, 1), ("B", 2, 3)], [("R", 0, 1)])
    report = format_report(score_examples([gold], [gold], relation_types=["R", "Q"]), no_overlapping=True)
    assert report.startswith("Overlapping entities are left out")
    assert report.count("Not in gold or predictions, so not in the macro average: Q.") == 2
    assert [line for line in report.splitlines() if line.startswith("Correct if")] == [
        "Correct if the entity type and the span are correct.",
        "Correct if the relation type and the spans of both entities are correct (entity types are not considered).",
        "Correct if the relation type and both entities, span and entity type, are correct.",
    ]
    with pytest.raises(ValueError, match="scores lack .*'rel_precision_micro'"):
        format_report({k: v for k, v in score_examples([gold], [gold]).items() if k != "rel_precision_micro"})


# --- Laws --------------------------------------------------------------------------------------------------------

SYMMETRIC = ("S",)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row of up to five entities, overlapping or repeated at will, over nine words, and up to four relations."""
    entities = [
        (t, start, start + width)
        for t, start, width in draw(
            st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 5), st.sampled_from([1, 2, 1, 4])), max_size=5)
        )
    ]
    index = st.integers(0, max(len(entities) - 1, 0))
    pairs = st.tuples(st.sampled_from("RSQ"), index, index).filter(lambda r: entities[r[1]] != entities[r[2]])
    relations = draw(st.lists(pairs, max_size=4)) if len(set(entities)) > 1 else []
    return example(entities, relations)


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Gold and predictions; each prediction is either free, or gold with some entities of another type or missing."""
    gold, predicted = [], []
    for _ in range(draw(st.integers(0, 4))):
        gold.append(draw(rows()))
        if draw(st.booleans()):
            predicted.append(draw(rows()))
            continue
        retyped = [{**e, "type": draw(st.sampled_from([e["type"], "A"]))} for e in gold[-1]["entities"]]
        kept = [r for r in gold[-1]["relations"] if draw(st.booleans())]
        turned = [{**r, "head": r["tail"], "tail": r["head"]} if draw(st.booleans()) else r for r in kept]
        predicted.append({"entities": retyped, "relations": turned})
    return gold, predicted


def shuffled(row: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The same row with its lists in another order and its relations re-indexed."""
    order = data.draw(st.permutations(range(len(row["entities"]))))
    place = {old: new for new, old in enumerate(order)}
    relations = [{**r, "head": place[r["head"]], "tail": place[r["tail"]]} for r in row["relations"]]
    return {"entities": [row["entities"][i] for i in order], "relations": data.draw(st.permutations(relations))}


def brute_force(
    gold: list[dict[str, Any]], predicted: list[dict[str, Any]], no_overlapping: bool
) -> dict[str, tuple[set[Any], set[Any]]]:
    """Per convention the gold and predicted items of the whole corpus, written for plainness: word sets, no sweep."""
    items: dict[str, tuple[set[Any], set[Any]]] = {c: (set(), set()) for c in CONVENTIONS}
    for side, examples in enumerate((gold, predicted)):
        for n, row in enumerate(examples):
            entities = [(e["start"], e["end"], e["type"]) for e in row["entities"]]

            def clash(a: tuple[int, int, str], b: tuple[int, int, str]) -> bool:
                return a != b and bool(set(range(*a[:2])) & set(range(*b[:2])))

            for a in entities:
                if not (no_overlapping and any(clash(a, b) for b in entities)):
                    items["ner"][side].add((n, a, a[2]))
            for r in row["relations"]:
                ends = [entities[r["head"]], entities[r["tail"]]]
                if no_overlapping and clash(*ends):
                    continue
                if r["type"] in SYMMETRIC:
                    ends.sort(key=lambda a: a[0])  # stable: equal starts stay
                items["rel_strict"][side].add((n, *ends, r["type"]))
                items["rel"][side].add((n, *(a[:2] for a in ends), r["type"]))
    return items


@settings(deadline=None)
@given(corpora(), st.booleans())
def test_metrics_agree_with_a_brute_force_count(corpus: tuple[list[Any], list[Any]], no_overlapping: bool) -> None:
    scores = score_examples(*corpus, symmetric_relation_types=SYMMETRIC, no_overlapping=no_overlapping)
    for convention, (gold, predicted) in brute_force(*corpus, no_overlapping).items():
        types = sorted({item[-1] for item in gold | predicted})
        measured = {}
        for t in [*types, None]:
            g, p = ({x for x in side if t is None or x[-1] == t} for side in (gold, predicted))
            precision, recall = len(g & p) / len(p) if p else 0.0, len(g & p) / len(g) if g else 0.0
            f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
            measured[t] = [100 * value for value in (precision, recall, f1)]
            suffix = "" if t is None else f"/{t}"
            assert scores[f"{convention}_support{suffix}"] == len(g)
            assert scores[f"{convention}_predicted{suffix}"] == len(p)
        for i, m in enumerate(MEASURES):
            macro = sum(measured[t][i] for t in types) / len(types) if types else 0.0
            expected = {
                f"{m}_micro": measured[None][i],
                f"{m}_macro": macro,
                **{f"{m}/{t}": measured[t][i] for t in types},
            }
            assert {k: scores[f"{convention}_{k}"] for k in expected} == pytest.approx(expected)


@settings(deadline=None)
@given(corpora(), st.booleans(), st.data())
def test_metrics_do_not_depend_on_order(
    corpus: tuple[list[Any], list[Any]], no_overlapping: bool, data: st.DataObject
) -> None:
    gold, predicted = corpus
    order = data.draw(st.permutations(range(len(gold))))
    options: dict[str, Any] = {"symmetric_relation_types": SYMMETRIC, "no_overlapping": no_overlapping}
    moved = [[shuffled(side[i], data) for i in order] for side in (gold, predicted)]
    assert score_examples(*moved, **options) == score_examples(gold, predicted, **options)


@settings(deadline=None)
@given(corpora(), st.booleans())
def test_metrics_lie_between_0_and_100_and_gold_scores_100(corpus: tuple[list[Any], list[Any]], alone: bool) -> None:
    options: dict[str, Any] = {"symmetric_relation_types": SYMMETRIC, "no_overlapping": alone}
    scores = score_examples(*corpus, **options)
    percent = {k: v for k, v in scores.items() if "_support" not in k and "_predicted" not in k}
    assert all(0 <= v <= 100 + 1e-9 for v in percent.values())
    perfect = score_examples(corpus[0], corpus[0], **options)
    for key, support in perfect.items():
        convention, found, of_type = key.partition("_support")
        if found:
            suffixes = [of_type] if of_type else ["_micro", "_macro"]
            values = [perfect[f"{convention}_{m}{suffix}"] for m in MEASURES for suffix in suffixes]
            assert values == pytest.approx([100.0 if support else 0.0] * len(values))


@settings(deadline=None)
@given(corpora(), st.integers(0, 4), st.booleans())
def test_metrics_counts_are_additive(corpus: tuple[list[Any], list[Any]], cut: int, no_overlapping: bool) -> None:
    options: dict[str, Any] = {"symmetric_relation_types": SYMMETRIC, "no_overlapping": no_overlapping}
    counts = [JointCounts.from_example(g, p, **options) for g, p in zip(*corpus, strict=True)]
    parts = [sum(part, JointCounts()) for part in (counts[:cut], counts[cut:])]
    parts = pickle.loads(pickle.dumps(parts))  # as processes send them to each other
    assert (parts[0] + parts[1]).scores() == score_examples(*corpus, **options)
    assert parts[0] + parts[1] == parts[1] + parts[0]


def test_metrics_adding_counts_changes_neither() -> None:
    counts = TypeCounts.from_sets({(0, "A")}, {(0, "A"), (1, "B")})
    before = pickle.dumps(counts)
    assert (counts + counts).predicted == {"A": 2, "B": 2}
    assert pickle.dumps(counts) == before
