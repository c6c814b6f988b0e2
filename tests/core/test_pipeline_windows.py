"""Answers do not depend on the batch, long texts are read to their end, and context is what the settings say."""

import itertools
import random

import pytest
from tiny_pipeline import TEXT, WINDOW, assert_same_answers, tiny_model, tiny_pipeline, word_finder

from modeling_spert import JointExtractionPipeline

TEXTS = [TEXT, "", "Ada.", "Lund wrote a novel about Vik", TEXT[:40] + "?", "Oslo and Bergen! " * 3, " ", "born"]


@pytest.fixture(scope="module")
def pipe() -> JointExtractionPipeline:
    return tiny_pipeline()


@pytest.fixture(scope="module")
def finder() -> JointExtractionPipeline:
    return tiny_pipeline(word_finder())


def batches(pipe: JointExtractionPipeline, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Shapes (B, L) of the batches that the model gets from now on."""
    shapes: list[tuple[int, int]] = []
    forward = pipe.model.forward

    def record(input_ids, **kwargs):
        shapes.append(tuple(input_ids.shape))
        return forward(input_ids=input_ids, **kwargs)

    monkeypatch.setattr(pipe.model, "forward", record)
    return shapes


@pytest.mark.parametrize("context", ["none", "document"])
def test_pipeline_answers_are_independent_of_the_batch(pipe, context):
    alone = [pipe(text, context=context) for text in TEXTS]
    assert any(answer["relations"] for answer in alone)
    order = list(range(len(TEXTS)))
    for batch_size in (1, 3, 32):
        random.Random(batch_size).shuffle(order)
        answers = pipe([TEXTS[i] for i in order], batch_size=batch_size, context=context)
        assert_same_answers(answers, [alone[i] for i in order])


def test_pipeline_batch_size_bounds_windows_in_a_batch(pipe, monkeypatch):
    shapes = batches(pipe, monkeypatch)
    pipe(TEXTS, batch_size=3)
    assert max(B for B, _ in shapes) == 3
    shapes.clear()
    tiny_pipeline(pipe.model, batch_size=2)(TEXTS)
    assert max(B for B, _ in shapes) == 2


@pytest.mark.parametrize("max_tokens", [1, 60, 100])
def test_pipeline_token_budget_bounds_batches(pipe, monkeypatch, max_tokens):
    shapes = batches(pipe, monkeypatch)
    answers = pipe(TEXTS, max_tokens=max_tokens)
    assert all(B == 1 or B * L <= max_tokens for B, L in shapes)
    assert (max(B for B, _ in shapes) > 1) == (max_tokens > 1)
    monkeypatch.undo()
    assert_same_answers(answers, pipe(TEXTS))


def test_pipeline_sorts_windows_by_length(pipe, monkeypatch):
    shapes = batches(pipe, monkeypatch)
    pipe(["a b c d e f g h i j", "a"] * 4, batch_size=4)
    assert shapes == [(4, 12), (4, 3)]


# --- Long texts ---


@pytest.mark.parametrize("length", [8, 11, 20, WINDOW, None])
@pytest.mark.parametrize("context", ["none", "document"])
def test_pipeline_reads_every_word_whatever_the_window(finder, monkeypatch, length, context):
    sentences = [["word", "novel"] * 40, ["Ada"], [], ["unknown", "words", "of", "many", "subwords"] * 5]
    shapes = batches(finder, monkeypatch)
    answer = finder({"sentences": sentences}, max_window_length=length, context=context)
    assert [e["words"] for e in answer["entities"]] == [[i, i + 1] for i in range(106)]
    assert max(L for _, L in shapes) <= (length or WINDOW)


def test_pipeline_reads_windows_as_long_as_at_construction(pipe, monkeypatch):
    shapes = batches(pipe, monkeypatch)
    tiny_pipeline(pipe.model, max_window_length=10)(TEXT)
    assert max(L for _, L in shapes) == 10


def test_pipeline_finds_every_candidate_of_a_cut_sentence():
    """Whatever the cuts, each span up to the widest lies in some piece: with threshold 0 all are found, once."""
    pipe = tiny_pipeline(tiny_model(max_span_width=3), entity_threshold=0, relation_threshold=1)
    answer = pipe({"tokens": ["word", "Ada"] * 30}, max_window_length=12)
    spans = [tuple(e["words"]) for e in answer["entities"]]
    assert spans == [(i, i + k) for i in range(60) for k in (1, 2, 3) if i + k <= 60]


def test_pipeline_merges_pieces_without_repeating(pipe):
    answer = pipe({"tokens": TEXT.split() * 3}, max_window_length=30)
    spans = [tuple(e["words"]) for e in answer["entities"]]
    relations = [(r["head"], r["tail"], r["label"]) for r in answer["relations"]]
    assert len(set(spans)) == len(spans) > 20 and len(set(relations)) == len(relations) > 5
    assert spans == sorted(spans) and relations == sorted(relations)


def test_pipeline_reads_50000_characters(finder):
    text = ("Ada wrote novels, about \u00c5re 🪐.\n" * 2000)[:50_000]
    answer = finder(text)
    assert all(text[e["start"] : e["end"]] == e["text"] for e in answer["entities"])
    found = "".join(e["text"] for e in answer["entities"])
    assert found == "".join(text.split())


@pytest.mark.parametrize("letter", ["a", "é", "\u0301", "🪐"])
def test_pipeline_reads_word_of_50000_characters(finder, letter):
    word = letter * 50_000 if letter != "🪐" else "🪐\u200d" * 25_000
    text = f"Ada {word} Lund"
    for answer in (finder(text), finder({"tokens": text.split(" ")})):
        assert answer["text"] == text
        assert all(text[e["start"] : e["end"]] == e["text"] for e in answer["entities"])
        assert sum(len(e["text"]) for e in answer["entities"]) >= len(text) - 3
        assert [e["text"] for e in answer["entities"]][:: len(answer["entities"]) - 1] == ["Ada", "Lund"]


def test_pipeline_reads_50000_blanks(finder):
    assert finder(" " * 50_000) == {"text": " " * 50_000, "entities": [], "relations": []}


# --- Context ---


def test_pipeline_context_decides_what_a_sentence_sees(monkeypatch):
    pipe = tiny_pipeline()
    first, second, other = ["Ada", "wrote", "."], ["Lund", "born", "."], ["novel", "about", "!"]
    shapes = batches(pipe, monkeypatch)

    def second_sentence(neighbour: list[str], **settings) -> list[float]:
        answer = pipe({"sentences": [neighbour, second]}, entity_threshold=0, **settings)
        return [e["score"] for e in answer["entities"] if e["words"][0] >= 3]

    assert second_sentence(first) == pytest.approx(second_sentence(other), abs=1e-5)
    assert shapes == [(2, 5)] * 2
    shapes.clear()
    far = zip(second_sentence(first, context="document"), second_sentence(other, context="document"), strict=True)
    assert max(abs(a - b) for a, b in far) > 1e-3
    assert shapes == [(1, 8)] * 2


def test_pipeline_context_defaults_to_the_models(monkeypatch):
    pipe = tiny_pipeline(tiny_model(context="document"))
    shapes = batches(pipe, monkeypatch)
    pipe({"sentences": [["Ada"], ["wrote"]]})
    pipe({"sentences": [["Ada"], ["wrote"]]}, context="none")
    assert shapes == [(1, 4), (2, 3)]


def test_pipeline_document_context_keeps_pairs_inside_sentences():
    pipe = tiny_pipeline(entity_threshold=0, relation_threshold=0)
    answer = pipe({"sentences": [["Ada", "wrote"], ["Lund"], ["born", "about"]]}, context="document")
    sentence_of = [0, 0, 1, 2, 2]
    spans = [tuple(e["words"]) for e in answer["entities"]]
    assert spans == [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5)]
    expected = {
        (a, b)
        for a, b in itertools.permutations(range(len(spans)), 2)
        if sentence_of[spans[a][0]] == sentence_of[spans[b][0]]
    }
    assert {(r["head"], r["tail"]) for r in answer["relations"]} == expected


def test_pipeline_documents_never_share_a_window(pipe, monkeypatch):
    shapes = batches(pipe, monkeypatch)
    pipe([["Ada"], ["Lund"], ["born"]], context="document")
    assert shapes == [(3, 3)]
