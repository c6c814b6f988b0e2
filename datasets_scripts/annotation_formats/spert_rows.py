"""SpERT's JSON and DyGIE's documents, as the rest of the package reads them, as documents with text.

A row of SpERT's form is a sentence of the document `doc_id`, or a document of its own. Rows that `convert` has written
carry their text and the place of each word in it; from others a text is made by joining the words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from datasets_scripts.annotation_formats.documents import AnnotatedDocument
from datasets_scripts.annotation_formats.json_objects import checked_records, parse_score, record_error
from datasets_scripts.annotation_formats.report import CHAIN, EVENT_LOST, Note
from datasets_scripts.annotation_formats.sources import FormatError, Reading
from datasets_scripts.annotation_formats.word_documents import document_of_rows
from datasets_scripts.dygie_documents import expand_document, is_document
from datasets_scripts.records import Record
from datasets_scripts.row_validation import RowProblem, parse_example, parse_list, parse_str, show, show_keys


def read_spert(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of a file of rows: those with one `doc_id` together, in the order of `sentence_index`.

    Raises:
        FormatError: A row is not of SpERT's form.
    """
    documents: dict[str, dict[int, dict[str, Any]]] = {}
    for record in checked_records(source):
        name = f"{source.stem}-{record.row}"
        try:
            row = _parse_row(record.value)
            sentences = documents.setdefault(row.get("doc_id", row.get("orig_id", name)), {})
            index = row.get("sentence_index", len(sentences))
            if index in sentences:
                raise RowProblem("sentence_index", f"is {index}, as in an earlier row of {show(row.get('doc_id'))}")
            sentences[index] = row
        except RowProblem as problem:
            reading.bad(name, record_error(source, record, problem))
    for doc_id, rows in documents.items():
        yield document_of_rows(doc_id, [rows[index] for index in sorted(rows)])


def _parse_row(value: Any) -> dict[str, Any]:
    """The row with its scores, and with `text` and `offsets` where both are right."""
    row = parse_example(value, None, allow_repeated_relations=True)
    for key in ("entities", "relations"):
        for item, source in zip(row[key], value.get(key) or [], strict=True):
            score = parse_score(source)
            if score is not None:
                item["score"] = score
    if value.get("offsets") is not None:
        row["text"] = parse_str(value.get("text"), "text")
        row["offsets"] = _parse_offsets(value["offsets"], row)
    return row


def _parse_offsets(value: Any, row: Mapping[str, Any]) -> list[tuple[int, int]]:
    offsets = []
    position = 0
    for index, pair in enumerate(parse_list(value, "offsets")):
        integers = isinstance(pair, list) and len(pair) == 2 and all(type(place) is int for place in pair)
        if not integers or not position <= pair[0] < pair[1] <= len(row["text"]):
            raise RowProblem(f"offsets[{index}]", f"is {show(pair)}; remove text and offsets if the words were changed")
        offsets.append((pair[0], pair[1]))
        position = pair[1]
    if len(offsets) != len(row["tokens"]):
        count = f"has {len(offsets)} items for {len(row['tokens'])} words"
        raise RowProblem("offsets", f"{count}; remove text and offsets if the words were changed")
    return offsets


def read_dygie(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of a file in DyGIE's form, one a line.

    Raises:
        FormatError: A document is not of this form.
    """
    for record in checked_records(source):
        if not is_document(record.value):
            is_object = isinstance(record.value, dict)
            found = f"the keys are {show_keys(record.value)}" if is_object else show(record.value)
            problem = RowProblem("", f"the row is not a document with doc_key, sentences and ner ({found})")
            reading.bad(f"{source.stem}-{record.row}", record_error(source, record, problem))
            continue
        try:
            yield _dygie_document(source, record)
        except FormatError as error:
            reading.bad(str(record.value.get("doc_key")), error)


def _dygie_document(source: Path, record: Record) -> AnnotatedDocument:
    sentences = expand_document(record)
    for sentence in sentences:
        if sentence.problem is not None:
            raise record_error(source, record, sentence.problem)
    doc_id = record.value["doc_key"]
    notes = [Note(CHAIN, doc_id)] * _count(record.value.get("clusters"))
    notes += [Note(EVENT_LOST, doc_id)] * sum(map(_count, record.value.get("events") or []))
    return document_of_rows(doc_id, [sentence.value for sentence in sentences], notes)


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0
