"""Answers as spaCy's displaCy takes them: `displacy.render(to_displacy(answer), style="span", manual=True)`."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from modeling_spert.rendering.documents import Document, read_document

STYLES = ("ent", "span", "dep")


def to_displacy(answer: Mapping[str, Any], style: str = "span") -> dict[str, Any]:
    """An answer or gold row as displaCy's `manual=True` input.

    displaCy draws either spans or arcs. "span" keeps every entity, nested ones too, and no relation. "ent" is flat: of
    entities that overlap, the longest is kept. "dep" keeps the relations as arcs; each entity that takes part in one is
    a word below them, so that one which overlaps another appears next to it.

    Raises:
        ValueError: `style` is none of the three, or `answer` is not an answer.

    >>> answer = {"text": "Bo lives in Oslo.", "entities": [{"label": "Per", "start": 0, "end": 2}]}
    >>> to_displacy(answer, style="ent")["ents"]
    [{'start': 0, 'end': 2, 'label': 'Per'}]
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    document = read_document(answer)
    return {"ent": _to_ents, "span": _to_spans, "dep": _to_arcs}[style](document)


def _to_ents(document: Document) -> dict[str, Any]:
    chosen: list[tuple[int, int, str]] = []
    for entity in sorted(document.entities, key=lambda entity: (entity.start - entity.end, entity.start)):
        if all(entity.end <= start or end <= entity.start for start, end, _ in chosen):
            chosen.append((entity.start, entity.end, entity.label))
    ents = [{"start": start, "end": end, "label": label} for start, end, label in sorted(chosen)]
    return {"text": document.text, "ents": ents, "title": document.title}


def _to_spans(document: Document) -> dict[str, Any]:
    """Tokens are the text cut at spaces and wherever an entity begins or ends."""
    edges = {0, len(document.text)} | {edge for entity in document.entities for edge in (entity.start, entity.end)}
    for at in range(1, len(document.text)):
        if document.text[at].isspace() != document.text[at - 1].isspace():
            edges.add(at)
    ordered = sorted(edges)
    pieces = [(a, b) for a, b in zip(ordered, ordered[1:], strict=False) if not document.text[a:b].isspace()]
    spans: list[dict[str, Any]] = []
    for entity in document.entities:
        first, last = bisect_left(pieces, (entity.start,)), bisect_left(pieces, (entity.end,))
        if first < last:
            spans.append({"start_token": first, "end_token": last, "label": entity.label})
    spans.sort(key=lambda span: (span["start_token"], -span["end_token"]))
    return {"text": document.text, "spans": spans, "tokens": [document.text[a:b] for a, b in pieces]}


def _to_arcs(document: Document) -> dict[str, Any]:
    related = {index for relation in document.relations for index in (relation.head, relation.tail)}
    order = sorted(related, key=lambda index: (document.entities[index].start, document.entities[index].end, index))
    words: list[dict[str, str]] = []
    place: dict[int, int] = {}
    reached = 0
    for index in order:
        entity = document.entities[index]
        words += _untagged(document.text[reached : max(reached, entity.start)])
        place[index] = len(words)
        words.append({"text": document.words_of(index), "tag": entity.label})
        reached = max(reached, entity.end)
    words += _untagged(document.text[reached:])
    arcs = []
    for relation in document.relations:
        head, tail = place[relation.head], place[relation.tail]
        if head != tail:  # displaCy cannot draw an arc from a word to itself
            direction = "right" if head < tail else "left"
            arcs.append({"start": min(head, tail), "end": max(head, tail), "label": relation.label, "dir": direction})
    return {"words": words, "arcs": arcs}


def _untagged(text: str) -> list[dict[str, str]]:
    return [{"text": word, "tag": ""} for word in text.split()]
