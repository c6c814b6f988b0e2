"""Every gold item that was not found and every prediction that is wrong, sorted into kinds.

The kinds follow the error analysis of the paper (section 4.4: wrong spans, wrong types, missed, spurious, and what the
annotation may lack). A gold item and a prediction that belong together become one error; each item is in at most one,
and what has no partner is missed or spurious, in a kind of its own where something like it is on the other side. So
gold items and predictions over all errors are the false negatives and false positives of the metric: entities by `ner`,
relations by `rel_strict`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from modeling_spert.analysis.rows import Row
from modeling_spert.evaluation.metrics import TypedPair, TypedSpan

Level = Literal["entity", "relation"]
Item = TypedSpan | TypedPair
Same = TypeVar("Same", TypedSpan, TypedPair)

# Kind → name and what it means. Matching tries the kinds of two sides in this order. A relation is like another if it
# joins the same two spans, or has the same type and its spans share words with the other's.
ENTITY_KINDS = {
    "wrong_type": ("wrong type", "the span is right, its type is not"),
    "word_more": ("a word more", "the type is right, the span has one word too many"),
    "word_less": ("a word less", "the type is right, the span lacks one word"),
    "overlapping": ("overlapping span", "the type is right, the span shares words with the right one"),
    "wrong_span_and_type": ("wrong span and type", "the span shares words with one of another type"),
    "missed": ("missed", "annotated, and no prediction shares a word with it"),
    "missed_overlapping": (
        "missed, overlapping",
        "annotated, and shares words only with predictions that belong to other entities",
    ),
    "spurious": ("spurious", "predicted, and no annotated entity shares a word with it"),
    "spurious_overlapping": (
        "spurious, overlapping",
        "predicted, and shares words only with annotated entities that other predictions belong to",
    ),
}
RELATION_KINDS = {
    "wrong_entity_type": ("wrong entity type", "relation type and spans are right, the type of an entity is not"),
    "wrong_direction": ("wrong direction", "head and tail are the wrong way round"),
    "wrong_type": ("wrong type", "the two spans are right, the relation's type is not"),
    "wrong_spans": ("between wrong spans", "the type is right, a span shares words with the right one"),
    "missed": ("missed", "annotated, and nothing like it was predicted"),
    "missed_similar": ("missed, one of several", "annotated, and the predictions like it belong to other relations"),
    "spurious": ("spurious", "predicted, and nothing like it is annotated"),
    "spurious_similar": (
        "spurious, one of several",
        "predicted, and other predictions belong to the annotated relations like it",
    ),
}
KINDS: dict[Level, dict[str, tuple[str, str]]] = {"entity": ENTITY_KINDS, "relation": RELATION_KINDS}


@dataclass(frozen=True)
class Error:
    """Something that is wrong in a sentence.

    Attributes:
        row: Index of the sentence.
        level: "entity" or "relation".
        kind: A key of `ENTITY_KINDS` or `RELATION_KINDS`.
        gold: What is annotated; None for something spurious.
        predicted: What was predicted; None for something missed.
        score: The prediction's score.
        gold_score: The score of what is annotated, where the predictions hold it, although below the threshold.
        remark: What else is known of it, in a few words.
        both_entities: Whether both entities of a missed relation were found, or both of a spurious one are right; else
            None.
        candidate: Whether the annotation may lack it: a confident prediction where nothing is annotated.
        evidence: For a candidate entity: how often the same words are annotated with that type elsewhere.
    """

    row: int
    level: Level
    kind: str
    gold: Item | None
    predicted: Item | None
    score: float | None = None
    gold_score: float | None = None
    remark: str = ""
    both_entities: bool | None = None
    candidate: bool = False
    evidence: int = 0


@dataclass(frozen=True)
class Repeated:
    """An error on an entity that is made more than once: the same words, taken in the same wrong way.

    Attributes:
        kind: A key of `ENTITY_KINDS`.
        gold: Words and type of what is annotated; None for something spurious.
        predicted: Words and type of what was predicted; None for something missed.
        errors: Indices of the errors.
    """

    kind: str
    gold: tuple[str, str] | None
    predicted: tuple[str, str] | None
    errors: tuple[int, ...]


def find_errors(rows: Sequence[Row], confident: float) -> list[Error]:
    """All errors, row by row, entities first.

    Args:
        rows: Gold and predictions.
        confident: Score from which something spurious is a candidate for a missing annotation.
    """
    names = Counter((_words(row, span), span.type) for row in rows for span in row.gold.entities)
    errors = []
    for index, row in enumerate(rows):
        entity_kinds = sort_entities(row.gold.entities.keys(), row.predicted.entities.keys())
        errors += [_entity_error(index, row, *found, confident, names) for found in entity_kinds]
        relation_kinds = sort_relations(row.gold.relations.keys(), row.predicted.relations.keys())
        errors += [_relation_error(index, row, *found, confident) for found in relation_kinds]
    return errors


def find_repeated(rows: Sequence[Row], errors: Sequence[Error]) -> list[Repeated]:
    """The errors on entities that are made more than once, the most frequent first."""
    groups: dict[tuple[str, tuple[str, str] | None, tuple[str, str] | None], list[int]] = {}
    for index, error in enumerate(errors):
        if error.level == "entity":
            gold, predicted = (
                (_words(rows[error.row], item), item.type) if isinstance(item, TypedSpan) else None
                for item in (error.gold, error.predicted)
            )
            groups.setdefault((error.kind, gold, predicted), []).append(index)
    repeated = [Repeated(*key, tuple(indices)) for key, indices in groups.items() if len(indices) > 1]
    return sorted(repeated, key=lambda group: -len(group.errors))


def sort_entities(
    gold: Collection[TypedSpan], predicted: Collection[TypedSpan]
) -> list[tuple[str, TypedSpan | None, TypedSpan | None]]:
    """Kind, gold and prediction of each error among the entities of a sentence.

    >>> sort_entities({TypedSpan(0, 2, "A"), TypedSpan(5, 6, "B")}, {TypedSpan(0, 1, "A")})
    [('word_less', TypedSpan(start=0, end=2, type='A'), TypedSpan(start=0, end=1, type='A')), \
('missed', TypedSpan(start=5, end=6, type='B'), None)]
    """
    return _pair_up(gold, predicted, _entity_kind, list(ENTITY_KINDS), "overlapping")


def sort_relations(
    gold: Collection[TypedPair], predicted: Collection[TypedPair]
) -> list[tuple[str, TypedPair | None, TypedPair | None]]:
    """Kind, gold and prediction of each error among the relations of a sentence, counted strictly.

    >>> a, b = TypedSpan(0, 1, "A"), TypedSpan(2, 3, "B")
    >>> [kind for kind, *_ in sort_relations({TypedPair(a, b, "r")}, {TypedPair(b, a, "r")})]
    ['wrong_direction']
    """
    return _pair_up(gold, predicted, _relation_kind, list(RELATION_KINDS), "similar")


def _pair_up(
    gold: Collection[Same],
    predicted: Collection[Same],
    kind_of: Callable[[Same, Same], tuple[str, float] | None],
    order: Sequence[str],
    several: str,
) -> list[tuple[str, Same | None, Same | None]]:
    """Match what is not correct, the closest first, each item at most once.

    `several` is added to the kind of an item without a partner that is like an item of the other side.
    """
    missing, wrong = set(gold) - set(predicted), set(predicted) - set(gold)
    matches: list[tuple[int, float, Same, Same, str]] = []  # the better, the smaller
    for one in missing:
        for other in wrong:
            found = kind_of(one, other)
            if found is not None:
                matches.append((order.index(found[0]), found[1], one, other, found[0]))
    pairs: list[tuple[str, Same | None, Same | None]] = []
    for _, _, one, other, kind in sorted(matches):
        if one in missing and other in wrong:
            missing.remove(one)
            wrong.remove(other)
            pairs.append((kind, one, other))
    for item in sorted(missing):
        is_like = any(kind_of(item, other) for other in predicted)
        pairs.append((f"missed_{several}" if is_like else "missed", item, None))
    for item in sorted(wrong):
        is_like = any(kind_of(one, item) for one in gold)
        pairs.append((f"spurious_{several}" if is_like else "spurious", None, item))
    return pairs


def _entity_kind(gold: TypedSpan, predicted: TypedSpan) -> tuple[str, float] | None:
    """The kind of error that a gold entity and a prediction make together, and how far apart they are."""
    shared = _shared(gold, predicted)
    if shared == 0:
        return None
    distance = 1 - shared
    if shared == 1:
        return "wrong_type", distance
    if gold.type != predicted.type:
        return "wrong_span_and_type", distance
    difference = (predicted.end - predicted.start) - (gold.end - gold.start)
    moved_ends = (gold.start != predicted.start) + (gold.end != predicted.end)
    if moved_ends == 1 and abs(difference) == 1:
        return ("word_more" if difference > 0 else "word_less"), distance
    return "overlapping", distance


def _relation_kind(gold: TypedPair, predicted: TypedPair) -> tuple[str, float] | None:
    """The same for relations."""
    same_way = _same_span(gold.head, predicted.head) and _same_span(gold.tail, predicted.tail)
    other_way = _same_span(gold.head, predicted.tail) and _same_span(gold.tail, predicted.head)
    if gold.type == predicted.type:
        if same_way:
            return "wrong_entity_type", 0
        if other_way:
            return "wrong_direction", 0
        shared = _shared(gold.head, predicted.head), _shared(gold.tail, predicted.tail)
        return ("wrong_spans", 2 - sum(shared)) if min(shared) > 0 else None
    return ("wrong_type", float(not same_way)) if same_way or other_way else None


def _same_span(one: TypedSpan, other: TypedSpan) -> bool:
    return (one.start, one.end) == (other.start, other.end)


def _shared(one: TypedSpan, other: TypedSpan) -> float:
    """Words that two spans share, of all their words; 1 for the same span.

    >>> _shared(TypedSpan(0, 2, "A"), TypedSpan(1, 4, "A"))
    0.25
    """
    both = min(one.end, other.end) - max(one.start, other.start)
    return max(both, 0) / (max(one.end, other.end) - min(one.start, other.start)) if both > 0 else 0.0


# --- what else is known of an error ---


def _entity_error(
    index: int,
    row: Row,
    kind: str,
    gold: TypedSpan | None,
    predicted: TypedSpan | None,
    confident: float,
    names: Counter[tuple[str, str]],
) -> Error:
    score = None if predicted is None else row.predicted.entities[predicted]
    gold_score = None if gold is None else row.low.entities.get(gold)
    candidate = kind == "spurious" and score is not None and score >= confident
    evidence = names[_words(row, predicted), predicted.type] if candidate and predicted is not None else 0
    remark = f"its score was {gold_score:.2f}" if predicted is None and gold_score is not None else ""
    return Error(index, "entity", kind, gold, predicted, score, gold_score, remark, None, candidate, evidence)


def _relation_error(
    index: int, row: Row, kind: str, gold: TypedPair | None, predicted: TypedPair | None, confident: float
) -> Error:
    score = None if predicted is None else row.predicted.relations[predicted]
    gold_score = None if gold is None else row.low.relations.get(gold)
    both, remark = None, ""
    if gold is None and predicted is not None:
        both = all(end in row.gold.entities for end in (predicted.head, predicted.tail))
        remark = "" if both else "an entity of it is wrong"
    if predicted is None and gold is not None:
        both = all(end in row.predicted.entities for end in (gold.head, gold.tail))
        remark = "both entities were found" if both else "an entity of it was not found"
        if gold_score is not None:
            remark += f"; the relation's score was {gold_score:.2f}"
    candidate = kind == "spurious" and bool(both) and score is not None and score >= confident
    return Error(index, "relation", kind, gold, predicted, score, gold_score, remark, both, candidate)


def _words(row: Row, span: TypedSpan) -> str:
    return " ".join(row.tokens[span.start : span.end])
