"""What a training run writes down about its data, so that a model card can be made from the record alone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datasets_scripts.corpora import find_benchmark
from datasets_scripts.row_units import count_sentences, row_unit


def source_facts(name: str) -> dict[str, Any]:
    """Where a data set comes from: `name`, `title`, `language`, `licence`, `note`, `citation`; None where unknown."""
    corpus = find_benchmark(name)
    known = ("language", "licence", "note", "citation")
    return {
        "name": name,
        "title": corpus.title if corpus else name,
        **{key: getattr(corpus, key) if corpus else None for key in known},
    }


def split_facts(split: str, rows: Sequence[Mapping[str, Any]], max_span_width: int) -> dict[str, Any]:
    """Sizes of a split, how often each label occurs in it, and a digest of its rows, equal wherever the rows are.

    "sentences" counts sentences also where a row, the "unit", is a document; so does "without_relations".
    """
    text = json.dumps(rows, sort_keys=True, ensure_ascii=False)
    unit = row_unit(row["tokens"] for row in rows)
    counts = count_sentences(rows, unit)
    return {
        "split": split,
        "unit": unit,
        "rows": len(rows),
        "sentences": counts.sentences,
        "entities": sum(len(row["entities"]) for row in rows),
        "relations": sum(len(row["relations"]) for row in rows),
        "without_relations": counts.without_relations,
        "wide_entities": count_wide_entities(rows, max_span_width),
        "entity_types": _count_types(rows, "entities"),
        "relation_types": _count_types(rows, "relations"),
        "revision": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def _count_types(rows: Iterable[Mapping[str, Any]], field: str) -> dict[str, int]:
    return dict(sorted(Counter(item["type"] for row in rows for item in row[field]).items()))


def count_wide_entities(rows: Iterable[Mapping[str, Any]], max_span_width: int) -> int:
    """Count the gold entities of more than `max_span_width` words: trained on, but never predicted.

    >>> count_wide_entities([{"entities": [{"type": "Work", "start": 2, "end": 14}]}], max_span_width=10)
    1
    """
    return sum(entity["end"] - entity["start"] > max_span_width for row in rows for entity in row["entities"])
