"""Records of several splits → validated Examples and the labels they use."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from datasets_scripts.dygie_documents import expand_document, is_document
from datasets_scripts.joint_dataset import JointDataset, SkippedRow, build_joint_dataset
from datasets_scripts.records import Record
from datasets_scripts.row_validation import BadRowError, RepeatedKey, RowProblem, parse_example, show
from datasets_scripts.types_json import DatasetTypes

logger = logging.getLogger(__name__)

OnBadRow = Literal["raise", "skip"]


class SplitRecords(NamedTuple):
    """The records of one split and the name of their file, for messages."""

    file: str
    records: Sequence[Record]


def read_joint_dataset(
    splits: Mapping[str, SplitRecords],
    name: str,
    types: DatasetTypes | None = None,
    on_bad_row: OnBadRow = "raise",
    allow_repeated_relations: bool = False,
) -> JointDataset:
    """Validate every row and build the data set.

    Args:
        splits: What the files hold.
        name: The name of the data set.
        types: The labels; None collects them from all splits: those of the training split in sorted order, then those
            that only the others have, which a model trained on it knows but cannot learn.
        on_bad_row: "raise", or "skip" to leave bad rows out and list them in `JointDataset.skipped`.
        allow_repeated_relations: Accept a relation that a row states twice, as the types file may also do.

    Raises:
        BadRowError: A row is bad and `on_bad_row` is "raise".
        ValueError: No training split to collect labels from, or a split without a usable row.
    """
    allow_repeated_relations = allow_repeated_relations or (types is not None and types.allow_repeated_relations)
    skipped: list[SkippedRow] = []
    rows: dict[str, list[dict[str, Any]]] = {}
    for split, source in splits.items():
        rows[split] = _read_split(source, types, on_bad_row, allow_repeated_relations, skipped)
    if types is None:
        training = _training_split(list(splits), name)
        types = _collect_types(rows[training], source=splits[training].file)
        types = _add_types(types, [row for split in rows.values() for row in split])
    return build_joint_dataset({split: rows[split] for split in splits}, types, name, skipped)


def _collect_types(rows: Sequence[Mapping[str, Any]], source: str) -> DatasetTypes:
    """Collect the labels of some Examples, in sorted order; no relation type counts as symmetric.

    >>> rows = [{"entities": [{"type": "Org"}, {"type": "Loc"}], "relations": []}]
    >>> _collect_types(rows, source="train.json").entity_types
    ('Loc', 'Org')

    Raises:
        ValueError: The rows hold no entity.
    """
    entity_types = sorted({entity["type"] for row in rows for entity in row["entities"]})
    relation_types = sorted({relation["type"] for row in rows for relation in row["relations"]})
    if not entity_types:
        raise ValueError(f"{source} has no entity to collect labels from; put a types.json next to it")
    return DatasetTypes(tuple(entity_types), tuple(relation_types))


def _add_types(types: DatasetTypes, rows: Sequence[Mapping[str, Any]]) -> DatasetTypes:
    """Return the labels with those of more rows after them."""
    entity_types = {entity["type"] for row in rows for entity in row["entities"]} - set(types.entity_types)
    relation_types = {relation["type"] for row in rows for relation in row["relations"]} - set(types.relation_types)
    return DatasetTypes((*types.entity_types, *sorted(entity_types)), (*types.relation_types, *sorted(relation_types)))


def _training_split(splits: list[str], name: str) -> str:
    for candidate in ("train", "train_dev"):
        if candidate in splits:
            return candidate
    if len(splits) == 1:
        return splits[0]
    raise ValueError(f"{name} has no types.json and no train split to collect labels from (splits: {splits})")


def _read_split(
    source: SplitRecords,
    types: DatasetTypes | None,
    on_bad_row: OnBadRow,
    allow_repeated_relations: bool,
    skipped: list[SkippedRow],
) -> list[dict[str, Any]]:
    """Return the good rows of a split; raise on a bad one or append it to `skipped`."""
    examples: list[dict[str, Any]] = []
    seen_sentences: dict[tuple[str, int], int] = {}
    bad: list[SkippedRow] = []
    records = [part for record in source.records for part in _expand(record, types)]
    for record in records:
        try:
            example = _parse_record(record, types, allow_repeated_relations, seen_sentences)
        except RowProblem as problem:
            if on_bad_row == "raise":
                remedy = "Correct it, or skip bad rows (--on_bad_row skip; in Python on_bad_row='skip')"
                message = f"{_locate(source.file, record, problem)}. {remedy}"
                raise BadRowError(message, source.file, record.row, problem.field) from problem
            bad.append(SkippedRow(source.file, record.row, _locate(source.file, record, problem)))
        else:
            examples.append({**example, "orig_id": example.get("orig_id", str(record.row))})
    skipped.extend(bad)
    if bad:
        logger.warning("%s: skipped %d of %d rows; the first: %s", source.file, len(bad), len(records), bad[0].message)
    if not examples:
        raise ValueError(f"{source.file}: every row was skipped; the first: {bad[0].message}")
    return examples


def _expand(record: Record, types: DatasetTypes | None) -> list[Record]:
    is_whole = isinstance(record.value, RepeatedKey)  # refused as it is
    return expand_document(record, types) if is_document(record.value) and not is_whole else [record]


def _parse_record(
    record: Record,
    types: DatasetTypes | None,
    allow_repeated_relations: bool,
    seen_sentences: dict[tuple[str, int], int],
) -> dict[str, Any]:
    if record.problem is not None:
        raise record.problem
    try:
        example = parse_example(record.value, types, allow_repeated_relations)
    except RowProblem as problem:
        for ours, theirs in record.field_names.items():
            problem = problem.renamed(ours, theirs)
        raise problem from None
    if "doc_id" in example:
        sentence = (example["doc_id"], example["sentence_index"])
        if sentence in seen_sentences:
            where = f"in document {show(sentence[0])}, as in row {seen_sentences[sentence]}"
            raise RowProblem("sentence_index", f"is {sentence[1]} {where}; give each sentence its own index")
        seen_sentences[sentence] = record.row
    return example


def _locate(file: str, record: Record, problem: RowProblem) -> str:
    line = "" if record.line is None else f" (line {record.line})"
    note = f", {record.note}" if record.note else ""
    return f"{file}, row {record.row}{line}{note}: {problem}"
