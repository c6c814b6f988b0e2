"""Predictions for examples, by the engine that the pipeline uses too."""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from modeling_spert.decoding_spert import Extraction
from modeling_spert.evaluation.examples import Example, group_documents
from modeling_spert.extraction_spert import Extractor
from modeling_spert.inputs_spert import document_of_tokens


def predict_examples(
    model: Any, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], **settings: Any
) -> list[Extraction]:
    """Entities and relations of each example, in the order of the examples.

    Args:
        model: A `SpertModel` or `OnnxSpertModel`; one in training mode is put in eval mode.
        tokenizer: Its tokenizer.
        examples: Rows with `tokens`, and `doc_id` and `sentence_index` for windows over documents.
        **settings: Of `Extractor`, such as `batch_size` and `relation_threshold`.
    """
    extract = Extractor(model, tokenizer, **settings)
    groups = group_documents(examples, settings.get("context") or model.config.context)
    found = extract([document_of_tokens([examples[row]["tokens"] for row in rows]) for rows in groups])
    by_row = {
        row: extraction
        for rows, extractions in zip(groups, found, strict=True)
        for row, extraction in zip(rows, extractions, strict=True)
    }
    return [by_row[row] for row in range(len(examples))]


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
