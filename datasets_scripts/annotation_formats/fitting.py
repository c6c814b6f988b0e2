"""What every writer needs first: entities that a format can mark at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from datasets_scripts.annotation_formats.alignment import has_gaps
from datasets_scripts.annotation_formats.documents import AnnotatedDocument
from datasets_scripts.annotation_formats.report import DIRECTED, DISCONTINUOUS_WIDENED, NO_WORD, OF_LOST_ENTITY, Note
from datasets_scripts.annotation_formats.words import Splitter


@dataclass(frozen=True)
class Writing:
    """What a writer needs in addition to the documents.

    Attributes:
        symmetric: The relation types without direction.
        splitter: Cuts the texts that have no words of their own, for formats in words; default: the project's rules.
    """

    symmetric: tuple[str, ...] = ()
    splitter: Splitter | None = None


def fit_entities(document: AnnotatedDocument, contiguous: bool) -> tuple[AnnotatedDocument, list[Note]]:
    """The document without entities that hold no character to mark, nor relations of those.

    Args:
        document: Any document.
        contiguous: Whether an entity must be one span; one with gaps is then widened over them.
    """
    notes: list[Note] = []
    entities = []
    for entity in document.entities:
        quote = document.text[entity.start : entity.end]
        if not any(document.text[start:end].strip() for start, end in entity.fragments):
            notes.append(Note(NO_WORD, document.doc_id, entity.label, repr(quote)))
            continue
        if contiguous and len(entity.fragments) > 1:
            if has_gaps(document.text, entity.fragments):
                notes.append(Note(DISCONTINUOUS_WIDENED, document.doc_id, entity.label, quote))
            entity = replace(entity, fragments=((entity.start, entity.end),))
        entities.append(entity)
    kept = {entity.id for entity in entities}
    relations = []
    for relation in document.relations:
        if relation.head in kept and relation.tail in kept:
            relations.append(relation)
        else:
            notes.append(Note(OF_LOST_ENTITY, document.doc_id, relation.label))
    return replace(document, entities=tuple(entities), relations=tuple(relations)), notes


def note_directions(document: AnnotatedDocument, symmetric: Collection[str]) -> list[Note]:
    """A note for each relation without direction, for formats that know only directed ones."""
    return [
        Note(DIRECTED, document.doc_id, relation.label)
        for relation in document.relations
        if relation.both_ways or relation.label in symmetric
    ]


def by_split(documents: Iterable[AnnotatedDocument], default: str) -> dict[str, list[AnnotatedDocument]]:
    """The documents of each split, in order of first appearance; those without a split under `default`."""
    groups: dict[str, list[AnnotatedDocument]] = {}
    for document in documents:
        groups.setdefault(document.split or default, []).append(document)
    return groups
