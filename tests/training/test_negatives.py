"""Negatives: a function of (seed, epoch, row) alone, never gold, as many as asked for."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import build_window

from modeling_spert.training.labelling import LabelledSentence, LabelledWindow, LabelMaps, label_piece
from modeling_spert.training.negatives import ALL, NegativeSampler, SampledSentence, TrainingCollator
from modeling_spert.windows_spert import Window

Q = 3


@st.composite
def labelled_sentences(draw: st.DrawFn) -> LabelledSentence:
    """Words, entities (some wider than the widest candidate, some on the same words) and relations."""
    num_words = draw(st.integers(1, 14))
    bounds = st.tuples(st.integers(0, num_words - 1), st.integers(1, num_words)).filter(lambda b: b[0] < b[1])
    entities = draw(st.lists(st.tuples(bounds, st.integers(1, 4)), max_size=5, unique=True))
    spans = [span for span, _ in entities]
    pairs = [(h, t) for h, t in itertools.permutations(range(len(entities)), 2) if spans[h] != spans[t]]
    relations = draw(st.lists(st.tuples(st.sampled_from(pairs), st.integers(0, Q - 1)), max_size=6)) if pairs else []
    return LabelledSentence(
        draw(st.integers(0, 10**6)),
        num_words,
        tuple((*span, label) for span, label in entities),
        tuple((*pair, label) for pair, label in relations),
    )


def spans_of(sampled: SampledSentence) -> list[tuple[int, int]]:
    return [tuple(span) for span in sampled.spans.tolist()]


def pairs_of(sampled: SampledSentence) -> list[tuple[int, int]]:
    return [tuple(pair) for pair in sampled.pairs.tolist()]


@given(labelled_sentences(), st.integers(1, 6), st.sampled_from([0, 1, 5, 100, ALL]), st.integers(0, 3))
def test_sampling_negative_spans_are_the_candidates_that_are_not_gold(
    sentence: LabelledSentence, widest: int, count: int, epoch: int
):
    sampled = NegativeSampler(Q, widest, neg_entity_count=count).sample(sentence, epoch)
    gold = [(start, end) for start, end, _ in sentence.entities]
    n = len(gold)
    # Gold comes first, however wide.
    assert spans_of(sampled)[:n] == gold and sampled.span_labels[:n].tolist() == [e[2] for e in sentence.entities]
    assert not sampled.span_labels[n:].any()
    candidates = {
        (start, end)
        for start in range(sentence.num_words)
        for end in range(start + 1, min(start + widest, sentence.num_words) + 1)
    } - set(gold)
    negatives = spans_of(sampled)[n:]
    assert len(negatives) == len(set(negatives)) and set(negatives) <= candidates
    assert len(negatives) == (len(candidates) if count == ALL else min(count, len(candidates)))


@given(
    labelled_sentences(),
    st.sampled_from(["strong", "weak"]),
    st.sampled_from([0, 1, 4, 100, ALL]),
    st.sampled_from([0, 3]),
)
def test_sampling_negative_pairs_are_those_not_related_that_way_round(
    sentence: LabelledSentence, kind: str, count: int, neg_entities: int
):
    sampler = NegativeSampler(Q, 4, neg_entity_count=neg_entities, neg_relation_count=count, relation_negatives=kind)
    sampled = sampler.sample(sentence, 0)
    spans, pairs = spans_of(sampled), pairs_of(sampled)
    types: dict[tuple[int, int], set[int]] = {}
    for head, tail, label in sentence.relations:
        types.setdefault((head, tail), set()).add(label)
    # One row for each related pair, with all its types.
    assert pairs[: len(types)] == list(types)
    labels = [set(np.flatnonzero(row).tolist()) for row in sampled.pair_labels]
    assert labels == [*types.values(), *[set()] * (len(pairs) - len(types))]
    members = range(len(sentence.entities) if kind == "strong" else len(spans))
    related = {(spans[head], spans[tail]) for head, tail in types}
    candidates = {
        (a, b)
        for a, b in itertools.permutations(members, 2)
        if spans[a] != spans[b] and (spans[a], spans[b]) not in related
    }
    negatives = pairs[len(types) :]
    assert len(negatives) == len(set(negatives)) and set(negatives) <= candidates
    assert len(negatives) == (len(candidates) if count == ALL else min(count, len(candidates)))


THREE = LabelledSentence(7, 12, ((0, 1, 1), (3, 5, 2), (8, 9, 1)), ((0, 1, 0), (0, 1, 2), (2, 1, 1)))


def test_sampling_strong_negatives_include_the_reverse_of_every_relation():
    # Symmetric types too: type 2 may be one, its reverse is a negative all the same.
    sampled = NegativeSampler(Q, 4).sample(THREE, 0)
    assert pairs_of(sampled)[:2] == [(0, 1), (2, 1)]
    assert sampled.pair_labels[:2].tolist() == [[1, 0, 1], [0, 1, 0]]
    assert set(pairs_of(sampled)[2:]) == {(1, 0), (1, 2), (0, 2), (2, 0)}


def test_sampling_weak_negatives_reach_spans_that_are_no_entities():
    sampled = NegativeSampler(Q, 4, neg_entity_count=5, neg_relation_count=ALL, relation_negatives="weak").sample(
        THREE, 0
    )
    assert len(sampled.spans) == 8 and len(sampled.pairs) == 8 * 7
    assert max(sampled.pairs.max(0)) == 7


def test_sampling_two_entities_on_the_same_words_are_no_pair_and_share_their_relations():
    twins = LabelledSentence(7, 6, ((0, 2, 1), (0, 2, 2), (4, 5, 1)), ((0, 2, 0),))
    sampled = NegativeSampler(Q, 4, neg_entity_count=0).sample(twins, 0)
    assert pairs_of(sampled)[:1] == [(0, 2)]
    # Neither (0, 1), one span twice, nor (1, 2), whose words are related.
    assert set(pairs_of(sampled)[1:]) == {(2, 0), (2, 1)}


def test_sampling_keeps_entities_wider_than_the_widest_candidate():
    wide = LabelledSentence(1, 30, ((2, 28, 3),), ())
    sampled = NegativeSampler(Q, 3, neg_entity_count=ALL).sample(wide, 0)
    assert sampled.spans[0].tolist() == [2, 28] and sampled.span_labels[0] == 3
    assert np.diff(sampled.spans[1:]).max() == 3


def test_sampling_without_relation_types_makes_no_pairs():
    sampled = NegativeSampler(0, 4).sample(dataclasses.replace(THREE, relations=()), 0)
    assert sampled.pairs.shape == (0, 2) and sampled.pair_labels.shape == (0, 0) and len(sampled.spans) > 3


def test_sampling_a_sentence_without_entities_gives_negatives_only():
    sampled = NegativeSampler(Q, 4, neg_entity_count=6).sample(LabelledSentence(0, 9, (), ()), 0)
    assert len(sampled.spans) == 6 and not sampled.span_labels.any()
    assert sampled.pairs.shape == (0, 2) and sampled.pair_labels.shape == (0, Q)


def equal(a: SampledSentence, b: SampledSentence) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))


@pytest.mark.parametrize("kind", ["strong", "weak"])
def test_sampling_is_a_function_of_seed_epoch_and_row(kind: str):
    settings: dict[str, Any] = {"neg_entity_count": 5, "neg_relation_count": 2, "relation_negatives": kind}
    sampler = NegativeSampler(Q, 6, **settings)
    first = sampler.sample(THREE, 3)
    for row in range(50):  # what was drawn before does not matter
        sampler.sample(dataclasses.replace(THREE, row_id=row), 3)
    np.random.default_rng().random()
    torch.rand(3)
    assert equal(sampler.sample(THREE, 3), first)
    assert equal(NegativeSampler(Q, 6, **settings).sample(THREE, 3), first)
    assert not equal(sampler.sample(THREE, 4), first)
    assert not equal(sampler.sample(dataclasses.replace(THREE, row_id=8), 3), first)
    assert not equal(NegativeSampler(Q, 6, seed=43, **settings).sample(THREE, 3), first)


def test_sampling_draws_every_negative_about_equally_often():
    counts: dict[tuple[int, int], int] = {}
    sampler = NegativeSampler(Q, 3, neg_entity_count=5)
    for epoch in range(400):
        for span in spans_of(sampler.sample(LabelledSentence(1, 6, ((0, 1, 1),), ()), epoch))[1:]:
            counts[span] = counts.get(span, 0) + 1
    assert len(counts) == 14  # of 15 candidates one is gold
    assert all(90 < count < 200 for count in counts.values())  # 143 expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"relation_negatives": "hard"}, 'relation_negatives must be "strong" or "weak", got \'hard\''),
        ({"neg_entity_count": -2}, "neg_entity_count must be >= 0, or -1 for all, got -2"),
        ({"neg_relation_count": -5}, "neg_relation_count must be >= 0, or -1 for all, got -5"),
    ],
)
def test_sampling_refuses_what_cannot_be(settings: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        NegativeSampler(Q, **settings)


# --- The collator -------------------------------------------------------------------------------------------------


def row(window: Window, *sentences: LabelledSentence) -> LabelledWindow:
    return LabelledWindow(window, sentences)


ROWS = [
    row(build_window([1] * 5), LabelledSentence(3, 5, ((0, 1, 1), (2, 4, 2)), ((1, 0, 2),))),
    row(
        build_window([1] * 4, [2, 1, 1], seed=1),
        LabelledSentence(4, 4, ((1, 3, 1),), ()),
        LabelledSentence(5, 3, ((0, 1, 2), (1, 3, 1)), ((0, 1, 0), (0, 1, 1))),
    ),
    row(build_window([1] * 6, seed=2), LabelledSentence(9, 6, (), ())),
]


def test_sampling_collator_counts_spans_over_the_batch_and_words_over_the_window():
    collator = TrainingCollator(NegativeSampler(Q, 3, neg_entity_count=4), pad_token_id=0)
    batch = collator(ROWS)
    spans, pairs = batch["spans"], batch["pairs"]
    gold = spans[batch["span_labels"] > 0].tolist()
    assert gold == [[0, 0, 1], [0, 2, 4], [1, 1, 3], [1, 4, 5], [1, 5, 7]]  # words of the window
    assert batch["span_labels"][batch["span_labels"] > 0].tolist() == [1, 2, 1, 2, 1]
    related = batch["pair_labels"].any(1)
    assert spans[pairs[related]].tolist() == [[[0, 2, 4], [0, 0, 1]], [[1, 4, 5], [1, 5, 7]]]
    assert batch["pair_labels"][related].tolist() == [[0, 0, 1], [1, 1, 0]]
    assert {name: batch[name].dtype for name in ("spans", "span_labels", "pairs", "pair_labels")} == {
        "spans": torch.int64, "span_labels": torch.int64, "pairs": torch.int64, "pair_labels": torch.float32
    }  # fmt: skip
    # No negative crosses a sentence.
    sentence = batch["sentence_index"]
    assert torch.equal(sentence[spans[:, 0], spans[:, 1]], sentence[spans[:, 0], spans[:, 2] - 1])
    assert torch.equal(sentence[spans[pairs[:, 0], 0], spans[pairs[:, 0], 1]],
                       sentence[spans[pairs[:, 1], 0], spans[pairs[:, 1], 1]])  # fmt: skip


def test_sampling_collator_does_not_depend_on_the_rest_of_the_batch():
    collator = TrainingCollator(NegativeSampler(Q, 3, neg_entity_count=4, neg_relation_count=1), pad_token_id=0)
    collator.epoch = 5
    together = collator(ROWS)
    for number, alone in enumerate(ROWS):
        batch = collator([alone])
        own = together["spans"][:, 0] == number
        assert torch.equal(together["spans"][own][:, 1:], batch["spans"][:, 1:])
        own_pairs = own[together["pairs"][:, 0]]
        first = int(own.nonzero()[0])
        assert torch.equal(together["pairs"][own_pairs] - first, batch["pairs"])
        assert torch.equal(together["pair_labels"][own_pairs], batch["pair_labels"])
    collator.epoch = 6
    assert not torch.equal(collator(ROWS)["spans"], together["spans"])


def test_sampling_collator_takes_batches_without_relation_types():
    rows = [row(build_window([1] * 5), LabelledSentence(3, 5, ((0, 1, 1),), ()))] * 2
    batch = TrainingCollator(NegativeSampler(0, 3), pad_token_id=0)(rows)
    assert batch["pairs"].shape == (0, 2) and batch["pair_labels"].shape == (0, 0)


# --- Labels -------------------------------------------------------------------------------------------------------

EXAMPLE = {
    "entities": [
        {"type": "B", "start": 4, "end": 6}, {"type": "A", "start": 0, "end": 2}, {"type": "A", "start": 7, "end": 9}
    ],
    "relations": [
        {"type": "r", "head": 0, "tail": 1}, {"type": "s", "head": 0, "tail": 1}, {"type": "s", "head": 0, "tail": 2}
    ],
}  # fmt: skip


def test_sampling_label_piece_turns_symmetric_relations_round():
    maps = LabelMaps.of(["A", "B"], ["r", "s"], ["s"])
    sentence, lost_entities, lost_relations = label_piece(EXAMPLE, 0, 9, 5, maps)
    assert (lost_entities, lost_relations) == (0, 0)
    assert sentence.entities == ((4, 6, 2), (0, 2, 1), (7, 9, 1))
    # The earlier span is the head, as in the original's reader; types with a direction keep it.
    assert sentence.relations == ((0, 1, 0), (1, 0, 1), (0, 2, 1))
    assert label_piece(EXAMPLE, 0, 9, 5, LabelMaps.of(["A", "B"], ["r", "s"]))[0].relations == (
        (0, 1, 0), (0, 1, 1), (0, 2, 1)
    )  # fmt: skip


def test_sampling_label_piece_counts_what_a_cut_loses():
    maps = LabelMaps.of(["A", "B"], ["r", "s"], ["s"])
    sentence, lost_entities, lost_relations = label_piece(EXAMPLE, 3, 9, 5, maps)
    assert sentence == LabelledSentence(5, 6, ((1, 3, 2), (4, 6, 1)), ((0, 1, 1),))
    assert (lost_entities, lost_relations) == (1, 2)
    sentence, lost_entities, lost_relations = label_piece(EXAMPLE, 5, 8, 5, maps)  # an entity's half is none
    assert sentence == LabelledSentence(5, 3, (), ()) and (lost_entities, lost_relations) == (3, 3)
