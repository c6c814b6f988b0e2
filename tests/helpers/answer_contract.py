"""What holds for any answer of the pipeline, whatever the input and the settings (docs/architecture.md)."""

import itertools
import json
from collections import Counter
from typing import Any

from modeling_spert import JointExtractionPipeline
from modeling_spert.inputs_spert import Document
from modeling_spert.windows_spert import window_documents

_ROUNDING = 1e-6  # of a probability in fp32, against a threshold that is compared with its logit


def check_contract(
    answer: dict[str, Any], document: Document, settings: dict[str, Any], pipe: JointExtractionPipeline
) -> None:
    """Assert that an answer without an error keeps every promise.

    Args:
        answer: The pipeline's answer.
        document: The input as the pipeline reads it: its words and sentences.
        settings: Those of the call.
        pipe: The pipeline.
    """
    config = pipe.model.config
    assert json.loads(json.dumps(answer)) == answer
    assert list(answer) == ["text", "entities", "relations"] and answer["text"] == document.text
    sentence_of = [index for index, sentence in enumerate(document.sentences) for _ in sentence]
    _check_entities(answer, document, sentence_of)
    if document.given is None:
        _check_found(answer["entities"], settings, config)
        _check_counts(answer["entities"], document, sentence_of, settings, pipe)
    elif settings.get("overlap", "allow") == "allow":
        found = [(*e["words"], e["label"]) for e in answer["entities"]]
        assert found == [(e.start, e.end, e.label) for e in document.given]
    _check_overlaps([tuple(e["words"]) for e in answer["entities"]], settings.get("overlap", "allow"))
    _check_relations(answer, sentence_of, settings, config)


def _check_entities(answer: dict[str, Any], document: Document, sentence_of: list[int]) -> None:
    words = document.words
    for e in answer["entities"]:
        first, end = e["words"]
        assert 0 <= first < end <= len(words) and sentence_of[first] == sentence_of[end - 1]
        assert (e["start"], e["end"]) == (words[first].start, words[end - 1].end)
        assert 0 <= e["start"] <= e["end"] <= len(answer["text"])
        assert e["start"] < e["end"] or all(not word.text for word in words[first:end])  # a word may be empty
        assert answer["text"][e["start"] : e["end"]] == e["text"]
        assert type(e["score"]) is float and 0 <= e["score"] <= 1
    order = [(*e["words"], e["label"]) for e in answer["entities"]]
    assert order == sorted(order)


def _check_found(entities: list[dict[str, Any]], settings: dict[str, Any], config: Any) -> None:
    threshold = settings.get("entity_threshold")
    least = 1 / (len(config.entity_types) + 1) if threshold is None else threshold  # the best class wins
    assert all(e["score"] >= least - _ROUNDING for e in entities)
    assert all(e["label"] in config.entity_types for e in entities)
    spans = [tuple(e["words"]) for e in entities]
    assert len(set(spans)) == len(spans)
    assert all(end - first <= config.max_span_width for first, end in spans)


def _check_counts(
    entities: list[dict[str, Any]],
    document: Document,
    sentence_of: list[int],
    settings: dict[str, Any],
    pipe: JointExtractionPipeline,
) -> None:
    """At most so many entities of a sentence, or of each piece of one that is longer than a window."""
    limit = settings.get("max_entities_per_sentence", 256)
    counts = Counter(sentence_of[e["words"][0]] for e in entities)
    crowded = [sentence for sentence, count in counts.items() if count > limit]
    if crowded:
        sentences = [[word.text for word in sentence] for sentence in document.sentences]
        length = settings.get("max_window_length", pipe.model.config.max_window_length)
        width = pipe.model.config.max_span_width
        (windows,) = window_documents(pipe.tokenizer, [sentences], [width], max_window_length=length)
        pieces = Counter(piece.sentence for window in windows for piece in window.pieces)
        assert all(counts[sentence] <= limit * pieces[sentence] for sentence in crowded)


def _check_overlaps(spans: list[tuple[int, int]], mode: str) -> None:
    for one, two in itertools.combinations(spans if mode != "allow" else (), 2):
        overlaps = one[0] < two[1] and two[0] < one[1]
        nests = (one[0] <= two[0] and two[1] <= one[1]) or (two[0] <= one[0] and one[1] <= two[1])
        assert not overlaps or (mode == "nested" and nests), (one, two)


def _check_relations(answer: dict[str, Any], sentence_of: list[int], settings: dict[str, Any], config: Any) -> None:
    threshold = settings.get("relation_threshold")
    least = config.relation_threshold if threshold is None else threshold
    order = [(r["head"], r["tail"], r["label"]) for r in answer["relations"]]
    assert order == sorted(set(order))
    for r in answer["relations"]:
        assert 0 <= r["head"] < len(answer["entities"]) and 0 <= r["tail"] < len(answer["entities"])
        head, tail = answer["entities"][r["head"]], answer["entities"][r["tail"]]
        assert r["head"] != r["tail"] and head["words"] != tail["words"]
        assert sentence_of[head["words"][0]] == sentence_of[tail["words"][0]]
        assert r["label"] in config.relation_types
        assert type(r["score"]) is float and max(least - _ROUNDING, 0) <= r["score"] <= 1
        assert r["label"] not in config.symmetric_relation_types or head["words"][0] <= tail["words"][0]
