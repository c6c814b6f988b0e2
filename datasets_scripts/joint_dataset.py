"""JointDataset: sentences with entities and relations, as `datasets` objects, and the labels they use.

One row is one Example (`docs/architecture.md`): `tokens`, `entities` with half-open word spans, `relations` as indices
into the row's entities, `orig_id`, and, where the source has documents, `doc_id` and `sentence_index`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from datasets import Dataset, DatasetDict, Features, List, Value, concatenate_datasets

from datasets_scripts.data_facts import source_facts, split_facts
from datasets_scripts.row_units import row_unit
from datasets_scripts.types_json import DatasetTypes, TypeName

# Explicit, and `List({...})`: a column whose lists are all empty would infer as null, and `Sequence({...})` transposes.
EXAMPLE_FEATURES = Features(
    {
        "tokens": List(Value("string")),
        "entities": List({"type": Value("string"), "start": Value("int64"), "end": Value("int64")}),
        "relations": List({"type": Value("string"), "head": Value("int64"), "tail": Value("int64")}),
        "orig_id": Value("string"),
    }
)
DOCUMENT_FEATURES = Features({"doc_id": Value("string"), "sentence_index": Value("int64")})


@dataclass(frozen=True)
class SkippedRow:
    """A row left out by `on_bad_row="skip"`: its file, its index from 0, and what is wrong with it.

    The index is -1 for a document of an annotation format, whose place only the message says.
    """

    file: str
    row: int
    message: str


class SplitCounts(NamedTuple):
    """How much a split holds."""

    rows: int
    entities: int
    relations: int


@dataclass(frozen=True)
class JointDataset:
    """A data set for joint entity and relation extraction, validated row by row when it was read.

    Attributes:
        splits: the rows, per split.
        entity_types: entity labels in the order of the types file.
        relation_types: relation labels, likewise; empty for entity-only data.
        symmetric_relation_types: the relation types whose direction means nothing.
        name: `conll04`, `scierc`, `scierc_documents`, `ade_fold_0` ..., `ade_full`, `demo`, or what the user's
            files say.
        skipped: the rows that `on_bad_row="skip"` left out.
        entity_type_names: short and verbose name per entity type; the label itself where the source gives none.
        relation_type_names: short and verbose name per relation type, likewise.
        segmentation: the settings that the words were cut by, as far as the types file says.
        conversion: the report of `annotation_formats.convert`, if these rows come from it; else empty.
    """

    splits: DatasetDict
    entity_types: tuple[str, ...]
    relation_types: tuple[str, ...]
    symmetric_relation_types: tuple[str, ...]
    name: str
    skipped: tuple[SkippedRow, ...] = ()
    entity_type_names: Mapping[str, TypeName] = field(default_factory=dict)
    relation_type_names: Mapping[str, TypeName] = field(default_factory=dict)
    segmentation: Mapping[str, Any] = field(default_factory=dict)
    conversion: Mapping[str, Any] = field(default_factory=dict)

    def select(self, splits: str) -> Dataset:
        """Return the rows of one split, or of several in the given order: `"train"`, `"train+dev"`.

        Raises:
            ValueError: a split does not exist or is named twice.
        """
        names = [name.strip() for name in splits.split("+")]
        unknown = [name for name in names if name not in self.splits]
        if unknown:
            available = ", ".join(self.splits)
            asked = f" (asked for {splits!r})" if len(names) > 1 else ""
            raise ValueError(f"{self.name} has no split {unknown[0]!r}{asked}; it has: {available}")
        if len(set(names)) < len(names):
            raise ValueError(f"{splits!r} names a split twice")
        if len(names) == 1:
            return self.splits[names[0]]
        return concatenate_datasets([self.splits[name] for name in names])

    @property
    def unit(self) -> str:
        """What a row is, "sentence" or "document" (`row_unit`)."""
        return row_unit(tokens for rows in self.splits.values() for tokens in rows["tokens"])

    @property
    def label_names(self) -> dict[str, str]:
        """Readable names of the labels, keyed "entity/<label>" and "relation/<label>"."""
        entities = {f"entity/{label}": name.verbose for label, name in self.entity_type_names.items()}
        return entities | {f"relation/{label}": name.verbose for label, name in self.relation_type_names.items()}

    def facts(self, train_split: str, eval_split: str | None, max_span_width: int) -> dict[str, Any]:
        """Say what the card of a model trained on these data tells about them, as plain JSON types.

        Args:
            train_split: The split that is trained on, as `select` takes it.
            eval_split: The split that is scored, if any.
            max_span_width: The widest candidate span, in words.

        Returns:
            `name`, `title`, `language`, `licence`, `note`, `citation`, and under `train` and `eval` the sizes of these
            splits with a digest of their rows.
        """
        splits = {"train": train_split, "eval": eval_split}
        sizes = {
            key: split_facts(split, self.select(split).to_list(), max_span_width)
            for key, split in splits.items()
            if split
        }
        return {**source_facts(self.name), **sizes}

    def counts(self) -> dict[str, SplitCounts]:
        """Count rows, entities and relations of every split."""
        return {
            name: SplitCounts(len(rows), sum(map(len, rows["entities"])), sum(map(len, rows["relations"])))
            for name, rows in self.splits.items()
        }


def build_joint_dataset(
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    types: DatasetTypes,
    name: str,
    skipped: Iterable[SkippedRow] = (),
) -> JointDataset:
    """Put validated rows into `datasets` objects with explicit features.

    The document columns are there if any row of any split has a `doc_id`; a row without one then holds None in both.

    Args:
        rows: Examples per split.
        types: the labels.
        name: the name of the data set.
        skipped: the rows left out while reading.
    """
    has_documents = any(row.get("doc_id") is not None for split in rows.values() for row in split)
    features = Features({**EXAMPLE_FEATURES, **(DOCUMENT_FEATURES if has_documents else {})})
    splits = DatasetDict(
        {
            split: Dataset.from_dict(
                {column: [row.get(column) for row in examples] for column in features}, features=features
            )
            for split, examples in rows.items()
        }
    )
    return JointDataset(
        splits=splits,
        entity_types=types.entity_types,
        relation_types=types.relation_types,
        symmetric_relation_types=types.symmetric_relation_types,
        name=name,
        skipped=tuple(skipped),
        entity_type_names=types.entity_type_names,
        relation_type_names=types.relation_type_names,
        segmentation=types.segmentation,
    )
