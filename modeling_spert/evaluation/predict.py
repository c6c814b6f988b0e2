"""Predictions for examples: batches by length, one forward each, answers in the order of the examples."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from modeling_spert.decoding_spert import Extraction, decode_windows, decoding_rules, merge_pieces
from modeling_spert.evaluation.examples import CorpusWindow, Example, window_examples
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.windows_spert import collate_windows, plan_batches

Pieces = dict[int, list[tuple[int, Extraction]]]


def predict_examples(
    model: SpertModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], **settings: Any
) -> dict[int, Extraction]:
    """Entities and relations of each example, by row; rows without words are missing.

    Args:
        model: In eval mode.
        tokenizer: Its tokenizer.
        examples: Rows with `tokens`, and `doc_id` and `sentence_index` for windows over documents.
        **settings: Of `predict_pieces`.
    """
    return merge_rows([predict_pieces(model, tokenizer, examples, **settings)])


def merge_rows(parts: Sequence[Pieces]) -> dict[int, Extraction]:
    """Extractions by row from what one or several processes found in the pieces of the rows."""
    rows: Pieces = {}
    for part in parts:
        for row, found in part.items():
            rows.setdefault(row, []).extend(found)
    return {row: found[0][1] if len(found) == 1 else merge_pieces(found) for row, found in rows.items()}


@torch.inference_mode()
def predict_pieces(
    model: SpertModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    *,
    batch_size: int = 32,
    relation_threshold: float | None = None,
    entity_threshold: float | None = None,
    shard: tuple[int, int] = (0, 1),
) -> Pieces:
    """Entities and relations of the pieces of each example: a long sentence's may come from several processes.

    Args:
        model: In eval mode.
        tokenizer: Its tokenizer.
        examples: Rows with `tokens`, and `doc_id` and `sentence_index` for windows over documents.
        batch_size: Windows per forward pass.
        relation_threshold: Probability from which a relation holds; default: the configuration's.
        entity_threshold: Probability an entity must reach; default: the best class wins.
        shard: (i, n): do every n-th batch from the i-th, for n processes.

    Returns:
        By row, each piece's first word and extraction; rows without words are missing.
    """
    windows = window_examples(examples, tokenizer, model.config)
    batches = plan_batches([len(item.window.input_ids) for item in windows], batch_size)
    pieces: Pieces = {}
    for batch in batches[shard[0] :: shard[1]]:
        items = [windows[number] for number in batch]
        for row, offset, extraction in _predict_batch(model, tokenizer, items, relation_threshold, entity_threshold):
            pieces.setdefault(row, []).append((offset, extraction))
    return pieces


def _predict_batch(
    model: SpertModel,
    tokenizer: PreTrainedTokenizerBase,
    items: Sequence[CorpusWindow],
    relation_threshold: float | None,
    entity_threshold: float | None,
) -> list[tuple[int, int, Extraction]]:
    """Row, first word and extraction of every piece in a batch."""
    windows = [item.window for item in items]
    batch = {
        key: value.to(model.device) for key, value in collate_windows(windows, tokenizer.pad_token_id or 0).items()
    }
    output = model(**batch, entity_threshold=entity_threshold)
    decoded = decode_windows(output, windows, decoding_rules(model.config, relation_threshold))
    return [
        (row, piece.start, extraction)
        for item, extractions in zip(items, decoded, strict=True)
        for row, piece, extraction in zip(item.rows, item.window.pieces, extractions, strict=True)
    ]


def extraction_to_example(example: Example, extraction: Extraction) -> dict[str, Any]:
    """A prediction in the form of an example, with scores: SpERT's JSON."""
    return {
        "tokens": list(example["tokens"]),
        "entities": [
            {"type": e.label, "start": e.start, "end": e.end, "score": round(e.score, 6)} for e in extraction.entities
        ],
        "relations": [
            {"type": r.label, "head": r.head, "tail": r.tail, "score": round(r.score, 6)} for r in extraction.relations
        ],
        **{key: example[key] for key in ("orig_id", "doc_id", "sentence_index") if example.get(key) is not None},
    }
