"""check_dataset: counts first, then the findings about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from datasets_scripts.checking.duplicates import find_duplicates
from datasets_scripts.checking.facts import DataCheck, LabelCounts, SplitFacts
from datasets_scripts.checking.findings import Evidence, list_findings
from datasets_scripts.checking.rows import Row, count_pairs, crosses_sentence_end, read_rows
from datasets_scripts.checking.signatures import find_signatures, odd_places
from datasets_scripts.checking.subwords import measure_subwords
from datasets_scripts.joint_dataset import JointDataset
from datasets_scripts.row_units import count_sentences, row_unit


def check_dataset(
    dataset: JointDataset, tokenizer: Any = None, max_span_width: int = 10, max_window_length: int | None = None
) -> DataCheck:
    """Look a data set over: sizes, labels, widths, overlaps, signatures, duplicates, lengths, and what is amiss.

    Rows that a file holds but that cannot be used are errors here if the data set was read with
    `load_joint_dataset(…, on_bad_row="skip")`; else reading them raises first. Time and memory are linear in the data.

    Args:
        dataset: The data.
        tokenizer: The encoder's fast tokenizer, to measure rows in subwords; None: this is left out.
        max_span_width: Widest entity that a model can predict, in words.
        max_window_length: Longest window in subwords; None: what the tokenizer says.

    Raises:
        ValueError: `max_span_width` is less than 1, or the tokenizer is not a fast one.
    """
    if max_span_width < 1:
        raise ValueError(f"max_span_width must be an integer >= 1, got {max_span_width!r}")
    rows = read_rows(dataset)
    unit = row_unit(row.tokens for row in rows)
    by_split = {split: [row for row in rows if row.split == split] for split in dataset.splits}
    signatures = find_signatures(rows, dataset.relation_types, dataset.symmetric_relation_types)
    overlaps = count_pairs(rows)
    subwords, cut = measure_subwords(rows, tokenizer, max_window_length) if tokenizer is not None else (None, [])
    crossing = [row.place() for row in rows for relation in row.relations if crosses_sentence_end(row, relation)]
    facts = DataCheck(
        name=dataset.name,
        unit=unit,
        max_span_width=max_span_width,
        splits=tuple(_split_facts(split, members, unit) for split, members in by_split.items()),
        entity_labels=_label_counts(rows, "entities", dataset.entity_types),
        relation_labels=_label_counts(rows, "relations", dataset.relation_types),
        widths=_histogram(entity["end"] - entity["start"] for row in rows for entity in row.entities),
        lengths=_histogram(len(row.tokens) for row in rows),
        nested=len(overlaps["nested"]),
        crossing=len(overlaps["crossing"]),
        same_span=len(overlaps["same_span"]),
        crossing_sentences=len(crossing),
        signatures=tuple(signatures),
        duplicates=tuple(find_duplicates(rows)),
        subwords=subwords,
        findings=(),
    )
    evidence = Evidence(
        rows=rows,
        skipped=dataset.skipped,
        overlaps=overlaps,
        conversion=dataset.conversion,
        odd_signatures=odd_places(rows, signatures, dataset.symmetric_relation_types),
        crossing_sentences=crossing,
        cut=cut,
    )
    return DataCheck(**{**vars(facts), "findings": tuple(list_findings(facts, evidence))})


def _split_facts(split: str, rows: Sequence[Row], unit: str) -> SplitFacts:
    documents = {row.example.get("doc_id") for row in rows} - {None}
    return SplitFacts(
        name=split,
        rows=len(rows),
        words=sum(len(row.tokens) for row in rows),
        entities=sum(len(row.entities) for row in rows),
        relations=sum(len(row.relations) for row in rows),
        empty_rows=sum(not row.tokens for row in rows),
        without_entities=sum(not row.entities for row in rows),
        without_relations=sum(not row.relations for row in rows),
        documents=len(documents) or None,
        by_sentence=count_sentences((row.example for row in rows), unit),
    )


def _label_counts(rows: Sequence[Row], field: str, labels: Sequence[str]) -> tuple[LabelCounts, ...]:
    counts: dict[str, Counter[str]] = {label: Counter() for label in labels}
    for row in rows:
        for item in row.example[field]:
            counts.setdefault(item["type"], Counter())[row.split] += 1
    return tuple(LabelCounts(label, dict(by_split)) for label, by_split in counts.items())


def _histogram(values: Any) -> dict[int, int]:
    return dict(sorted(Counter(values).items()))
