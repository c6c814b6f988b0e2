"""Files of JSON objects, a document each: reading with errors by line and field, checking values, writing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets_scripts.annotation_formats.documents import AnnotatedDocument
from datasets_scripts.annotation_formats.fitting import Writing, by_split, fit_entities, note_directions
from datasets_scripts.annotation_formats.report import Note
from datasets_scripts.annotation_formats.sources import FormatError, Reading, read_bytes
from datasets_scripts.annotation_formats.splitting import SPLITS
from datasets_scripts.records import Record, read_records
from datasets_scripts.row_validation import RowProblem, parse_int, parse_list, parse_str, show, show_keys

# From an object, a name for a document without one, and how to read, to the document; None if it is to be left out.
ParseRow = Callable[[dict[str, Any], str, Reading], AnnotatedDocument | None]
# From a document and its index from 1 to an object.
RenderRow = Callable[[AnnotatedDocument, int], dict[str, Any]]


def read_rows(
    source: Path, reading: Reading, parse: ParseRow, records: Sequence[Record] | None = None
) -> Iterator[AnnotatedDocument]:
    """The documents of a file of JSON objects.

    Args:
        source: The file.
        reading: How to read.
        parse: Makes a document of an object, or raises RowProblem.
        records: The file's records, where they have been read already.

    Raises:
        FormatError: The file, or an object, cannot be read.
    """
    for record in checked_records(source) if records is None else records:
        name = f"{source.stem}-{record.row}"
        try:
            document = parse(parse_object(record.value, "the row"), name, reading)
        except RowProblem as problem:
            reading.bad(name, record_error(source, record, problem))
            continue
        if document is not None:
            yield document


def write_rows(documents: Sequence[AnnotatedDocument], folder: Path, writing: Writing, render: RenderRow) -> list[Note]:
    """Write `documents.jsonl`, or a file per split, an object a line, for a format whose relations have a direction."""
    notes: list[Note] = []
    for name, group in by_split(documents, "documents").items():
        lines = []
        for index, document in enumerate(group, start=1):
            fitted, found = fit_entities(document, contiguous=True)
            notes += [*found, *note_directions(fitted, writing.symmetric)]
            lines.append(json.dumps(render(fitted, index), ensure_ascii=False) + "\n")
        (folder / f"{name}.jsonl").write_bytes("".join(lines).encode("utf-8"))
    return notes


def parse_split(row: Mapping[str, Any]) -> str | None:
    """The split that an object names, if any: other tools keep the field that `write_rows` has written."""
    return row["split"] if row.get("split") in SPLITS else None


def parse_doc_id(row: Mapping[str, Any], default: str) -> str:
    """The name of a document: its `doc_id`, else its `id`, else the default."""
    for key in ("doc_id", "id"):
        if row.get(key) is not None:
            return parse_id(row[key], key)
    return default


def parse_id(value: Any, field: str) -> str:
    """An id: an integer or a string, else RowProblem."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise RowProblem(field, f"is {show(value)}; it must be an id (an integer or a string)")
    return parse_str(str(value), field)


def parse_score(item: Mapping[str, Any]) -> float | None:
    """The score of a prediction, if it is a number."""
    score = item.get("score")
    return float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None


def checked_records(path: Path) -> list[Record]:
    """The records of a JSON, JSON Lines or Parquet file, every one readable.

    Raises:
        FormatError: The file is not readable, or a line is not.
    """
    read_bytes(path)
    try:
        records = read_records(path)
    except ValueError as error:
        raise FormatError(path, str(error).removeprefix(f"{path} ").removeprefix(f"{path}: ")) from error
    for record in records:
        if record.problem is not None:
            raise FormatError(path, f"{record.problem}; correct the line", record.line)
    return records


def record_error(path: Path, record: Record, problem: Exception) -> FormatError:
    """The error for a problem in one record."""
    remedy = "Correct it, or leave bad documents out (--on_bad skip; in Python on_bad='skip')"
    return FormatError(path, f"{problem}. {remedy}", record.line, f"record {record.row}")


def parse_offset(item: dict[str, Any], key: str, field: str) -> int:
    """A character offset of a JSON object: an integer, 0 or more.

    Raises:
        RowProblem: It is missing or something else.
    """
    if key not in item:
        raise RowProblem(f"{field}.{key}", f"is missing (the keys are {show_keys(item)})")
    value = parse_int(item[key], f"{field}.{key}")
    if value < 0:
        raise RowProblem(f"{field}.{key}", f"is {value}; it must be 0 or more")
    return value


def parse_object(value: Any, field: str) -> dict[str, Any]:
    """The value if it is a JSON object, else RowProblem."""
    if not isinstance(value, dict):
        raise RowProblem(field, f"is {show(value)}; it must be an object")
    return value


def parse_label(value: Any, field: str) -> str:
    """A label: a string that is not blank, else RowProblem."""
    label = parse_str(value, field)
    if not label.strip():
        raise RowProblem(field, "is ''; a label cannot be empty")
    return label


def parse_objects(value: Any, field: str) -> list[dict[str, Any]]:
    """The items of a list of JSON objects, else RowProblem."""
    return [parse_object(item, f"{field}[{index}]") for index, item in enumerate(parse_list(value, field))]
