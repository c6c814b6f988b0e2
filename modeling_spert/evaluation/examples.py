"""Examples as documents: which rows belong together, for training and for prediction."""

from collections.abc import Mapping, Sequence
from typing import Any

Example = Mapping[str, Any]


def group_documents(examples: Sequence[Example], context: str = "document") -> list[list[int]]:
    """Rows of each document, in the order of its sentences; a row without `doc_id` is a document of its own.

    Args:
        examples: Rows, of which `doc_id` and `sentence_index` are read.
        context: Of the configuration; with "none" every row is a document of its own.

    >>> rows = [{"doc_id": "a", "sentence_index": 1}, {"doc_id": None}, {"doc_id": "a", "sentence_index": 0}]
    >>> group_documents(rows)
    [[2, 0], [1]]
    """
    if context != "document":
        return [[row] for row in range(len(examples))]
    documents: dict[object, list[int]] = {}
    for row, example in enumerate(examples):
        name = example.get("doc_id")
        documents.setdefault(("row", row) if name is None else ("document", name), []).append(row)
    for rows in documents.values():
        rows.sort(key=lambda row: (examples[row].get("sentence_index") or 0, row))
    return list(documents.values())
