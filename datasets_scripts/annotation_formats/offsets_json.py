"""Texts with character offsets, the pipeline's own answer form: what it prints can be corrected and trained on.

    {"text": "…", "entities": [{"start": 0, "end": 7, "label": "Drug"}],
     "relations": [{"head": 0, "tail": 1, "label": "treats"}]}

A list of these, or one per line; `head` and `tail` are indices into `entities`. `doc_id` (or `id`) and `split` are
optional; scores and other keys are ignored, scores kept for writers of predictions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets_scripts.annotation_formats.character_offsets import Quoted, choose_offsets
from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation
from datasets_scripts.annotation_formats.fitting import Writing
from datasets_scripts.annotation_formats.json_objects import (
    parse_doc_id,
    parse_label,
    parse_objects,
    parse_offset,
    parse_score,
    parse_split,
    read_rows,
    write_rows,
)
from datasets_scripts.annotation_formats.report import UTF16_OFFSETS, Note
from datasets_scripts.annotation_formats.sources import Reading
from datasets_scripts.row_validation import RowProblem, parse_int, parse_str


def read_offsets(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of a JSON or JSON Lines file.

    Raises:
        FormatError: A row is not of this form, an offset is outside the text, or an entity's `text` is not there.
    """
    yield from read_rows(source, reading, _read_row)


def _read_row(row: dict[str, Any], default_id: str, reading: Reading) -> AnnotatedDocument:
    text = parse_str(row.get("text"), "text")
    items = parse_objects(row.get("entities") or [], "entities")
    spans = []
    for index, item in enumerate(items):
        field = f"entities[{index}]"
        quote = item.get("text")
        spans.append(
            Quoted(
                parse_offset(item, "start", field),
                parse_offset(item, "end", field),
                quote if isinstance(quote, str) else None,
            )
        )
    offsets = choose_offsets(text, spans, reading.offset_unit)
    entities = []
    for index, (item, span) in enumerate(zip(items, spans, strict=True)):
        start, end = offsets.position(span.start), offsets.position(span.end)
        field = f"entities[{index}]"
        if start is None or end is None or start > end:
            raise RowProblem(field, f"goes from {span.start} to {span.end}, but the text has {len(text)} characters")
        # The pipeline's `text` is not checked: an entity whose offsets somebody corrected may keep the old one.
        label = parse_label(item.get("label", item.get("type")), f"{field}.label")
        entities.append(Entity(f"e{index}", label, ((start, end),), parse_score(item)))
    relations = []
    for index, item in enumerate(parse_objects(row.get("relations") or [], "relations")):
        ends = []
        for key in ("head", "tail"):
            place = parse_int(item.get(key), f"relations[{index}].{key}")
            if not 0 <= place < len(entities):
                raise RowProblem(f"relations[{index}].{key}", f"is {place}, but there are {len(entities)} entities")
            ends.append(f"e{place}")
        label = parse_label(item.get("label", item.get("type")), f"relations[{index}].label")
        relations.append(Relation(label, ends[0], ends[1], score=parse_score(item)))
    doc_id = parse_doc_id(row, default_id)
    notes = (Note(UTF16_OFFSETS, doc_id),) if offsets.shifts else ()
    return AnnotatedDocument(doc_id, text, tuple(entities), tuple(relations), notes, split=parse_split(row))


def write_offsets(documents: Sequence[AnnotatedDocument], folder: Path, writing: Writing) -> list[Note]:
    """Write `documents.jsonl`, or a file per split, in the pipeline's answer form.

    Args:
        documents: What to write.
        folder: Where; it exists and is empty.
        writing: What else is known of the corpus.
    """
    return write_rows(documents, folder, writing, _row)


def _row(document: AnnotatedDocument, _: int) -> dict[str, Any]:
    places = {entity.id: index for index, entity in enumerate(document.entities)}
    row: dict[str, Any] = {"doc_id": document.doc_id, "text": document.text}
    if document.split:
        row["split"] = document.split
    row["entities"] = [
        {
            "label": entity.label,
            "start": entity.start,
            "end": entity.end,
            "text": document.text[entity.start : entity.end],
            **({} if entity.score is None else {"score": entity.score}),
        }
        for entity in document.entities
    ]
    row["relations"] = [
        {
            "label": relation.label,
            "head": places[relation.head],
            "tail": places[relation.tail],
            **({} if relation.score is None else {"score": relation.score}),
        }
        for relation in document.relations
    ]
    return row
