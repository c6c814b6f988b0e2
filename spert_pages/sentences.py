"""A sentence in HTML: entities as coloured marks, nested ones inside one another, relations as lines of words below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_DEEPEST = 6  # nested marks; deeper ones are listed below the sentence
_MOST_WORDS = 400  # of a sentence; a longer one is cut, and says so
_MOST_LINES = 40  # of relations, and of entities that could not be marked


@dataclass(frozen=True)
class Mark:
    """An entity: words `[start, end)`, its label, and how it is shown.

    `status` is "" (right, or nothing to say), "wrong" (predicted, but not in gold) or "missed" (gold, not predicted).
    """

    start: int
    end: int
    label: str
    score: float | None = None
    status: str = ""


@dataclass(frozen=True)
class Arrow:
    """A relation between two marks, given by their words; `status` as of `Mark`."""

    head: tuple[int, int]
    tail: tuple[int, int]
    label: str
    score: float | None = None
    status: str = ""


def draw_sentence(
    tokens: Sequence[str],
    marks: Sequence[Mark],
    arrows: Sequence[Arrow],
    colors: Mapping[str, int],
    window: tuple[int, int] | None = None,
) -> Markup:
    """Draw a sentence. Every text in it is escaped.

    Args:
        tokens: Its words.
        marks: Its entities; ones that cross another, or are nested too deep, are listed below.
        arrows: Its relations.
        colors: Colour of each label, from `assign_colors`; others get the first.
        window: Words `[start, end)` to show; default: all. Only marks that are inside the window are drawn.
    """
    first, last = window or (0, len(tokens))
    last = min(last, first + _MOST_WORDS)
    inside = [mark for mark in marks if first <= mark.start and mark.end <= last]
    drawn, rest = _split_marks(inside)
    text = _draw_words(tokens, drawn, colors, first, last)
    before = Markup("… ") if first > 0 else Markup()
    after = Markup(" …") if last < len(tokens) else Markup()
    lines = [_line_of_mark(tokens, mark, colors) for mark in rest]
    lines += [_line_of_arrow(tokens, arrow, colors) for arrow in arrows]
    more = Markup("<li>… and {} more</li>").format(len(lines) - _MOST_LINES) if len(lines) > _MOST_LINES else Markup()
    below = (
        Markup('<ul class="lines">{}{}</ul>').format(Markup().join(lines[:_MOST_LINES]), more) if lines else Markup()
    )
    return Markup('<div class="sentence" dir="auto">{}{}{}</div>{}').format(before, text, after, below)


def _split_marks(marks: Sequence[Mark]) -> tuple[list[Mark], list[Mark]]:
    """Marks that nest in one another, outer ones first, and those that do not fit in."""
    drawn: list[Mark] = []
    rest: list[Mark] = []
    open_marks: list[Mark] = []
    for mark in sorted(set(marks), key=lambda mark: (mark.start, -mark.end, mark.label)):
        while open_marks and open_marks[-1].end <= mark.start:
            open_marks.pop()
        if len(open_marks) == _DEEPEST or (open_marks and mark.end > open_marks[-1].end):
            rest.append(mark)
        else:
            drawn.append(mark)
            open_marks.append(mark)
    return drawn, rest


def _draw_words(tokens: Sequence[str], drawn: list[Mark], colors: Mapping[str, int], first: int, last: int) -> Markup:
    starting: dict[int, list[Mark]] = {}
    for mark in drawn:
        starting.setdefault(mark.start, []).append(mark)
    parts: list[Markup] = []
    open_marks: list[Mark] = []
    for position in range(first, last):
        if position > first:
            parts.append(Markup(" "))
        for mark in starting.get(position, ()):
            parts.append(
                Markup('<mark class="c{} {}"{}>').format(
                    colors.get(mark.label, 0), mark.status, _title(mark.label, mark.status)
                )
            )
            open_marks.append(mark)
        parts.append(escape(tokens[position]))
        while open_marks and open_marks[-1].end == position + 1:
            mark = open_marks.pop()
            parts.append(Markup("<span class=tag><bdi>{}</bdi>{}</span></mark>").format(mark.label, _score(mark.score)))
    return Markup().join(parts)


def _score(score: float | None) -> Markup:
    return Markup() if score is None else Markup(" <i>{}</i>").format(f"{score:.2f}")


def _title(label: str, status: str) -> Markup:
    meaning = {"wrong": "not in gold", "missed": "not predicted"}.get(status)
    return Markup(' title="{}: {}"').format(label, meaning) if meaning else Markup()


def _words(tokens: Sequence[str], span: tuple[int, int]) -> str:
    text = " ".join(tokens[span[0] : span[1]])
    return text if len(text) <= 80 else text[:79] + "…"


def _line_of_mark(tokens: Sequence[str], mark: Mark, colors: Mapping[str, int]) -> Markup:
    return Markup('<li class="{}"><mark class="c{} {}"><bdi>{}</bdi></mark> <bdi>{}</bdi>{}</li>').format(
        mark.status,
        colors.get(mark.label, 0),
        mark.status,
        _words(tokens, (mark.start, mark.end)),
        mark.label,
        _score(mark.score),
    )


def _line_of_arrow(tokens: Sequence[str], arrow: Arrow, colors: Mapping[str, int]) -> Markup:
    return Markup(
        '<li class="{}"{}><bdi>{}</bdi> <span class="arrow c{}"><bdi>{}</bdi>{}</span> <bdi>{}</bdi></li>'
    ).format(
        arrow.status,
        _title(arrow.label, arrow.status),
        _words(tokens, arrow.head),
        colors.get(arrow.label, 0),
        arrow.label,
        _score(arrow.score),
        _words(tokens, arrow.tail),
    )
