"""From logits to entities and relations: thresholds, symmetric types, pieces of sentences, overlaps."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import build_window
from torch import Tensor

from modeling_spert import SpertConfig, SpertOutput
from modeling_spert.configuration_spert import OVERLAP_MODES
from modeling_spert.decoding_spert import (
    DecodingRules,
    Entity,
    Extraction,
    Relation,
    build_extraction,
    decode_windows,
    decoding_rules,
    merge_pieces,
    resolve_overlaps,
)
from modeling_spert.windows_spert import Window

RULES = DecodingRules(("A", "B"), ("r", "s"), frozenset("s"), relation_threshold=0.4)


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def output_of(
    spans: list[list[int]], labels: list[int], pairs: list[list[int]] = (), scores: list[list[float]] = ()
) -> SpertOutput:
    """What a model that gives each label 0.8 and each pair these probabilities would return."""
    entity_logits = torch.zeros(len(spans), 3)
    entity_logits[range(len(spans)), labels] = math.log(8)  # 8 : 1 : 1
    relation_logits = torch.tensor([[logit(p) for p in row] for row in scores]).reshape(-1, 2)
    tensors: list[Tensor] = [torch.tensor(rows, dtype=torch.long) for rows in (spans, list(pairs))]
    entities = torch.tensor(labels, dtype=torch.long).nonzero().squeeze(1)
    spans_S3, pairs_P2 = tensors[0].reshape(-1, 3), tensors[1].reshape(-1, 2)
    return SpertOutput(None, entity_logits, relation_logits, spans_S3, pairs_P2, entities)


def decode_one(output: SpertOutput, rules: DecodingRules = RULES, window: Window | None = None) -> Extraction:
    ((extraction,),) = decode_windows(output, [window or build_window([1] * 9)], rules)
    return extraction


def rounded(extraction: Extraction) -> list[tuple[int, int, str, float]]:
    return [(r.head, r.tail, r.label, round(r.score, 4)) for r in extraction.relations]


# --- Entities and relations ---------------------------------------------------------------------------------------


def test_decoding_sorts_entities_and_points_relations_at_them():
    spans = [[0, 5, 6], [0, 1, 3], [0, 1, 2], [0, 7, 8], [0, 3, 4]]
    output = output_of(spans, [1, 2, 1, 0, 2], [[0, 1], [2, 0], [4, 2]], [[0.9, 0.1], [0.6, 0.1], [0.5, 0.1]])
    extraction = decode_one(output)
    assert [(e.start, e.end, e.label) for e in extraction.entities] == [
        (1, 2, "A"), (1, 3, "B"), (3, 4, "B"), (5, 6, "A")
    ]  # fmt: skip
    assert [e.score for e in extraction.entities] == pytest.approx([0.8] * 4)
    assert rounded(extraction) == [(0, 3, "r", 0.6), (2, 0, "r", 0.5), (3, 1, "r", 0.9)]
    assert all(type(e.start) is int and type(e.score) is float for e in extraction.entities)


def test_decoding_gives_every_type_that_holds():
    output = output_of([[0, 0, 1], [0, 2, 3]], [1, 1], [[0, 1], [1, 0]], [[0.9, 0.8], [0.1, 0.2]])
    assert rounded(decode_one(output)) == [(0, 1, "r", 0.9), (0, 1, "s", 0.8)]


def test_decoding_relation_threshold_is_reached_not_passed():
    scores = torch.tensor([[0.4, 0.3999999], [0.4000001, 0.0]])
    output = output_of([[0, 0, 1], [0, 2, 3]], [1, 1], [[0, 1], [1, 0]], [[0.5, 0.5], [0.5, 0.5]])
    rules = DecodingRules(("A", "B"), ("r", "t"), frozenset(), relation_threshold=0.4)
    output.relation_logits = torch.logit(scores.double())
    assert [(r.head, r.tail, r.label) for r in decode_one(output, rules).relations] == [(0, 1, "r"), (1, 0, "r")]
    for threshold, expected in ((0.0, 4), (0.5, 0), (1.0, 0)):
        rules = DecodingRules(("A", "B"), ("r", "t"), frozenset(), threshold)
        assert len(decode_one(output, rules).relations) == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_decoding_takes_half_precision(dtype: torch.dtype):
    output = output_of([[0, 0, 1], [0, 2, 3]], [1, 2], [[0, 1]], [[0.75, 0.01]])
    output.entity_logits, output.relation_logits = output.entity_logits.to(dtype), output.relation_logits.to(dtype)
    extraction = decode_one(output)
    assert [e.label for e in extraction.entities] == ["A", "B"] and [r.label for r in extraction.relations] == ["r"]
    assert extraction.relations[0].score == pytest.approx(0.75, abs=0.01)


def test_decoding_keeps_the_entities_that_the_model_found():
    """Also one that *none* beats: the model was given a low threshold."""
    output = output_of([[0, 0, 1], [0, 2, 3], [0, 4, 5]], [1, 0, 2])
    output.entity_logits[0] = torch.log(torch.tensor([0.6, 0.3, 0.1]))
    assert [(e.start, e.label, round(e.score, 4)) for e in decode_one(output).entities] == [
        (0, "A", 0.3), (4, "B", 0.8)
    ]  # fmt: skip
    output.entities = torch.tensor([1])
    assert [(e.start, e.label) for e in decode_one(output).entities] == [(2, "A")]


def test_decoding_given_spans_need_their_entities():
    output = SpertOutput(**{**output_of([[0, 0, 1]], [1]), "entities": None})
    with pytest.raises(ValueError, match=r"the model got spans to classify: pass their entities as given=\[…\]"):
        decode_one(output)


@pytest.mark.parametrize("name", ["entity_logits", "relation_logits"])
def test_decoding_refuses_scores_that_are_not_numbers(name: str):
    """They gave an empty answer without a word."""
    output = output_of([[0, 0, 1], [0, 2, 3]], [1, 2], [[0, 1]], [[0.9, 0.1]])
    output[name][0, 0] = math.nan
    with pytest.raises(ValueError, match=r"the model's scores are not numbers \(NaN\): its weights are damaged, or"):
        decode_one(output)
    output[name][0, 0] = -math.inf  # a class that someone has switched off
    decode_one(output)


def test_decoding_leaves_hidden_states_alone():
    output = output_of([[0, 0, 1]], [1])
    output.hidden_states = (torch.zeros(1, 2, 3),)
    assert len(decode_one(output).entities) == 1


def test_decoding_symmetric_relations_start_with_the_earlier_span():
    # In pair order: (1, 0) comes second. Whatever the scores, the first one stays.
    spans, labels = [[0, 0, 2], [0, 3, 4]], [1, 2]
    for first, second in ((0.5, 0.9), (0.9, 0.5)):
        output = output_of(spans, labels, [[0, 1], [1, 0]], [[first, first], [second, second]])
        assert rounded(decode_one(output)) == [(0, 1, "r", first), (0, 1, "s", first), (1, 0, "r", second)]
        output = output_of(spans, labels, [[1, 0], [0, 1]], [[first, first], [second, second]])
        assert rounded(decode_one(output)) == [(0, 1, "r", second), (0, 1, "s", first), (1, 0, "r", first)]
    output = output_of(spans, labels, [[0, 1], [1, 0]], [[0.1, 0.1], [0.8, 0.7]])  # only the other way round
    assert rounded(decode_one(output)) == [(0, 1, "s", 0.7), (1, 0, "r", 0.8)]


def test_decoding_symmetric_relations_of_equal_starts_are_left():
    output = output_of([[0, 0, 1], [0, 0, 3]], [1, 2], [[0, 1], [1, 0]], [[0.1, 0.6], [0.1, 0.7]])
    assert rounded(decode_one(output)) == [(0, 1, "s", 0.6), (1, 0, "s", 0.7)]


def test_decoding_sorts_into_windows_and_sentences():
    windows = [build_window([1, 1, 1], [1, 1]), build_window(), build_window([1, 1, 1, 1])]
    spans = [[0, 0, 1], [0, 2, 3], [0, 3, 4], [0, 3, 5], [2, 1, 4], [2, 0, 1]]
    pairs = [[0, 1], [3, 2], [4, 5]]
    output = output_of(spans, [1, 2, 1, 2, 1, 2], pairs, [[0.9, 0.1], [0.1, 0.8], [0.7, 0.6]])
    (first, second), nothing, (last,) = decode_windows(output, windows, RULES)
    assert [(e.start, e.end) for e in first.entities] == [(0, 1), (2, 3)] and rounded(first) == [(0, 1, "r", 0.9)]
    # Words count from the sentence's first.
    assert [(e.start, e.end) for e in second.entities] == [(0, 1), (0, 2)] and rounded(second) == [(1, 0, "s", 0.8)]
    assert nothing == []
    assert [(e.start, e.end) for e in last.entities] == [(0, 1), (1, 4)]
    assert rounded(last) == [(0, 1, "s", 0.6), (1, 0, "r", 0.7)]


def test_decoding_without_entities_or_relations_is_empty():
    assert decode_one(output_of([], [])) == Extraction()
    assert decode_one(output_of([[0, 0, 1], [0, 2, 3]], [0, 0])) == Extraction()
    assert decode_one(output_of([[0, 0, 1], [0, 2, 3]], [1, 0])).relations == ()


def test_decoding_given_entities_stand_whatever_the_model_says():
    spans, known = [[0, 4, 5], [0, 1, 3], [0, 1, 3]], [Entity(9, 9, "A"), Entity(0, 0, "B", 0.5), Entity(9, 9, "C")]
    output = output_of(spans, [0, 0, 0], [[0, 1], [1, 0]], [[0.9, 0.1], [0.2, 0.7]])
    ((extraction,),) = decode_windows(output, [build_window([1] * 6)], RULES, known)
    assert extraction.entities == (Entity(1, 3, "B", 0.5), Entity(1, 3, "C"), Entity(4, 5, "A"))
    assert rounded(extraction) == [(0, 2, "s", 0.7), (2, 0, "r", 0.9)]


def test_decoding_scores_are_those_of_the_temperatures_and_so_is_the_threshold():
    output = output_of([[0, 0, 1], [0, 2, 3]], [1, 2], [[0, 1], [1, 0]], [[0.8, 0.1], [0.1, 0.2]])
    rules = replace(RULES, entity_temperature=3.0, relation_temperature=2.0)
    extraction = decode_one(output, rules)
    assert [entity.score for entity in extraction.entities] == pytest.approx([2 / 4] * 2)  # 8 ** (1 / 3) : 1 : 1
    assert rounded(extraction) == [(0, 1, "r", 0.6667)]  # odds 4 become 2; those of 0.2, 1 / 4, become 1 / 2
    assert rounded(decode_one(output, replace(rules, relation_threshold=0.7))) == []
    warm = decode_one(output, replace(rules, relation_threshold=0.33))
    assert rounded(warm) == [(0, 1, "r", 0.6667), (0, 1, "s", 0.3333)]


def test_decoding_at_temperature_1_is_as_without():
    spans, pairs = [[0, 0, 1], [0, 2, 3]], [[0, 1], [1, 0]]
    output = output_of(spans, [1, 2], pairs, [[0.41, 0.1], [0.1, 0.7]])
    plain = decode_one(output)
    assert plain == decode_one(output, replace(RULES, entity_temperature=1, relation_temperature=1))
    assert plain.relations[0].score == float(torch.tensor(logit(0.41)).sigmoid())


def test_decoding_rules_take_the_configurations_thresholds():
    config = SpertConfig(
        entity_types=["A", "B"], relation_types=["r", "s"], symmetric_relation_types=["s"], relation_threshold=0.4
    )
    assert decoding_rules(config) == RULES
    assert decoding_rules(config, relation_threshold=0.0).relation_threshold == 0
    for value in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match=f"relation_threshold must be between 0 and 1, got {value}"):
            decoding_rules(config, relation_threshold=value)


# --- Signatures ---------------------------------------------------------------------------------------------------

SIGNED = replace(RULES, relation_signatures=frozenset({("A", "r", "B"), ("A", "s", "B")}))


def test_decoding_drops_relations_between_types_that_no_signature_joins():
    spans, labels = [[0, 0, 1], [0, 2, 3], [0, 4, 5]], [1, 2, 2]  # A B B
    pairs = [[0, 1], [1, 0], [0, 2], [1, 2]]
    output = output_of(spans, labels, pairs, [[0.9, 0.1], [0.8, 0.1], [0.7, 0.1], [0.6, 0.1]])
    assert [r[:3] for r in rounded(decode_one(output))] == [(0, 1, "r"), (0, 2, "r"), (1, 0, "r"), (1, 2, "r")]
    found = decode_one(output, SIGNED)
    assert [r[:3] for r in rounded(found)] == [(0, 1, "r"), (0, 2, "r")]
    assert len(found.entities) == 3


def test_decoding_symmetric_signatures_hold_in_either_order():
    for labels, kept in (([1, 2], ["s"]), ([2, 1], ["s"]), ([1, 1], [])):
        output = output_of([[0, 0, 1], [0, 2, 3]], labels, [[0, 1]], [[0.1, 0.9]])
        assert [r.label for r in decode_one(output, SIGNED).relations] == kept


def test_decoding_checks_only_what_signatures_name():
    """Neither a relation type without a signature, nor a given entity of a type that is not the model's."""
    rules = replace(RULES, relation_signatures=frozenset({("A", "r", "B")}))
    output = output_of([[0, 0, 1], [0, 2, 3]], [2, 2], [[0, 1]], [[0.9, 0.9]])
    assert [r.label for r in decode_one(output, rules).relations] == ["s"]
    known = [Entity(0, 1, "Other"), Entity(2, 3, "B")]
    ((extraction,),) = decode_windows(output, [build_window([1] * 9)], rules, known)
    assert [r.label for r in extraction.relations] == ["r", "s"]


def test_decoding_rules_take_the_configurations_signatures():
    labels = {"entity_types": ["A", "B"], "relation_types": ["r", "s"]}
    config = SpertConfig(**labels, relation_signatures=[["A", "r", "B"]])
    assert decoding_rules(config).relation_signatures == {("A", "r", "B")}
    assert decoding_rules(SpertConfig(**labels)).relation_signatures == frozenset()


# --- Laws ---------------------------------------------------------------------------------------------------------


@st.composite
def extractions(draw: st.DrawFn, max_entities: int = 7) -> Extraction:
    spans = st.tuples(st.integers(0, 8), st.integers(1, 4), st.sampled_from("AB"), st.integers(1, 100))
    drawn = draw(st.lists(spans, max_size=max_entities, unique_by=lambda span: span[:2]))
    entities = [Entity(start, start + width, label, score / 100) for start, width, label, score in drawn]
    pairs = list(itertools.permutations(range(len(entities)), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=6)) if pairs else []
    return build_extraction(entities, [Relation(h, t, "r", 0.5 + i / 100) for i, (h, t) in enumerate(chosen)])


def spelled_out(extraction: Extraction) -> set[tuple[Any, ...]]:
    """Relations with their entities in the place of indices."""
    e = extraction.entities
    return {(e[r.head], e[r.tail], r.label, r.score) for r in extraction.relations}


@given(extractions(), st.randoms(use_true_random=False))
def test_decoding_build_extraction_sorts_and_keeps_what_relations_relate(extraction: Extraction, random: Any):
    order = list(range(len(extraction.entities)))
    random.shuffle(order)
    shuffled = [extraction.entities[i] for i in order]
    moved = [Relation(order.index(r.head), order.index(r.tail), r.label, r.score) for r in extraction.relations]
    random.shuffle(moved)
    rebuilt = build_extraction(shuffled, moved)
    assert rebuilt == extraction
    assert list(rebuilt.entities) == sorted(rebuilt.entities) and list(rebuilt.relations) == sorted(rebuilt.relations)


def clash(a: Entity, b: Entity, mode: str) -> bool:
    shared = set(range(a.start, a.end)) & set(range(b.start, b.end))
    smaller = min(a.end - a.start, b.end - b.start)
    return mode != "allow" and bool(shared) and (mode == "flat" or len(shared) < smaller)


@given(extractions(), st.sampled_from(OVERLAP_MODES))
def test_decoding_resolve_overlaps_keeps_the_better_of_what_clashes(extraction: Extraction, mode: str):
    resolved = resolve_overlaps(extraction, mode)
    kept = set(resolved.entities)
    assert not any(clash(a, b, mode) for a, b in itertools.combinations(resolved.entities, 2))
    for entity in set(extraction.entities) - kept:  # each dropped entity clashes with one at least as good
        assert any(clash(entity, other, mode) and other.score >= entity.score for other in kept)
    # Relations between entities that stay, stay; the others go.
    assert spelled_out(resolved) == {r for r in spelled_out(extraction) if r[0] in kept and r[1] in kept}
    assert resolve_overlaps(resolved, mode) == resolved
    assert mode != "allow" or resolved == extraction


def test_decoding_resolve_overlaps_knows_three_modes():
    inner, outer, crossing = Entity(1, 2, "A", 0.7), Entity(0, 3, "B", 0.9), Entity(2, 4, "A", 0.8)
    extraction = build_extraction([inner, outer, crossing], [Relation(0, 1, "r"), Relation(1, 2, "r")])
    assert resolve_overlaps(extraction, "nested").entities == (outer, inner)
    assert resolve_overlaps(extraction, "nested").relations == (Relation(1, 0, "r"),)
    assert resolve_overlaps(extraction, "flat") == Extraction((outer,))
    with pytest.raises(ValueError, match="overlap must be one of allow, nested, flat, got 'none'"):
        resolve_overlaps(extraction, "none")


class CountedWord(int):
    """A position that counts the comparisons of all."""

    comparisons = 0

    def __lt__(self, other: int) -> bool:
        CountedWord.comparisons += 1
        return int(self) < int(other)

    def __gt__(self, other: int) -> bool:
        CountedWord.comparisons += 1
        return int(self) > int(other)


@pytest.mark.parametrize("mode", ["flat", "nested"])
def test_decoding_resolve_overlaps_compares_few_entities(mode: str):
    """Twice the entities took four times as long."""
    entities = tuple(Entity(CountedWord(2 * i), CountedWord(2 * i + 2), "A", 1 / (1 + i)) for i in range(2_000))
    CountedWord.comparisons = 0
    assert len(resolve_overlaps(Extraction(entities), mode).entities) == 2_000
    assert CountedWord.comparisons < 2_000 * 40


@given(extractions(), st.integers(0, 4))
def test_decoding_merge_pieces_puts_a_cut_sentence_together(extraction: Extraction, overlap: int):
    # Two pieces of one sentence, cut at word 5: each sees what lies inside it.
    def inside(low: int, high: int) -> tuple[int, Extraction]:
        numbers = [i for i, e in enumerate(extraction.entities) if low <= e.start and e.end <= high]
        entities = [extraction.entities[i] for i in numbers]
        moved = [Entity(e.start - low, e.end - low, e.label, e.score) for e in entities]
        relations = [
            Relation(numbers.index(r.head), numbers.index(r.tail), r.label, r.score)
            for r in extraction.relations
            if r.head in numbers and r.tail in numbers
        ]
        return low, build_extraction(moved, relations)

    pieces = [inside(0, 5 + overlap), inside(5, 20)]
    merged = merge_pieces(pieces)
    seen = {e for e in extraction.entities if e.end <= 5 + overlap or e.start >= 5}
    assert set(merged.entities) == seen and len(merged.entities) == len(seen)
    together = {
        (head, tail, label, score)
        for head, tail, label, score in spelled_out(extraction)
        if max(head.end, tail.end) <= 5 + overlap or min(head.start, tail.start) >= 5
    }
    assert spelled_out(merged) == together
    assert merge_pieces(reversed(pieces)) == merged


def test_decoding_merge_pieces_keeps_the_better_score():
    first = Extraction((Entity(4, 5, "A", 0.6), Entity(6, 7, "A", 0.9)), (Relation(0, 1, "r", 0.5),))
    second = Extraction((Entity(1, 2, "B", 0.8), Entity(3, 4, "B", 0.7)), (Relation(0, 1, "r", 0.45),))
    merged = merge_pieces([(0, first), (3, second)])
    assert merged.entities == (Entity(4, 5, "B", 0.8), Entity(6, 7, "A", 0.9))
    assert merged.relations == (Relation(0, 1, "r", 0.5),)
    assert merge_pieces([]) == Extraction()
