"""Documents from sources that hold words and no text: the words are kept, the text is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation, Span
from datasets_scripts.annotation_formats.report import Note


def document_of_rows(
    doc_id: str, rows: Sequence[Mapping[str, Any]], notes: Iterable[Note] = (), split: str | None = None
) -> AnnotatedDocument:
    """A document of sentences in SpERT's form, in order.

    Args:
        doc_id: Its name.
        rows: `tokens`, `entities`, `relations`, and both or neither of `text` and `offsets` (`units.make_rows`).
            Without them words are joined by blanks, sentences by line ends.
        notes: What else the source says.
        split: The split it is in.
    """
    text = ""
    sentences: list[tuple[Span, ...]] = []
    entities: list[Entity] = []
    relations: list[Relation] = []
    for row in rows:
        if "offsets" in row:
            offsets = [(len(text) + start, len(text) + end) for start, end in row["offsets"]]
            text += row["text"]
        else:
            text += "\n" if text and not text[-1].isspace() else ""
            offsets = []
            for token in row["tokens"]:
                text += " " if offsets else ""
                offsets.append((len(text), len(text) + len(token)))
                text += token
        sentences.append(tuple(offsets))
        first = len(entities)
        for entity in row["entities"]:
            span = (offsets[entity["start"]][0], offsets[entity["end"] - 1][1])
            entities.append(Entity(f"e{len(entities)}", entity["type"], (span,), entity.get("score")))
        for relation in row["relations"]:
            ends = (f"e{first + relation['head']}", f"e{first + relation['tail']}")
            relations.append(Relation(relation["type"], *ends, score=relation.get("score")))
    return AnnotatedDocument(
        doc_id, text, tuple(entities), tuple(relations), tuple(notes), sentences=tuple(sentences), split=split
    )
