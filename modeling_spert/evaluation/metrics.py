"""Precision, recall and F1 of joint entity and relation extraction, in every convention the field quotes.

Three questions are scored, each on sets (an item predicted twice counts once):

- `ner`: an entity is correct if its type and its span are (SpERT paper, section 4).
- `rel` (*boundaries*): a relation is correct if its type and the spans of its head and tail are.
- `rel_strict`: as `rel`, and the types of both entities are correct too.

Micro averages count all items together. Macro averages run over the types that occur in gold or predictions.
Counts are additive: those of two parts of a corpus, or of two processes, add up to those of the whole.

An Example is a dict with `entities` `[{"type", "start", "end"}]` (words, half-open) and `relations`
`[{"type", "head", "tail"}]` (indices into `entities`); all other keys (tokens, scores, ids) are ignored.

This file imports the standard library only and is kept twice, byte for byte, so that the `evaluate` module works
without the package: `modeling_spert/evaluation/metrics.py`, `metrics/joint_extraction/joint_extraction_scores.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Example = Mapping[str, Any]

_MEASURES = ("precision", "recall", "f1")


class TypedSpan(NamedTuple):
    """An entity: words `[start, end)` and the entity type."""

    start: int
    end: int
    type: str


class TypedPair(NamedTuple):
    """A relation between two entities, by value (not by index), and the relation type."""

    head: TypedSpan
    tail: TypedSpan
    type: str


def score_examples(
    gold: Sequence[Example],
    predicted: Sequence[Example],
    *,
    entity_types: Iterable[str] | None = None,
    relation_types: Iterable[str] | None = None,
    symmetric_relation_types: Collection[str] = (),
    no_overlapping: bool = False,
) -> dict[str, float]:
    """Score predictions against gold, row by row.

    Args:
        gold: The annotated Examples.
        predicted: The predicted Examples, one for each gold row, in the same order.
        entity_types: Entity types that get per-type scores even where they do not occur, in this order. Others that
            occur follow, sorted. No score depends on it.
        relation_types: The same for relation types.
        symmetric_relation_types: Types without direction: (head, tail) and (tail, head) are one relation.
        no_overlapping: Leave overlapping entities out, in gold and predictions; see `JointCounts.from_example`.

    Returns:
        One flat dict. For each `C` of `ner`, `rel` and `rel_strict`: `C_precision_micro`,
        `C_recall_micro`, `C_f1_micro`, the same with `_macro`, and per type `C_precision/TYPE`,
        `C_recall/TYPE`, `C_f1/TYPE`, all in percent; `C_support` and `C_support/TYPE`, the number of gold
        items, and `C_predicted` and `C_predicted/TYPE`, the number of predicted ones. A score whose denominator
        is 0 is 0.

    Raises:
        ValueError: If the row counts differ, or a row lacks a field or has a relation to an entity that it
            does not hold.

    >>> gold = [{"entities": [{"type": "Peop", "start": 0, "end": 2}, {"type": "Loc", "start": 5, "end": 6}],
    ...          "relations": [{"type": "Live_In", "head": 0, "tail": 1}]}]
    >>> predicted = [{"entities": [{"type": "Peop", "start": 0, "end": 2}, {"type": "Org", "start": 5, "end": 6}],
    ...               "relations": [{"type": "Live_In", "head": 0, "tail": 1}]}]
    >>> scores = score_examples(gold, predicted)
    >>> scores["ner_f1_micro"], scores["rel_f1_micro"], scores["rel_strict_f1_micro"], scores["ner_f1/Peop"]
    (50.0, 100.0, 0.0, 100.0)
    """
    if len(gold) != len(predicted):
        raise ValueError(f"gold and predicted must have the same number of rows, got {len(gold)} and {len(predicted)}")
    counts = JointCounts()
    for row, (gold_example, predicted_example) in enumerate(zip(gold, predicted, strict=True)):
        try:
            counts += JointCounts.from_example(
                gold_example,
                predicted_example,
                symmetric_relation_types=symmetric_relation_types,
                no_overlapping=no_overlapping,
            )
        except ValueError as error:
            raise ValueError(f"row {row}: {error}") from error
    return counts.scores(entity_types=entity_types, relation_types=relation_types)


@dataclass(frozen=True)
class TypeCounts:
    """How many items are gold, predicted, and both (correct), per type.

    >>> TypeCounts.from_sets({(0, 2, "Peop"), (5, 6, "Loc")}, {(0, 2, "Peop"), (5, 6, "Org")}).correct
    Counter({'Peop': 1})
    """

    gold: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    correct: Counter[str] = field(default_factory=Counter)

    @classmethod
    def from_sets(cls, gold: set[Any], predicted: set[Any]) -> TypeCounts:
        """Count two sets of items that compare by value and hold their type in the last place."""
        return cls(*(Counter(item[-1] for item in items) for items in (gold, predicted, gold & predicted)))

    def __add__(self, other: TypeCounts) -> TypeCounts:
        """Counts of two disjoint sets of rows together."""
        return TypeCounts(self.gold + other.gold, self.predicted + other.predicted, self.correct + other.correct)

    def scores(self, prefix: str, types: Iterable[str] | None = None) -> dict[str, float]:
        """Flat scores, keys starting with `prefix`; see `score_examples` for `types` and the keys."""
        seen = self.gold.keys() | self.predicted.keys()
        # A fixed order of summation: the same counts give the same macro average to the last bit.
        ordered = list(dict.fromkeys([*(types or ()), *sorted(seen)]))
        per_type = {t: precision_recall_f1(self.gold[t], self.predicted[t], self.correct[t]) for t in ordered}
        support, num_predicted = self.gold.total(), self.predicted.total()
        micro = precision_recall_f1(support, num_predicted, self.correct.total())
        macro = tuple(sum(per_type[t][i] for t in ordered if t in seen) / max(len(seen), 1) for i in range(3))

        scores: dict[str, float] = {}
        for average, values in (("micro", micro), ("macro", macro)):
            scores |= {f"{prefix}_{m}_{average}": v for m, v in zip(_MEASURES, values, strict=True)}
        scores |= {f"{prefix}_support": support, f"{prefix}_predicted": num_predicted}
        for t in ordered:
            scores |= {f"{prefix}_{m}/{t}": v for m, v in zip(_MEASURES, per_type[t], strict=True)}
            scores |= {f"{prefix}_support/{t}": self.gold[t], f"{prefix}_predicted/{t}": self.predicted[t]}
        return scores


@dataclass(frozen=True)
class JointCounts:
    """Counts of entities and relations, additive over rows, batches and processes.

    >>> row = {"entities": [{"type": "Peop", "start": 0, "end": 2}], "relations": []}
    >>> counts = JointCounts.from_example(row, row) + JointCounts.from_example(row, {"entities": [], "relations": []})
    >>> counts.scores()["ner_recall_micro"]
    50.0
    """

    ner: TypeCounts = field(default_factory=TypeCounts)
    rel: TypeCounts = field(default_factory=TypeCounts)
    rel_strict: TypeCounts = field(default_factory=TypeCounts)

    @classmethod
    def from_example(
        cls,
        gold: Example,
        predicted: Example,
        *,
        symmetric_relation_types: Collection[str] = (),
        no_overlapping: bool = False,
    ) -> JointCounts:
        """Count one row.

        Args:
            gold: The annotated Example.
            predicted: The prediction for the same words.
            symmetric_relation_types: Relations of these types are turned so that the span that starts earlier is
                the head (equal starts are left as they are), in gold and predictions, each entity type with its span.
            no_overlapping: Drop every entity that shares a word with another entity of its own list (both go), and
                every relation whose own two spans share a word. Relations of a dropped entity stay.

        Raises:
            ValueError: If a field is missing, or a relation points to an entity that the row does not hold.
        """
        if isinstance(symmetric_relation_types, str):  # "Compare" would be read as the types "C", "o", "m", ...
            raise ValueError(
                "symmetric_relation_types must be a collection of type names, got the string "
                f"{symmetric_relation_types!r}; pass [{symmetric_relation_types!r}]"
            )
        gold_entities, gold_relations = _sets("gold", gold, symmetric_relation_types, no_overlapping)
        entities, relations = _sets("predicted", predicted, symmetric_relation_types, no_overlapping)
        return cls(
            ner=TypeCounts.from_sets(gold_entities, entities),
            rel=TypeCounts.from_sets(_without_entity_types(gold_relations), _without_entity_types(relations)),
            rel_strict=TypeCounts.from_sets(gold_relations, relations),
        )

    def __add__(self, other: JointCounts) -> JointCounts:
        """Counts of two disjoint sets of rows together."""
        return JointCounts(self.ner + other.ner, self.rel + other.rel, self.rel_strict + other.rel_strict)

    def scores(
        self, *, entity_types: Iterable[str] | None = None, relation_types: Iterable[str] | None = None
    ) -> dict[str, float]:
        """The flat dict that `score_examples` describes."""
        relation_types = None if relation_types is None else list(relation_types)  # it is read twice
        return {
            **self.ner.scores("ner", entity_types),
            **self.rel.scores("rel", relation_types),
            **self.rel_strict.scores("rel_strict", relation_types),
        }


def precision_recall_f1(gold: int, predicted: int, correct: int) -> tuple[float, float, float]:
    """Precision, recall and F1 in percent from counts of items; 0 where the denominator is 0.

    >>> precision_recall_f1(gold=4, predicted=2, correct=1)
    (50.0, 25.0, 33.333333333333336)
    """
    precision = 100 * correct / predicted if predicted else 0.0
    recall = 100 * correct / gold if gold else 0.0
    f1 = 200 * correct / (gold + predicted) if gold + predicted else 0.0  # = 2PR / (P + R)
    return precision, recall, f1


def _sets(
    side: str, example: Example, symmetric_relation_types: Collection[str], no_overlapping: bool
) -> tuple[set[TypedSpan], set[TypedPair]]:
    """The sets of entities and relations of one side of a row, by the conventions of `JointCounts.from_example`."""
    entity_rows, relation_rows = _fields(f"the {side} row", example, ("entities", "relations"))
    entities = [TypedSpan(*_fields(f"a {side} entity", e, ("start", "end", "type"))) for e in entity_rows]
    relations = set()
    for relation in relation_rows:
        *ends, relation_type = _fields(f"a {side} relation", relation, ("head", "tail", "type"))
        for index in ends:
            if not 0 <= index < len(entities):  # a negative index would silently pick from the end
                raise ValueError(
                    f"head and tail of a {side} relation must be indices into the row's {len(entities)} entities, "
                    f"got {relation}"
                )
        head, tail = (entities[index] for index in ends)
        if relation_type in symmetric_relation_types and tail.start < head.start:
            head, tail = tail, head
        relations.add(TypedPair(head, tail, relation_type))
    if not no_overlapping:
        return set(entities), relations
    return without_overlapping(entities), {r for r in relations if not _overlap(r.head, r.tail)}


def _fields(what: str, item: Mapping[str, Any], names: tuple[str, ...]) -> list[Any]:
    """The named values of a dict, or an error that says what it is and what it lacks."""
    missing = [name for name in names if name not in item]
    if missing:
        raise ValueError(f"{what} lacks {missing}, it has {sorted(item)}")
    return [item[name] for name in names]


def without_overlapping(entities: Iterable[TypedSpan]) -> set[TypedSpan]:
    """The entities that share no word with another one; of two that overlap both are dropped.

    Equal entities (the same span and type) are one; the same span with two types overlaps. O(n log n), because an
    untrained model may predict thousands.

    >>> sorted(without_overlapping([TypedSpan(0, 3, "A"), TypedSpan(1, 2, "B"), TypedSpan(3, 4, "A")]))
    [TypedSpan(start=3, end=4, type='A')]
    """
    ordered = sorted(set(entities))
    alone = set()
    end_before = 0  # the furthest end of all entities before this one
    for i, entity in enumerate(ordered):
        # Of those after it, the next one starts first: if it does not overlap, none does.
        reaches_next = i + 1 < len(ordered) and ordered[i + 1].start < entity.end
        if end_before <= entity.start and not reaches_next:
            alone.add(entity)
        end_before = max(end_before, entity.end)
    return alone


def _overlap(a: TypedSpan, b: TypedSpan) -> bool:
    """Whether two different entities share a word; an entity does not overlap itself."""
    return a != b and a.start < b.end and b.start < a.end


def _without_entity_types(relations: set[TypedPair]) -> set[tuple[Any, ...]]:
    """Relations by boundaries only; relations that differ in nothing but entity types become one."""
    return {(r.head.start, r.head.end, r.tail.start, r.tail.end, r.type) for r in relations}
