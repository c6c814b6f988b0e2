"""Examples to windows, for training and for prediction: rows are grouped into documents, documents cut into windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.tokenization_spert import encode_sentences, special_affixes
from modeling_spert.windows_spert import Window, make_windows, window_length

logger = logging.get_logger(__name__)

Example = Mapping[str, Any]


@dataclass(frozen=True)
class CorpusWindow:
    """A window and the row of the example that each of its pieces comes from."""

    window: Window
    rows: tuple[int, ...]


def group_documents(examples: Sequence[Example]) -> list[list[int]]:
    """Rows of each document, in the order of its sentences; a row without `doc_id` is a document of its own.

    >>> rows = [{"doc_id": "a", "sentence_index": 1}, {"doc_id": None}, {"doc_id": "a", "sentence_index": 0}]
    >>> group_documents(rows)
    [[2, 0], [1]]
    """
    documents: dict[object, list[int]] = {}
    for row, example in enumerate(examples):
        name = example.get("doc_id")
        documents.setdefault(("row", row) if name is None else ("document", name), []).append(row)
    for rows in documents.values():
        rows.sort(key=lambda row: (examples[row].get("sentence_index") or 0, row))
    return list(documents.values())


def window_examples(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, config: SpertConfig
) -> list[CorpusWindow]:
    """Windows over the examples, in the order of the documents, as the configuration's `context` says."""
    encoded = encode_sentences(tokenizer, [example["tokens"] for example in examples])
    affixes = special_affixes(tokenizer)
    limit = window_length(tokenizer, config.max_window_length)
    documents = group_documents(examples) if config.context == "document" else [[row] for row in range(len(examples))]
    windows = []
    for rows in documents:
        for window in make_windows(
            [encoded[row] for row in rows], affixes, limit, config.context, config.max_span_width
        ):
            windows.append(CorpusWindow(window, tuple(rows[piece.sentence] for piece in window.pieces)))
    return windows
