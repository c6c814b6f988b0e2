"""Entities by character → entities by word, and the relations between those that are left.

The model's form is a set of contiguous word spans with one type each, and typed ordered pairs of different ones. What
is not of that form is brought into it where that is honest (an entity that ends inside a word is widened to the word),
and noted either way.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation, Span
from datasets_scripts.annotation_formats.report import (
    DISCONTINUOUS_LOST,
    DISCONTINUOUS_WIDENED,
    MOVED_RELATION,
    NO_WORD,
    OF_LOST_ENTITY,
    REPEATED_ENTITY,
    REPEATED_RELATION,
    SECOND_TYPE,
    TO_ITSELF,
    TRIMMED,
    WIDENED,
    Note,
)
from datasets_scripts.annotation_formats.words import Splitter, words_of

Discontinuous = Literal["widen", "drop"]
DISCONTINUOUS = ("widen", "drop")


@dataclass(frozen=True)
class WordEntity:
    """An entity of type `label` on the words `[start, end)` of its document."""

    label: str
    start: int
    end: int


@dataclass(frozen=True)
class WordRelation:
    """A relation between two of the document's word entities, by index."""

    label: str
    head: int
    tail: int


@dataclass(frozen=True)
class AlignedDocument:
    """A document in words.

    Attributes:
        document: The document it was made from.
        sentences: The words of each sentence by character.
        entities: Sorted by start, end.
        relations: Sorted by head, tail, label.
        notes: What alignment changed or lost.
    """

    document: AnnotatedDocument
    sentences: tuple[tuple[Span, ...], ...]
    entities: tuple[WordEntity, ...]
    relations: tuple[WordRelation, ...]
    notes: tuple[Note, ...]


def align(
    document: AnnotatedDocument,
    splitter: Splitter | None = None,
    discontinuous: Discontinuous = "widen",
    symmetric: Collection[str] = (),
) -> AlignedDocument:
    """Put a document's annotation on words.

    Args:
        document: The document; its own words are used where it has any.
        splitter: Cuts the text otherwise; default: the project's segmentation.
        discontinuous: Whether an entity with gaps is widened over them or left out.
        symmetric: The relation types without direction, whose reverse is a repetition.
    """
    sentences = words_of(document, splitter)
    words = list(chain.from_iterable(sentences))
    notes: list[Note] = []
    spans: dict[str, Span] = {}
    for entity in document.entities:
        span = _word_span(document, entity, words, discontinuous, notes)
        if span is not None:
            spans[entity.id] = span
    kept = _one_per_span(document, spans, notes)
    order = sorted({id(entity): entity for entity in kept.values()}.values(), key=lambda entity: spans[entity.id])
    index = {entity.id: place for place, entity in enumerate(order)}
    entities = tuple(WordEntity(entity.label, *spans[entity.id]) for entity in order)
    places = {entity_id: index[entity.id] for entity_id, entity in kept.items()}
    relations = _relations(document, kept, places, symmetric, notes)
    return AlignedDocument(document, sentences, entities, relations, tuple(notes))


def _word_span(
    document: AnnotatedDocument,
    entity: Entity,
    words: Sequence[Span],
    discontinuous: Discontinuous,
    notes: list[Note],
) -> Span | None:
    """The words that the entity touches, or None if it is left out."""
    text, start, end = document.text, entity.start, entity.end
    if has_gaps(text, entity.fragments):
        kind = DISCONTINUOUS_WIDENED if discontinuous == "widen" else DISCONTINUOUS_LOST
        notes.append(Note(kind, document.doc_id, entity.label, text[start:end]))
        if discontinuous == "drop":
            return None
    first = bisect_right(words, start, key=lambda word: word[1])  # the first word that ends after the start
    after = bisect_left(words, end, key=lambda word: word[0])  # the first word that starts at the end or later
    if start >= end or first >= after:
        notes.append(Note(NO_WORD, document.doc_id, entity.label, repr(text[start:end])))
        return None
    outer = (words[first][0], words[after - 1][1])
    if outer[0] < start or outer[1] > end:
        example = f"{text[start:end]!r} is now {text[outer[0] : outer[1]]!r}"
        notes.append(Note(WIDENED, document.doc_id, entity.label, example))
    elif outer != (start, end):
        notes.append(Note(TRIMMED, document.doc_id, entity.label, repr(text[start:end])))
    return first, after


def has_gaps(text: str, fragments: Sequence[Span]) -> bool:
    r"""Whether anything but blanks is between the fragments: brat cuts an entity at every line end.

    >>> has_gaps("skin and eye rash", [(0, 4), (13, 17)]), has_gaps("skin\nrash", [(0, 4), (5, 9)])
    (True, False)
    """
    return any(text[before[1] : after[0]].strip() for before, after in zip(fragments, fragments[1:], strict=False))


def _one_per_span(document: AnnotatedDocument, spans: Mapping[str, Span], notes: list[Note]) -> dict[str, Entity]:
    """For each entity that has words, the one its span keeps: of the type with most relations, the first."""
    degree: Counter[str] = Counter(chain.from_iterable((r.head, r.tail) for r in document.relations))
    on_span: dict[Span, list[Entity]] = {}
    for entity in document.entities:
        if entity.id in spans:
            on_span.setdefault(spans[entity.id], []).append(entity)
    kept: dict[str, Entity] = {}
    for entities in on_span.values():
        types: dict[str, int] = {}
        for entity in entities:
            types[entity.label] = types.get(entity.label, 0) + degree[entity.id]
        label = max(types, key=lambda name: types[name])  # the first of equals
        best = next(entity for entity in entities if entity.label == label)
        for entity in entities:
            kept[entity.id] = best
            if entity is not best:
                kind = REPEATED_ENTITY if entity.label == label else SECOND_TYPE
                example = f"{document.text[entity.start : entity.end]!r} is {label} and {entity.label}"
                notes.append(Note(kind, document.doc_id, entity.label, example))
    return kept


def _relations(
    document: AnnotatedDocument,
    kept: Mapping[str, Entity],
    places: Mapping[str, int],
    symmetric: Collection[str],
    notes: list[Note],
) -> tuple[WordRelation, ...]:
    labels = {entity.id: entity.label for entity in document.entities}
    found: dict[tuple[str, int, int], WordRelation] = {}
    for relation in document.relations:
        if relation.head not in kept or relation.tail not in kept:
            notes.append(Note(OF_LOST_ENTITY, document.doc_id, relation.label))
            continue
        head, tail = places[relation.head], places[relation.tail]
        if relation.label in symmetric:
            head, tail = min(head, tail), max(head, tail)
        key = (relation.label, head, tail)
        if head == tail or key in found:
            kind = TO_ITSELF if head == tail else REPEATED_RELATION
            notes.append(Note(kind, document.doc_id, relation.label, _quote(document, kept, relation)))
            continue
        found[key] = WordRelation(*key)
        if any(kept[end].label != labels[end] for end in (relation.head, relation.tail)):
            notes.append(Note(MOVED_RELATION, document.doc_id, relation.label, _quote(document, kept, relation)))
    return tuple(sorted(found.values(), key=lambda relation: (relation.head, relation.tail, relation.label)))


def _quote(document: AnnotatedDocument, kept: Mapping[str, Entity], relation: Relation) -> str:
    head, tail = kept[relation.head], kept[relation.tail]
    return f"{document.text[head.start : head.end]} –{relation.label}→ {document.text[tail.start : tail.end]}"
