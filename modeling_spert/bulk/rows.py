"""The rows of the output: their schema, and a table of them from documents and the pipeline's answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from modeling_spert.bulk.readers import Record

METADATA_KEY = b"spert"

ENTITY = pa.struct(
    [
        pa.field("start", pa.int32(), nullable=False),  # characters of the text, half-open
        pa.field("end", pa.int32(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
RELATION = pa.struct(
    [
        pa.field("head", pa.int32(), nullable=False),  # index into the row's entities
        pa.field("tail", pa.int32(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
    ]
)
_ENTITY_NAMES, _RELATION_NAMES = ([field.name for field in kind] for kind in (ENTITY, RELATION))
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text_sha256", pa.string()),  # null where there is no text
        pa.field("entities", pa.list_(ENTITY)),  # null where there is an error
        pa.field("relations", pa.list_(RELATION)),
        pa.field("error", pa.string()),
    ]
)


def schema_with(provenance: Mapping[str, Any]) -> pa.Schema:
    """The schema with what the rows come from, as JSON in its metadata."""
    return SCHEMA.with_metadata({METADATA_KEY: json.dumps(provenance, ensure_ascii=False).encode()})


def build_table(documents: Sequence[Record], answers: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A row per document, in the order of the documents.

    Args:
        documents: Ids and texts.
        answers: Of the pipeline, one each; one with an `error` gives a row without entities.
    """
    rows = [_row(document, answer) for document, answer in zip(documents, answers, strict=True)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def failed_table(documents: Sequence[Record], error: str) -> pa.Table:
    """Rows of documents that all failed for the same reason."""
    return build_table(documents, [{"error": error}] * len(documents))


def _row(document: Record, answer: Mapping[str, Any]) -> dict[str, Any]:
    text, error = document.text, answer.get("error")
    row = {
        "id": document.id,
        "text_sha256": None if text is None else hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "entities": None,
        "relations": None,
        "error": None if error is None else error.encode("utf-8", "replace").decode("utf-8"),
    }
    if error is None:
        row["entities"] = [{name: entity[name] for name in _ENTITY_NAMES} for entity in answer["entities"]]
        row["relations"] = [{name: relation[name] for name in _RELATION_NAMES} for relation in answer["relations"]]
    return row
