"""The form between the formats: a text, its entities by character, relations between them, and what did not fit.

Every reader gives `AnnotatedDocument`s and every writer takes them. Characters are Python's (Unicode code points),
spans half-open. A document holds more than a model can learn from (discontinuous entities, two types on one span); what
is kept for training is decided by `alignment` and `units`, which report the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from datasets_scripts.annotation_formats.report import BOTH_WAYS, Note

Span = tuple[int, int]


@dataclass(frozen=True)
class Entity:
    """An entity.

    Attributes:
        id: What relations call it; unique in its document.
        label: Its type.
        fragments: Its characters `[start, end)`, in order; more than one where it is discontinuous.
        score: A model's probability, for predictions.
    """

    id: str
    label: str
    fragments: tuple[Span, ...]
    score: float | None = None

    @property
    def start(self) -> int:
        """Its first character."""
        return self.fragments[0][0]

    @property
    def end(self) -> int:
        """The character after its last."""
        return self.fragments[-1][1]


@dataclass(frozen=True)
class Relation:
    """A relation from the entity `head` to the entity `tail` (their ids); `both_ways` if it has no direction."""

    label: str
    head: str
    tail: str
    both_ways: bool = False
    score: float | None = None


@dataclass(frozen=True)
class AnnotatedDocument:
    """A text with its annotation.

    Attributes:
        doc_id: Its name, unique in its corpus.
        text: The text as annotated, line breaks included.
        entities: The entities, in the order of the source.
        relations: The relations between them, likewise.
        notes: What else the source says that this form cannot hold.
        sentences: The words of each sentence by character, where the source has words of its own; else None.
        knows_sentences: Whether the source says where sentences end; else `sentences` is one list of all words.
        split: The part of the corpus that the source puts it into, such as "train"; else None.
    """

    doc_id: str
    text: str
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    notes: tuple[Note, ...] = ()
    sentences: tuple[tuple[Span, ...], ...] | None = None
    knows_sentences: bool = True
    split: str | None = None


def with_unique_ids(documents: Iterable[AnnotatedDocument]) -> list[AnnotatedDocument]:
    """The documents, with a counter added to a `doc_id` that an earlier one has.

    >>> [document.doc_id for document in with_unique_ids([AnnotatedDocument("a", ""), AnnotatedDocument("a", "")])]
    ['a', 'a-2']
    """
    taken: set[str] = set()
    renamed = []
    for document in documents:
        name, count = document.doc_id, 1
        while name in taken:
            count += 1
            name = f"{document.doc_id}-{count}"
        taken.add(name)
        renamed.append(document if name == document.doc_id else replace(document, doc_id=name))
    return renamed


def settle_directions(documents: Sequence[AnnotatedDocument]) -> tuple[list[AnnotatedDocument], tuple[str, ...]]:
    """Decide which relation types are symmetric: those whose every relation has no direction.

    A relation without direction of another type becomes two, one each way, and is noted.

    Returns:
        The documents, and the symmetric types in sorted order.
    """
    seen: Counter[tuple[str, bool]] = Counter(
        (relation.label, relation.both_ways) for document in documents for relation in document.relations
    )
    symmetric = {label for label, both_ways in seen if both_ways and (label, False) not in seen}
    return [_settle(document, symmetric) for document in documents], tuple(sorted(symmetric))


def _settle(document: AnnotatedDocument, symmetric: set[str]) -> AnnotatedDocument:
    relations: list[Relation] = []
    notes = list(document.notes)
    for relation in document.relations:
        relations.append(relation)
        if relation.both_ways and relation.label not in symmetric:
            relations[-1] = replace(relation, both_ways=False)
            relations.append(replace(relation, head=relation.tail, tail=relation.head, both_ways=False))
            notes.append(Note(BOTH_WAYS, document.doc_id, relation.label))
    return replace(document, relations=tuple(relations), notes=tuple(notes))
