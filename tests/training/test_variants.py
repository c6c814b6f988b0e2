"""Variants of training sentences: a function of (seed, epoch, row), shares as asked for, labels where they were."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_data import build_rows
from tiny_models import build_spert, build_tokenizer

from modeling_spert.training.labelling import label_windows
from modeling_spert.training.negatives import NegativeSampler, TrainingCollator
from modeling_spert.training.variants import Variants, collect_mentions, swap_mentions

ROWS = build_rows(200, seed=5)
LABELS: dict[str, Any] = {"entity_types": ["Per", "Org"], "relation_types": ["runs", "met"], "max_span_width": 10}


def build_variants(rows: list[dict[str, Any]] = ROWS, kind: str = "bert", **settings: Any) -> Variants:
    long = {"max_position_embeddings": 128}
    config = build_spert(**LABELS, backbone=long, context=settings.pop("context", "none")).config
    return Variants(rows, build_tokenizer(kind), config, collect_mentions(ROWS), **settings)


def mentions_of(row: Any) -> list[tuple[str, str]]:
    return [(e["type"], " ".join(row["tokens"][e["start"] : e["end"]])) for e in row["entities"]]


def test_recase_shows_half_of_the_share_in_small_letters_and_half_in_capitals():
    variants = build_variants(recase=0.4)
    shown = [variants.show_sentence(row, epoch) for epoch in range(20) for row in range(len(ROWS))]
    whole = list(ROWS) * 20
    pairs = [(new["tokens"], old["tokens"]) for new, old in zip(shown, whole, strict=True)]
    lower = sum(new == [word.lower() for word in old] for new, old in pairs)
    upper = sum(new == [word.upper() for word in old] for new, old in pairs)
    assert lower + upper + sum(new is old for new, old in pairs) == len(shown)
    assert lower / len(shown) == pytest.approx(0.2, abs=0.02) and upper / len(shown) == pytest.approx(0.2, abs=0.02)
    assert all(new["entities"] == old["entities"] for new, old in zip(shown, whole, strict=True))


def test_variants_are_a_function_of_seed_epoch_and_row():
    settings = {"recase": 0.5, "replace_mentions": 0.5}
    one, two, other = (build_variants(**settings, seed=seed) for seed in (1, 1, 2))
    first = [one.show_sentence(row, 3) for row in range(50)]
    assert [two.show_sentence(row, 3) for row in reversed(range(50))] == first[::-1]
    assert [one.show_sentence(row, 4) for row in range(50)] != first
    assert [other.show_sentence(row, 3) for row in range(50)] != first
    # Who is shown in capitals does not depend on what else is varied.
    only = [build_variants(recase=0.5, seed=1).show_sentence(row, 3) for row in range(50)]
    capitals = [["".join(row["tokens"]).isupper() for row in rows] for rows in (first, only)]
    assert capitals[0] == capitals[1] and any(capitals[0])


def test_variants_leave_the_random_numbers_of_the_negatives_alone():
    sampler = NegativeSampler(2, neg_entity_count=5, seed=42)
    variants = build_variants(recase=1.0)
    windows = label_windows(ROWS[:8], variants.tokenizer, variants.config)
    plain, varied = (TrainingCollator(sampler, 0, variants=v)(windows) for v in (None, variants))
    assert plain["spans"].tolist() == varied["spans"].tolist() and plain["pairs"].tolist() == varied["pairs"].tolist()


def test_swap_mentions_replaces_the_share_by_others_of_the_type_and_keeps_the_rest():
    generator = np.random.default_rng(0)
    mentions = collect_mentions(ROWS)
    replaced = kept = 0
    for row in ROWS:
        new = swap_mentions(row, mentions, 0.3, generator)
        assert new["relations"] == row["relations"]
        for (label, words), (old_label, old_words) in zip(mentions_of(new), mentions_of(row), strict=True):
            assert label == old_label and tuple(words.split()) in mentions[label]
            replaced, kept = replaced + (words != old_words), kept + (words == old_words)
        outside = [[word for i, word in enumerate(r["tokens"]) if not covers(r, i)] for r in (row, new)]
        assert outside[0] == outside[1]
    assert replaced / (replaced + kept) == pytest.approx(0.3, abs=0.06)


def covers(row: Any, word: int) -> bool:
    return any(e["start"] <= word < e["end"] for e in row["entities"])


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3), st.sampled_from("AB")), max_size=5),
    st.lists(st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=4), min_size=1, max_size=4),
    st.integers(0, 99),
)
def test_swap_mentions_moves_every_span_with_its_words(
    spans: list[tuple[int, int, str]], names: list[list[str]], seed: int
):
    tokens = [f"w{i}" for i in range(12)]
    entities = [{"type": label, "start": start, "end": start + width} for start, width, label in spans]
    row = {"tokens": tokens, "entities": entities, "relations": []}
    choice = sorted(map(tuple, names))
    new = swap_mentions(row, {"A": choice, "B": choice}, 0.7, np.random.default_rng(seed))
    for old, moved in zip(entities, new["entities"], strict=True):
        words = new["tokens"][moved["start"] : moved["end"]]
        assert words == tokens[old["start"] : old["end"]] or tuple(words) in choice
        shares = sum(o["start"] < old["end"] and old["start"] < o["end"] for o in entities) > 1
        assert not shares or words == tokens[old["start"] : old["end"]]
    for (old, moved), (other, other_moved) in itertools.combinations(zip(entities, new["entities"], strict=True), 2):
        assert (old["start"] < other["start"]) == (moved["start"] < other_moved["start"])


def test_swap_mentions_keeps_a_name_that_has_no_other():
    row = {"tokens": ["Ada", "sat"], "entities": [{"type": "P", "start": 0, "end": 1}], "relations": []}
    assert swap_mentions(row, {"P": [("Ada",)]}, 1.0, np.random.default_rng(0))["tokens"] == ["Ada", "sat"]


@pytest.mark.parametrize(("kind", "changes"), [("bert", False), ("scibert", True)])
def test_recase_changes_the_subwords_of_cased_encoders_only(kind: str, changes: bool):
    variants = build_variants(kind=kind, recase=1.0)
    windows = label_windows(ROWS[:20], variants.tokenizer, variants.config)
    shown = [variants.show(window, 0) for window in windows]
    assert all(new.sentences == old.sentences for new, old in zip(shown, windows, strict=True))
    assert any(new.window.input_ids != old.window.input_ids for new, old in zip(shown, windows, strict=True)) == changes


def test_variants_of_a_window_over_a_document_keep_its_sentences_apart():
    rows = [{**row, "doc_id": f"d{i // 2}", "sentence_index": i % 2} for i, row in enumerate(ROWS[:8])]
    variants = build_variants(rows, context="document", replace_mentions=1.0)
    windows = label_windows(rows, variants.tokenizer, variants.config)
    assert len(windows) == 4
    for window in windows:
        shown = variants.show(window, 0)
        assert [s.row_id for s in shown.sentences] == [s.row_id for s in window.sentences]
        assert len(shown.window.pieces) == 2 and shown != window
        lengths = [len(variants.show_sentence(s.row_id, 0)["tokens"]) for s in shown.sentences]
        assert [s.num_words for s in shown.sentences] == lengths


def test_variants_that_do_not_fit_into_a_window_stay_as_they_are():
    row = {"tokens": ["a"] * 15 + ["b"], "entities": [{"type": "Per", "start": 15, "end": 16}], "relations": []}
    config = build_spert(**LABELS, max_window_length=24).config
    tokenizer = build_tokenizer("bert")
    variants = Variants([row], tokenizer, config, {"Per": [("c",) * 9]}, replace_mentions=1.0)
    (window,) = label_windows([row], tokenizer, config)
    assert len(variants.show_sentence(0, 0)["tokens"]) == 24 and variants.show(window, 0) is window


def test_recase_changes_the_word_case_that_an_uncased_encoder_gets():
    """And nothing else: the subwords are the same."""
    variants = build_variants(recase=1.0)
    windows = label_windows(ROWS[:20], variants.tokenizer, variants.config)
    plain, shown = (TrainingCollator(NegativeSampler(2), 0, variants=v)(windows) for v in (None, variants))
    assert plain["input_ids"].tolist() == shown["input_ids"].tolist()
    assert plain["word_case"].tolist() != shown["word_case"].tolist()
