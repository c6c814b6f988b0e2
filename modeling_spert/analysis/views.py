"""What the report shows of errors and sentences: chosen, drawn, and tied together by anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from modeling_spert.analysis.analysis import Analysis
from modeling_spert.analysis.errors import KINDS, Error, Item, Level
from modeling_spert.analysis.rows import Row, Side
from modeling_spert.evaluation.metrics import TypedPair, TypedSpan
from spert_pages import Arrow, Mark, draw_sentence

_CONTEXT = 7  # words shown before and after an error


@dataclass(frozen=True)
class ErrorView:
    """An error as the report shows it.

    Attributes:
        anchor: Its id in the page.
        error: The error.
        kind: The name of its kind.
        types: Indices of the types it is about, into `Colors.types`.
        status: "new" or "changed" against the baseline, else nothing.
        gold: What is annotated, drawn.
        predicted: What was predicted, drawn.
        sentence: What its sentence is called.
    """

    anchor: str
    error: Error
    kind: str
    types: tuple[int, ...]
    status: str
    gold: Markup
    predicted: Markup
    sentence: str


@dataclass(frozen=True)
class KindView:
    """A kind of error: `shown` of its `count` errors, the most confident first.

    In `both` of them both entities were found (missed relations) or are right (spurious ones).
    """

    level: Level
    key: str
    name: str
    meaning: str
    count: int
    both: int | None
    shown: tuple[ErrorView, ...]


@dataclass(frozen=True)
class SentenceView:
    """A sentence with gold next to predicted, and its errors that the report shows."""

    anchor: str
    name: str
    gold: Markup
    predicted: Markup
    errors: tuple[ErrorView, ...]


@dataclass(frozen=True)
class Colors:
    """All types, entity types first, each with the index of its colour."""

    types: tuple[str, ...]
    entities: Mapping[str, int]
    relations: Mapping[str, int]

    def index(self, level: str, label: str) -> int:
        """The index of a type among `types`; a relation may have the name of an entity type."""
        start = 0 if level == "entity" else len(self.entities)
        return self.types.index(label, start)

    @property
    def all(self) -> dict[str, int]:
        """Colours by label; a name used on both levels has that of the entity type."""
        return {**self.relations, **self.entities}


def view_kinds(analysis: Analysis, colors: Colors, most: int) -> list[KindView]:
    """Every kind that occurs, with at most so many of its errors."""
    statuses = {}
    if analysis.comparison is not None:
        statuses = dict.fromkeys(analysis.comparison.changed, "changed")
        statuses |= dict.fromkeys(analysis.comparison.appeared, "new")
    views = []
    for level, kinds in KINDS.items():
        for key, (name, meaning) in kinds.items():
            indices = [i for i, e in enumerate(analysis.errors) if (e.level, e.kind) == (level, key)]
            if indices:
                ordered = sorted(indices, key=lambda i: (-_confidence(analysis.errors[i]), i))
                shown = tuple(
                    view_error(analysis, colors, analysis.errors[i], f"e{i}", statuses.get(i, ""))
                    for i in ordered[:most]
                )
                known = [analysis.errors[i].both_entities for i in indices]
                both = None if None in known else known.count(True)
                views.append(KindView(level, key, name, meaning, len(indices), both, shown))
    return views


def _confidence(error: Error) -> float:
    return max(error.score or 0.0, error.gold_score or 0.0)


def view_error(analysis: Analysis, colors: Colors, error: Error, anchor: str, status: str = "") -> ErrorView:
    """One error, drawn in its context."""
    row = analysis.rows[error.row]
    spans = [span for item in (error.gold, error.predicted) if item is not None for span in _spans(item)]
    window = (
        max(min(span.start for span in spans) - _CONTEXT, 0),
        min(max(span.end for span in spans) + _CONTEXT, len(row.tokens)),
    )
    items = [item for item in (error.gold, error.predicted) if item is not None]
    return ErrorView(
        anchor=anchor,
        error=error,
        kind=KINDS[error.level][error.kind][0],
        types=tuple(dict.fromkeys(colors.index(error.level, item.type) for item in items)),
        status=status,
        gold=_draw_item(row, error.gold, None, "missed", colors, window),
        predicted=_draw_item(row, error.predicted, error.score, "wrong", colors, window),
        sentence=name_sentence(analysis, error.row),
    )


def _spans(item: Item) -> list[TypedSpan]:
    return [item] if isinstance(item, TypedSpan) else [item.head, item.tail]


def _draw_item(
    row: Row, item: Item | None, score: float | None, status: str, colors: Colors, window: tuple[int, int]
) -> Markup:
    marks, arrows = [], []
    if item is None:  # what there is instead
        own, other = (row.gold, row.predicted) if status == "missed" else (row.predicted, row.gold)
        scores = own.entities if status == "wrong" else {}
        marks = [Mark(*span, scores.get(span), "" if span in other.entities else status) for span in own.entities]
    elif isinstance(item, TypedSpan):
        marks = [Mark(*item, score, status)]
    elif isinstance(item, TypedPair):
        other = row.predicted if status == "missed" else row.gold
        marks = [Mark(*span, None, "" if span in other.entities else status) for span in _spans(item)]
        arrows = [_arrow(item, score, status)]
    return draw_sentence(row.tokens, marks, arrows, colors.all, window)


def _arrow(pair: TypedPair, score: float | None, status: str) -> Arrow:
    return Arrow(pair.head[:2], pair.tail[:2], pair.type, score, status)


def name_sentence(analysis: Analysis, index: int) -> str:
    """What a sentence is called: its id, and its document if it has one."""
    row = analysis.rows[index]
    name = f"{analysis.names['unit']} {index + 1}" if row.orig_id in (str(index), str(index + 1)) else row.orig_id
    return name if row.doc_id is None or row.doc_id in name else f"{name} ({row.doc_id})"


def view_sentences(
    analysis: Analysis, colors: Colors, shown: Sequence[ErrorView], also: Sequence[int] = ()
) -> list[SentenceView]:
    """The sentences of the errors that are shown, and some more, in the order of the data."""
    errors: dict[int, list[ErrorView]] = {row: [] for row in also}
    for view in shown:
        errors.setdefault(view.error.row, []).append(view)
    return [
        SentenceView(
            anchor=f"s{row}",
            name=name_sentence(analysis, row),
            gold=_draw_side(analysis.rows[row], "gold", colors),
            predicted=_draw_side(analysis.rows[row], "predicted", colors),
            errors=tuple(errors[row]),
        )
        for row in sorted(errors)
    ]


def _draw_side(row: Row, side: str, colors: Colors) -> Markup:
    own: Side = row.gold if side == "gold" else row.predicted
    other: Side = row.predicted if side == "gold" else row.gold
    with_scores, status = side == "predicted", "missed" if side == "gold" else "wrong"
    marks = [
        Mark(*span, score if with_scores else None, "" if span in other.entities else status)
        for span, score in own.entities.items()
    ]
    arrows = [
        _arrow(pair, score if with_scores else None, "" if pair in other.relations else status)
        for pair, score in sorted(own.relations.items())
    ]
    return draw_sentence(row.tokens, marks, arrows, colors.all)
