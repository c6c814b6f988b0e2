"""A table of relations, as a spreadsheet saves it: one row per relation (or entity, or text), with a header.

    doc_id,text,head,head_type,head_start,head_end,relation,tail,tail_type,tail_start,tail_end

`text`, `head`, `head_type` are the least a relation-free table needs. A row without `relation` states an entity, one
without `head` a text that holds none. Rows with one `doc_id` (without it: one text) make a document. Starts and ends
count characters; without them the words of `head` and `tail` must occur exactly once in the text. The separator may be
a comma, a semicolon or a tab.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation, Span
from datasets_scripts.annotation_formats.sources import FormatError, Reading, read_text

COLUMNS = ("doc_id", "text", "head", "head_type", "head_start", "head_end", "relation", "tail", "tail_type",
           "tail_start", "tail_end", "split")  # fmt: skip


@dataclass
class _Table:
    """The document that rows add to."""

    text: str
    split: str | None
    entities: dict[tuple[str, Span], Entity] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)


def read_csv(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of a table.

    Raises:
        FormatError: A column is missing, or a row is wrong; the message names the line.
    """
    documents: dict[str, _Table] = {}
    bad: set[str] = set()
    for line, row in _rows(source):
        doc_id = row.get("doc_id") or row.get("text") or ""
        try:
            _add_row(documents, doc_id, source, line, row)
        except FormatError as error:
            if doc_id not in bad:
                reading.bad(doc_id[:40] or f"line {line}", error)
            bad.add(doc_id)
    named = any(doc_id != table.text for doc_id, table in documents.items())
    for place, (doc_id, table) in enumerate(documents.items()):
        if doc_id not in bad:
            name = doc_id if named and doc_id != table.text else f"{source.stem}-{place}"
            yield AnnotatedDocument(
                name, table.text, tuple(table.entities.values()), tuple(table.relations), split=table.split
            )


def _rows(source: Path) -> Iterator[tuple[int, dict[str, str]]]:
    content = read_text(source)
    header = content.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=header.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_header(source, names)
        for values in reader:
            if not any(values):
                continue
            if len(values) != len(names):
                raise FormatError(source, f"has {len(values)} cells, the header {len(names)}", reader.line_num)
            yield reader.line_num, dict(zip(names, values, strict=True))
    except csv.Error as error:
        raise FormatError(source, f"is not a readable table ({error})", reader.line_num) from error


def _check_header(source: Path, names: list[str]) -> None:
    if "text" not in names:
        raise FormatError(source, f"has no column 'text' (columns: {', '.join(names)[:80]}); name the columns", 1)
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise FormatError(source, f"has a column {unknown[0]!r}; known are {', '.join(COLUMNS)}", 1)
    if len(set(names)) < len(names):
        raise FormatError(source, "names a column twice", 1)


def _add_row(documents: dict[str, _Table], doc_id: str, source: Path, line: int, row: Mapping[str, str]) -> None:
    text = row["text"]
    if not text.strip() and doc_id not in documents:
        raise FormatError(source, "has no text; give it at least in the first row of a document", line)
    table = documents.setdefault(doc_id, _Table(text, row.get("split") or None))
    if text.strip() and text != table.text:
        raise FormatError(source, f"gives document {doc_id[:40]!r} another text than an earlier row", line)
    if not row.get("head"):
        if row.get("relation") or row.get("tail"):
            raise FormatError(source, "has a relation or a tail, but no head", line)
        return
    head = _entity(table, source, line, row, "head")
    if row.get("relation"):
        tail = _entity(table, source, line, row, "tail")
        table.relations.append(Relation(row["relation"].strip(), head, tail))
    elif row.get("tail"):
        raise FormatError(source, "has a tail, but no relation", line)


def _entity(table: _Table, source: Path, line: int, row: Mapping[str, str], role: str) -> str:
    """The id of the entity that a row states, an earlier row's where it is the same."""
    label = row.get(f"{role}_type", "").strip()
    words = row.get(role, "")
    if not label or not words:
        raise FormatError(source, f"needs {role} and {role}_type", line)
    start = _offset(table, source, line, row, role, words)
    span = (start, start + len(words))
    entity = table.entities.setdefault((label, span), Entity(f"e{len(table.entities)}", label, (span,)))
    return entity.id


def _offset(table: _Table, source: Path, line: int, row: Mapping[str, str], role: str, words: str) -> int:
    start, end = row.get(f"{role}_start", "").strip(), row.get(f"{role}_end", "").strip()
    if not start:
        count = table.text.count(words)
        if count != 1:
            raise FormatError(
                source,
                f"{role} {words[:40]!r} occurs {count} times in the text; give {role}_start and {role}_end",
                line,
            )
        return table.text.index(words)
    if not (start.isdecimal() and len(start) < 10 and (not end or (end.isdecimal() and len(end) < 10))):
        raise FormatError(source, f"{role}_start and {role}_end are {start!r} and {end!r}; they must be integers", line)
    found = table.text[int(start) : int(end) if end else int(start) + len(words)]
    if found != words:
        raise FormatError(source, f"{role} is {words[:40]!r}, but the text at {start} is {found[:40]!r}", line)
    return int(start)
