"""What a conversion kept, changed and lost, by kind and count: nothing is dropped in silence.

Every change is a `Note` of a `Kind`. What was read is what was kept and what notes say was lost, entity by entity and
relation by relation; tests hold that sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Subject = Literal["document", "entity", "relation", "other"]
_MAX_LABELS = 4  # shown per line of the table
_MAX_EXAMPLE = 240  # characters; a path may be long


@dataclass(frozen=True)
class Kind:
    """A kind of change.

    Attributes:
        name: Its key in `ConversionReport.to_dict`.
        subject: What is counted; "other" for annotation that is neither entity nor relation.
        is_lost: Whether the subject is not in the result.
        text: What happened, for the table.
    """

    name: str
    subject: Subject
    is_lost: bool
    text: str


WIDENED = Kind("widened", "entity", False, "entities widened to whole words")
TRIMMED = Kind("trimmed", "entity", False, "entities trimmed of blanks and invisible characters")
DISCONTINUOUS_WIDENED = Kind("discontinuous_widened", "entity", False, "discontinuous entities widened over their gaps")
DISCONTINUOUS_LOST = Kind("discontinuous_lost", "entity", True, "discontinuous entities left out")
NO_WORD = Kind("no_word", "entity", True, "entities without a word in them")
SECOND_TYPE = Kind("second_type", "entity", True, "second types of a span (a span has one type)")
REPEATED_ENTITY = Kind("repeated_entity", "entity", True, "entities stated twice")
FOREIGN_ENTITY = Kind("foreign_entity", "entity", True, "annotations that are not spans of the text")

ACROSS_SENTENCES = Kind("across_sentences", "relation", True, "relations across sentences")
OF_LOST_ENTITY = Kind("of_lost_entity", "relation", True, "relations of an entity that was left out")
TO_ITSELF = Kind("to_itself", "relation", True, "relations of an entity to itself")
REPEATED_RELATION = Kind("repeated_relation", "relation", True, "relations stated twice")
OF_RELATION = Kind("of_relation", "relation", True, "relations that have a relation, or something else, as an end")
MOVED_RELATION = Kind("moved_relation", "relation", False, "relations moved to the type that a span keeps")
BOTH_WAYS = Kind("both_ways", "relation", False, "relations without direction, written as two")
UNLABELLED_RELATION = Kind("unlabelled_relation", "relation", False, "relations without a type, called 'related'")
EQUIVALENCE = Kind("equivalence", "relation", False, "equivalences written as symmetric relations of each pair")

EVENT = Kind("event", "other", False, "events written as a trigger entity and a relation per argument")
EVENT_LOST = Kind("event_lost", "other", True, "events")
SHARED_TRIGGER = Kind("shared_trigger", "other", False, "events that share their trigger with another, now one")
ATTRIBUTE = Kind("attribute", "other", True, "attributes")
NORMALISATION = Kind("normalisation", "other", True, "normalisations")
COMMENT = Kind("comment", "other", True, "notes of annotators")
CHAIN = Kind("chain", "other", True, "coreference chains")
OTHER_LAYER = Kind("other_layer", "other", True, "annotations of other layers")
OTHER_ANNOTATOR = Kind("other_annotator", "other", True, "annotations of further annotators")
NO_RELATIONS_KEPT = Kind(
    "no_relations_kept", "document", False, "documents of JSON-MIN, which has no relations: export as JSON to keep them"
)
PREDICTION_READ = Kind("prediction_read", "document", False, "documents with predictions only, which were read")
SENTENCES_JOINED = Kind("sentences_joined", "other", False, "sentence boundaries inside an entity, removed")
UTF16_OFFSETS = Kind("utf16_offsets", "document", False, "documents whose offsets were read as UTF-16 code units")
RENAMED_LABEL = Kind("renamed_label", "other", False, "labels renamed to what the format allows")
DIRECTED = Kind("directed", "relation", False, "relations without direction, which the format gives one")
SHARED_START = Kind(
    "shared_start", "relation", False, "relations whose ends share a first word with another entity (see the guide)"
)
NOT_ANNOTATED = Kind("not_annotated", "document", True, "documents without annotation by anybody, left out")
NO_WORDS = Kind("no_words", "document", True, "documents without words")
UNREADABLE = Kind("unreadable", "document", True, "documents that cannot be read")


@dataclass(frozen=True)
class Note:
    """One change: its kind, the document it is in, the label concerned, and what an example would show."""

    kind: Kind
    doc_id: str
    label: str = ""
    example: str = ""


class Counts(NamedTuple):
    """How much there is."""

    documents: int
    entities: int
    relations: int


class SplitSize(NamedTuple):
    """How much a split holds."""

    documents: int
    rows: int
    entities: int
    relations: int


@dataclass
class Finding:
    """All notes of a kind: how many, of which labels, and the first as an example."""

    count: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    example: str = ""

    def add(self, note: Note) -> None:
        """Count a note."""
        self.count += 1
        if note.label:
            self.labels[note.label] += 1
        if not self.example:
            self.example = f"{note.doc_id}: {note.example}" if note.example else note.doc_id


@dataclass(frozen=True)
class ConversionReport:
    """What a conversion did.

    Attributes:
        read: What the source holds.
        kept: What the result holds.
        findings: Everything that was changed or lost, by kind.
        format: The name of the source's format.
        splits: The size of each split written, if the conversion makes splits.
        unit: "sentence" or "document", what a row is; empty where there are no rows.
        reason: Why that unit, and which splits.
    """

    read: Counts
    kept: Counts
    findings: Mapping[Kind, Finding]
    format: str = ""
    splits: Mapping[str, SplitSize] = field(default_factory=dict)
    unit: str = ""
    reason: tuple[str, ...] = ()

    def lost(self, subject: Subject) -> int:
        """How many entities, relations, documents or other annotations are not in the result."""
        return sum(found.count for kind, found in self.findings.items() if kind.is_lost and kind.subject == subject)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return {
            "format": self.format,
            "unit": self.unit,
            "reason": list(self.reason),
            "read": self.read._asdict(),
            "kept": self.kept._asdict(),
            "splits": {name: size._asdict() for name, size in self.splits.items()},
            **{
                key: {
                    kind.name: {"count": found.count, "labels": dict(found.labels), "example": found.example}
                    for kind, found in self.findings.items()
                    if kind.is_lost == is_lost
                }
                for key, is_lost in (("changed", False), ("lost", True))
            },
        }

    def render(self) -> str:
        """The report as a short table."""
        lines = [f"{'':12}{'read':>8}{'kept':>8}"]
        for name in Counts._fields:
            lines.append(f"{name:12}{getattr(self.read, name):8}{getattr(self.kept, name):8}")
        if self.splits:
            lines += ["", f"{'split':12}{'documents':>10}{'rows':>8}{'entities':>10}{'relations':>11}"]
            lines += [
                f"{name:12}{size.documents:10}{size.rows:8}{size.entities:10}{size.relations:11}"
                for name, size in self.splits.items()
            ]
        lines += list(self.reason and ("", *self.reason))
        for title, is_lost in (("changed", False), ("lost", True)):
            found = [(kind, finding) for kind, finding in self.findings.items() if kind.is_lost == is_lost]
            if found:
                lines += ["", title, *(_line(kind, finding) for kind, finding in found)]
        return "\n".join(lines)


def _line(kind: Kind, finding: Finding) -> str:
    labels = ", ".join(f"{label} {count}" for label, count in finding.labels.most_common(_MAX_LABELS))
    if len(finding.labels) > _MAX_LABELS:
        labels += ", …"
    example = " ".join(finding.example.split())
    if len(example) > _MAX_EXAMPLE:
        example = example[: _MAX_EXAMPLE - 1] + "…"
    return f"{finding.count:8}  {kind.text}{f' ({labels})' if labels else ''}; first in {example}"


def gather(notes: Iterable[Note]) -> dict[Kind, Finding]:
    """Count notes by kind, in the order of the first of each.

    >>> found = gather([Note(ATTRIBUTE, "a", "Negation"), Note(ATTRIBUTE, "b", "Negation")])
    >>> found[ATTRIBUTE].count, found[ATTRIBUTE].labels, found[ATTRIBUTE].example
    (2, Counter({'Negation': 2}), 'a')
    """
    findings: dict[Kind, Finding] = {}
    for note in notes:
        findings.setdefault(note.kind, Finding()).add(note)
    return findings
