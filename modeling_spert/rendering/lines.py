"""Lines of a fixed width, for SVG: which cells are on which line, and where on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from modeling_spert.rendering.cells import Cell, find_runs
from modeling_spert.rendering.marks import Layout
from modeling_spert.rendering.text_width import text_direction


@dataclass(frozen=True)
class Box:
    """A cell on a line: its left edge and its width, both in em, and whether its text runs from right to left."""

    cell: int
    x: float
    width: float
    rtl: bool


def break_lines(text: str, layout: Layout, width: float) -> list[list[Box]]:
    """The cells of each line, from left to right, on lines `width` em wide; spaces at a line's end are left out.

    A unit that is wider than a line gets one of its own. The text's direction is that of its first letter; words that
    run against it are put in their own order.
    """
    rtl = text_direction(text) == "rtl"
    lines: list[list[int]] = [[]]
    used = 0.0
    for first, last in _units(layout):
        cells = range(first, last + 1)
        need = sum(_width(layout, at) for at in cells)
        kind = layout.cells[first].kind
        if kind == "newline" or (kind == "word" and lines[-1] and used + need > width):
            lines.append([])
            used = 0.0
        if kind != "newline":
            lines[-1] += cells
            used += need
    return [_place(text, layout, _strip(layout.cells, line), rtl, width) for line in lines]


def _width(layout: Layout, at: int) -> float:
    return layout.cells[at].width + layout.pads[at]


def _units(layout: Layout) -> list[tuple[int, int]]:
    """Cells `[first, last]` that stay together: groups, and the runs between them."""
    units: list[tuple[int, int]] = []
    groups = iter([*layout.groups, (len(layout.cells), len(layout.cells))])
    group = next(groups)
    for first, last in find_runs(layout.cells):
        if first > group[1]:
            group = next(groups)
        if first < group[0]:
            units.append((first, last))
        elif first == group[0]:
            units.append(group)
    return units


def _strip(cells: Sequence[Cell], line: list[int]) -> list[int]:
    while line and cells[line[-1]].kind == "space":
        line = line[:-1]
    return line


def _place(text: str, layout: Layout, line: list[int], rtl: bool, width: float) -> list[Box]:
    """The boxes of a line from left to right: from its left edge, or up to its right one."""
    turned = _turned(text, layout, line, rtl)
    order = _visual_order(line, turned)
    if rtl:
        order = order[::-1]
    widths = [_width(layout, at) for at in order]
    x = width - sum(widths) if rtl else 0.0
    boxes = []
    for at, own in zip(order, widths, strict=True):
        boxes.append(Box(at, x, own, rtl != (at in turned)))
        x += own
    return boxes


def _turned(text: str, layout: Layout, line: list[int], rtl: bool) -> set[int]:
    """The cells that run against the text's direction, with what is between two of them."""
    against = "ltr" if rtl else "rtl"
    turned: set[int] = set()
    waiting: list[int] = []
    last_turned = False
    for at in line:
        cell = layout.cells[at]
        direction = text_direction(text[cell.start : cell.end])
        if direction is None:
            waiting.append(at)
            continue
        if direction == against:
            turned |= {at, *waiting} if last_turned else {at}
        waiting, last_turned = [], direction == against
    return turned


def _visual_order(line: list[int], turned: set[int]) -> list[int]:
    """The cells in the order of the base direction: each stretch of turned ones is reversed."""
    order: list[int] = []
    stretch: list[int] = []
    for at in line:
        if at in turned:
            stretch.insert(0, at)
        else:
            order += stretch + [at]
            stretch = []
    return order + stretch
