"""What a training run writes down about its data, so that a model card can be made from the record alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from datasets_scripts.corpora import find_benchmark
from datasets_scripts.demo.corpus import LICENSE as DEMO_LICENCE
from datasets_scripts.joint_dataset import JointDataset, count_wide_entities


def data_facts(dataset: JointDataset, train_split: str, eval_split: str | None, max_span_width: int) -> dict[str, Any]:
    """Name, source and sizes of the data, as plain JSON types.

    Args:
        dataset: the data.
        train_split: the split that is trained on, as `JointDataset.select` takes it.
        eval_split: the split that is scored, if any.
        max_span_width: the widest candidate span, in words.

    Returns:
        `name`, `title`, `language`, `licence`, `note`, `citation`, and under `train` and `eval` the facts of
        `split_facts`.
    """
    benchmark = find_benchmark(dataset.name)
    is_demo = dataset.name == "demo"
    splits = {"train": train_split, "eval": eval_split}
    return {
        "name": dataset.name,
        "title": benchmark.title if benchmark else "the demo corpus of modeling-spert" if is_demo else dataset.name,
        "language": "en" if benchmark or is_demo else None,
        "licence": benchmark.licence if benchmark else DEMO_LICENCE if is_demo else None,
        "note": benchmark.note if benchmark else None,
        "citation": benchmark.citation if benchmark else None,
        **{key: split_facts(dataset, split, max_span_width) for key, split in splits.items() if split},
    }


def split_facts(dataset: JointDataset, split: str, max_span_width: int) -> dict[str, Any]:
    """Sizes of a split, and its `revision`: a digest of its rows, equal wherever the rows are."""
    rows = dataset.select(split).to_list()
    text = json.dumps(rows, sort_keys=True, ensure_ascii=False)
    return {
        "split": split,
        "sentences": len(rows),
        "entities": sum(len(row["entities"]) for row in rows),
        "relations": sum(len(row["relations"]) for row in rows),
        "without_relations": sum(not row["relations"] for row in rows),
        "wide_entities": count_wide_entities(rows, max_span_width),
        "revision": hashlib.sha256(text.encode()).hexdigest()[:16],
    }
