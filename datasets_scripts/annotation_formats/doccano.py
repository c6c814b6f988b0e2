"""doccano's JSON Lines: texts with spans and, in relation projects, relations.

    {"id": 1, "text": "…", "entities": [{"id": 4, "label": "Drug", "start_offset": 0, "end_offset": 7}],
     "relations": [{"id": 1, "from_id": 4, "to_id": 5, "type": "treats"}], "Comments": []}
    {"id": 1, "text": "…", "label": [[0, 7, "Drug"]]}                     without relations

doccano counts as JavaScript does (UTF-16 code units; doccano issue 2290). Where that cannot be, since an offset would
be inside a character or after the end, code points are counted; `offset_unit` overrules both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets_scripts.annotation_formats.character_offsets import Quoted, choose_offsets, utf16_offset
from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation
from datasets_scripts.annotation_formats.fitting import Writing
from datasets_scripts.annotation_formats.json_objects import (
    parse_doc_id,
    parse_id,
    parse_label,
    parse_objects,
    parse_offset,
    parse_split,
    read_rows,
    write_rows,
)
from datasets_scripts.annotation_formats.report import COMMENT, UTF16_OFFSETS, Note
from datasets_scripts.annotation_formats.sources import Reading
from datasets_scripts.row_validation import RowProblem, parse_int, parse_list, parse_str, show, show_keys


def read_doccano(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of an export (`JSONL`, or `JSONL(relation)`).

    Raises:
        FormatError: A line is not of this form, an offset is outside the text, or a relation names an unknown entity.
    """
    yield from read_rows(source, reading, _read_row)


def _read_row(row: dict[str, Any], default_id: str, reading: Reading) -> AnnotatedDocument:
    text = parse_str(row.get("text"), "text")
    doc_id = parse_doc_id(row, default_id)
    entities = _entities(row)
    offsets = choose_offsets(text, [Quoted(*entity[2], None) for entity in entities], reading.offset_unit, True)
    placed = []
    for field, (name, label), (first, last) in entities:
        start, end = offsets.position(first), offsets.position(last)
        if start is None or end is None or start > end:
            raise RowProblem(field, f"goes from {first} to {last}, but the text has {len(text)} characters")
        placed.append(Entity(name, label, ((start, end),)))
    known = {entity.id for entity in placed}
    if len(known) < len(placed):
        raise RowProblem("entities", "holds an id twice; ids must differ")
    relations = []
    for index, item in enumerate(parse_objects(row.get("relations") or [], "relations")):
        ends = [parse_id(item.get(key), f"relations[{index}].{key}") for key in ("from_id", "to_id")]
        for key, name in zip(("from_id", "to_id"), ends, strict=True):
            if name not in known:
                raise RowProblem(f"relations[{index}].{key}", f"is {name}, the id of no entity")
        relations.append(Relation(parse_label(item.get("type"), f"relations[{index}].type"), ends[0], ends[1]))
    notes = [Note(COMMENT, doc_id, "", str(comment)) for comment in row.get("Comments") or row.get("comments") or []]
    if offsets.shifts and placed:
        notes.append(Note(UTF16_OFFSETS, doc_id))
    return AnnotatedDocument(doc_id, text, tuple(placed), tuple(relations), tuple(notes), split=parse_split(row))


def _entities(row: dict[str, Any]) -> list[tuple[str, tuple[str, str], tuple[int, int]]]:
    """Field, (id, label) and (start, end) of each entity, in either form."""
    if "entities" in row:
        found = []
        for index, item in enumerate(parse_objects(row["entities"], "entities")):
            field = f"entities[{index}]"
            name = parse_id(item.get("id", f"e{index}"), f"{field}.id")
            span = parse_offset(item, "start_offset", field), parse_offset(item, "end_offset", field)
            found.append((field, (name, parse_label(item.get("label"), f"{field}.label")), span))
        return found
    key = next((name for name in ("label", "labels") if name in row), None)
    if key is None:
        raise RowProblem("entities", f"is missing, and so is label (the keys are {show_keys(row)})")
    found = []
    for index, item in enumerate(parse_list(row[key], key)):
        field = f"{key}[{index}]"
        if not isinstance(item, list) or len(item) != 3:
            raise RowProblem(field, f"is {show(item)}; it must be [start, end, label]")
        start, end = parse_int(item[0], f"{field}[0]"), parse_int(item[1], f"{field}[1]")
        found.append((field, (f"e{index}", parse_label(item[2], f"{field}[2]")), (start, end)))
    return found


def write_doccano(documents: Sequence[AnnotatedDocument], folder: Path, writing: Writing) -> list[Note]:
    """Write `documents.jsonl`, or a file per split, for a relation project of doccano.

    Args:
        documents: What to write.
        folder: Where; it exists and is empty.
        writing: What else is known of the corpus.
    """
    return write_rows(documents, folder, writing, _row)


def _row(document: AnnotatedDocument, number: int) -> dict[str, Any]:
    ids = {entity.id: index for index, entity in enumerate(document.entities, start=1)}
    row: dict[str, Any] = {"id": number, "doc_id": document.doc_id, "text": document.text}
    if document.split:
        row["split"] = document.split
    row["entities"] = [
        {
            "id": ids[entity.id],
            "label": entity.label,
            "start_offset": utf16_offset(document.text, entity.start),
            "end_offset": utf16_offset(document.text, entity.end),
        }
        for entity in document.entities
    ]
    row["relations"] = [
        {"id": index, "from_id": ids[relation.head], "to_id": ids[relation.tail], "type": relation.label}
        for index, relation in enumerate(document.relations, start=1)
    ]
    row["Comments"] = []
    return row
