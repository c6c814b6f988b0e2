"""A text cut into cells: words, spaces and line ends, cut again where an entity begins or ends.

A cell is what a line break cannot divide, and what carries its own piece of the strips and arcs above it.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modeling_spert.rendering.text_width import is_mark, text_direction, text_width

WIDEST_CELL = 14.0  # em; longer words are cut, so that they fit on a phone

_TOKENS = re.compile(r"\n|[^\S\n]+|\S+")
# Scripts that are written without spaces and may be broken between almost any two characters.
_UNSPACED = re.compile(
    "[\u2e80-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)


@dataclass(frozen=True)
class Cell:
    """The characters `[start, end)` of a text.

    Attributes:
        kind: "word", "space" or "newline".
        breakable: Whether a line may be broken before the cell although no space is there.
        width: Estimated width in em.
    """

    start: int
    end: int
    kind: str
    breakable: bool
    width: float


def find_runs(cells: Sequence[Cell]) -> list[tuple[int, int]]:
    """Cells `[first, last]` between which no line may be broken: words that touch. Each cell is in one run."""
    runs: list[tuple[int, int]] = []
    for index, cell in enumerate(cells):
        if index and cell.kind == cells[index - 1].kind == "word" and not cell.breakable:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def split_cells(text: str, boundaries: set[int]) -> list[Cell]:
    """The cells of a text, in order and without gaps; no cell contains a boundary.

    >>> [(cell.start, cell.end, cell.kind) for cell in split_cells("In Oslo.", {3, 7})]
    [(0, 2, 'word'), (2, 3, 'space'), (3, 7, 'word'), (7, 8, 'word')]
    """
    ordered = sorted(boundaries)
    cells: list[Cell] = []
    for match in _TOKENS.finditer(text):
        start, end = match.span()
        inner = ordered[bisect_right(ordered, start) : bisect_left(ordered, end)]
        edges = [start, *inner, end]
        kind = "newline" if match[0] == "\n" else "space" if match[0].isspace() else "word"
        for left, right in zip(edges, edges[1:], strict=False):
            pieces = _split_word(text, left, right) if kind == "word" else iter([(left, right, False)])
            for first, last, breakable in pieces:
                breakable = breakable or (kind == "word" and first > start and _may_break(text, first))
                cells.append(Cell(first, last, kind, breakable, text_width(text[first:last])))
    return _join_turned(text, boundaries, cells)


def _join_turned(text: str, boundaries: set[int], cells: list[Cell]) -> list[Cell]:
    """Makes one cell of words that run against the text's direction, where they are not too many.

    Their order on the line is not that of the text, so a line above them could not be drawn word by word.
    """
    turned = "rtl" if text_direction(text) != "rtl" else "ltr"
    joined: list[Cell] = []
    for cell in cells:
        joined.append(cell)
        if len(joined) < 3 or cell.kind != "word" or text_direction(text[cell.start : cell.end]) != turned:
            continue
        before, space = joined[-3:-1]
        width = before.width + space.width + cell.width
        together = space.kind == "space" and not {space.start, space.end} & boundaries and width <= WIDEST_CELL
        if together and before.kind == "word" and text_direction(text[before.start : before.end]) == turned:
            joined[-3:] = [Cell(before.start, cell.end, "word", before.breakable, width)]
    return joined


def _split_word(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """A word in pieces: one, unless it is long or in a script without spaces. With each, whether a cut made it."""
    word = text[start:end]
    if len(word) <= WIDEST_CELL and not _UNSPACED.search(word):
        yield start, end, False
        return
    first, width = start, 0.0
    for at in range(start, end):
        char_width = text_width(text[at])
        full = width + char_width > WIDEST_CELL and not is_mark(text[at]) and text[at - 1] != "\u200d"
        if at > first and (full or _may_break(text, at)):
            yield first, at, first > start
            first, width = at, 0.0
        width += char_width
    yield first, end, first > start


def _may_break(text: str, at: int) -> bool:
    """Whether a script without spaces allows a line break before a character."""
    before, after = text[at - 1], text[at]
    if not (_UNSPACED.match(before) or _UNSPACED.match(after)):
        return False
    closing = unicodedata.category(after) in ("Pe", "Pf", "Po") or after in "ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々"
    return not closing and not is_mark(after) and unicodedata.category(before) not in ("Ps", "Pi")
