"""What a check finds, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from datasets_scripts.row_units import SentenceCounts

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")  # the worst first


@dataclass(frozen=True)
class Place:
    """A row of the data, and what is there.

    Attributes:
        split: Its split.
        row: Its index in the split, from 0.
        orig_id: Its `orig_id`, if it has one.
        text: The words in question, or the sentence.
    """

    split: str
    row: int
    orig_id: str | None
    text: str


@dataclass(frozen=True)
class Finding:
    """Something worth knowing about the data.

    Attributes:
        severity: "error": training or scoring on these data would go wrong. "warning": it works, but a model or a score
            will suffer. "note": good to know.
        code: A short name that does not change, such as "wide_entities".
        message: What was found, in a sentence.
        advice: What to do about it; may be empty.
        count: How many there are.
        places: Where, the first ones only.
    """

    severity: Severity
    code: str
    message: str
    advice: str = ""
    count: int = 0
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class SplitFacts:
    """Sizes of a split.

    Attributes:
        name: Its name.
        rows: Its rows, likewise words, entities and relations.
        empty_rows: Rows without a word.
        without_entities: Rows without an entity; likewise relations.
        documents: How many `doc_id`s there are; None where no row has one.
        by_sentence: Its sentences, and how many hold no entity, no relation; where rows are sentences, the rows.
    """

    name: str
    rows: int
    words: int
    entities: int
    relations: int
    empty_rows: int
    without_entities: int
    without_relations: int
    documents: int | None
    by_sentence: SentenceCounts


@dataclass(frozen=True)
class LabelCounts:
    """How often a label occurs in each split."""

    label: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How often it occurs in all splits."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Signature:
    """A relation type between two entity types, and how often it occurs; for a symmetric one, in alphabetical order.

    `odd` marks a rare signature of a type that otherwise has others: it may be an annotation error.
    """

    relation: str
    head: str
    tail: str
    counts: Mapping[str, int]
    odd: bool = False

    @property
    def total(self) -> int:
        """How often it occurs in all splits."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class DuplicateGroup:
    """Rows with (nearly) the same text.

    Attributes:
        places: The rows, in the order of the splits.
        exact: Whether the texts are equal, apart from case, punctuation and digits.
        splits: The splits they are in.
        differently_annotated: Whether two rows with exactly the same words have other entities or relations.
    """

    places: tuple[Place, ...]
    exact: bool
    splits: tuple[str, ...]
    differently_annotated: bool


@dataclass(frozen=True)
class SubwordFacts:
    """Lengths in the encoder's subwords.

    Attributes:
        window_length: Most subwords that fit into a window, special tokens included.
        longest: Subwords of the longest row, special tokens included.
        rows_cut: Rows that do not fit into a window.
        subwords_per_word: Mean number of subwords of a word.
        unknown_words: Words that the tokenizer can only write with its unknown token, of all words, in percent.
    """

    window_length: int
    longest: int
    rows_cut: int
    subwords_per_word: float
    unknown_words: float


@dataclass(frozen=True)
class DataCheck:
    """What `check_dataset` found.

    Attributes:
        name: The name of the data set.
        unit: What a row is, "sentence" or "document".
        max_span_width: The limit it was checked against, in words.
        splits: Sizes of each split.
        entity_labels: Counts of each entity type, in the order of the data set.
        relation_labels: Counts of each relation type.
        widths: Number of entities by width in words, over all splits.
        lengths: Number of rows by length in words, over all splits.
        nested: Pairs of entities where one contains the other.
        crossing: Pairs of entities that overlap otherwise.
        same_span: Pairs of entities with the same words and different types.
        crossing_sentences: Relations whose two entities have the end of a sentence between them, in one row.
        signatures: Which entity types each relation type joins.
        duplicates: Groups of rows with (nearly) the same text.
        subwords: Lengths in subwords, if a tokenizer was given.
        findings: What is worth knowing, the worst first.
    """

    name: str
    unit: str
    max_span_width: int
    splits: tuple[SplitFacts, ...]
    entity_labels: tuple[LabelCounts, ...]
    relation_labels: tuple[LabelCounts, ...]
    widths: Mapping[int, int]
    lengths: Mapping[int, int]
    nested: int
    crossing: int
    same_span: int
    crossing_sentences: int
    signatures: tuple[Signature, ...]
    duplicates: tuple[DuplicateGroup, ...]
    subwords: SubwordFacts | None
    findings: tuple[Finding, ...]

    @property
    def exit_status(self) -> int:
        """For scripts: 0 where there is nothing worse than a note, 1 where there are warnings, 2 where errors."""
        found = {finding.severity for finding in self.findings}
        return 2 if "error" in found else 1 if "warning" in found else 0

    @property
    def single_signatures(self) -> tuple[str, ...]:
        """The relation types that occur with exactly one pair of entity types."""
        names = [signature.relation for signature in self.signatures]
        return tuple(label.label for label in self.relation_labels if names.count(label.label) == 1)

    def of_severity(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON types, with `exit_status`."""
        return {**asdict(self), "exit_status": self.exit_status, "single_signatures": list(self.single_signatures)}
