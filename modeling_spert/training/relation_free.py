"""Sentences without relations, mixed into a training: what a model of CoNLL04 or ADE has never seen.

A sentence with labelled entities is trained on as any other: its pairs of entities are negatives. Of a plain sentence
nobody knows the entities, so its spans are kept out of the span loss. Its negatives are the pairs of *known names*:
runs of words that are a mention in the training split. Pairs of random spans, the paper's weak negatives (section 4.4),
are easier than what the relation classifier is asked later, which is about pairs of entities only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from transformers.utils import logging

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.evaluation.examples import Example
from modeling_spert.evaluation.sentence_files import read_sentences

logger = logging.get_logger(__name__)

Names = Mapping[tuple[str, ...], str]


def read_relation_free(paths: Sequence[str], examples: Sequence[Example], config: SpertConfig) -> list[dict[str, Any]]:
    """The sentences of the files that `--extra_relation_free` names, ready to be trained on.

    Plain sentences with fewer than two known names have no pair to learn from: they are left out, and counted.

    Args:
        paths: SpERT's JSON, with or without entities, or plain lines.
        examples: The rows of the training split, whose mentions are the known names.
        config: Of the model: labels, and how text is split into words.

    Returns:
        Examples without relations. Those whose entities are known names only have `"annotated": False`.

    Raises:
        ValueError: If a file cannot be read, holds relations or labels that the model does not have, or nothing in
            the files can be learned from.
    """
    if not paths:
        return []
    names = known_names(examples)
    found: list[dict[str, Any]] = []
    for number, path in enumerate(paths):
        place, rows = f"--extra_relation_free {path}", read_sentences(path, config.segmentation)
        prepared = (_prepare(f"{place}, row {index}", row, names, config) for index, row in enumerate(rows))
        used = [row for row in prepared if row is not None]
        if len(used) < len(rows):
            logger.warning(
                f"{place}: {len(rows) - len(used)} of {len(rows)} sentences are left out: they have no labels, and "
                "fewer than two names of the training split"
            )
        # A document of this file is not one of the training split that is called the same.
        found += [{**row, "doc_id": f"extra {number} {row['doc_id']}"} if "doc_id" in row else row for row in used]
    if not found:
        raise ValueError(f"--extra_relation_free {' '.join(paths)}: no sentence to learn from")
    return found


def known_names(examples: Sequence[Example]) -> dict[tuple[str, ...], str]:
    """The words of every mention, with the type it has first.

    >>> known_names([{"tokens": ["Ada", "sat"], "entities": [{"type": "Peop", "start": 0, "end": 1}]}])
    {('Ada',): 'Peop'}
    """
    names: dict[tuple[str, ...], str] = {}
    for example in examples:
        for entity in example["entities"]:
            names.setdefault(tuple(example["tokens"][entity["start"] : entity["end"]]), entity["type"])
    return names


def find_names(tokens: Sequence[str], names: Names) -> list[dict[str, Any]]:
    """The known names in a sentence, from left to right, the longest first.

    >>> find_names(["New", "York", "sleeps"], {("York",): "Loc", ("New", "York"): "Loc"})
    [{'type': 'Loc', 'start': 0, 'end': 2}]
    """
    longest = max(map(len, names), default=0)
    found: list[dict[str, Any]] = []
    start = 0
    while start < len(tokens):
        ends = range(min(start + longest, len(tokens)), start, -1)
        end = next((end for end in ends if tuple(tokens[start:end]) in names), None)
        if end is not None:
            found.append({"type": names[tuple(tokens[start:end])], "start": start, "end": end})
        start = end or start + 1
    return found


def _prepare(place: str, row: dict[str, Any], names: Names, config: SpertConfig) -> dict[str, Any] | None:
    """The row as an example; None if there is nothing to learn from it."""
    if row.get("relations"):
        raise ValueError(f"{place}: relations must be empty, got {len(row['relations'])}; train on such rows as data")
    if "entities" not in row:
        entities = find_names(row["tokens"], names)
        return {**row, "entities": entities, "relations": [], "annotated": False} if len(entities) > 1 else None
    unknown = sorted({entity["type"] for entity in row["entities"]} - set(config.entity_types))
    if unknown:
        raise ValueError(f"{place}: entities must be of the types {', '.join(config.entity_types)}, got {unknown[0]!r}")
    return {**row, "relations": []}
