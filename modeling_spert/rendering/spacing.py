"""Room from left to right: lanes for vertical lines, and words kept apart or together so that labels fit above."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from modeling_spert.rendering.cells import Cell, find_runs
from modeling_spert.rendering.marks import LANE, MARGIN, Arc, Strip, label_width

WIDEST_GROUP = 15.0  # em: what may be kept on one line, on a phone too


def assign_lanes(arcs: Sequence[Arc]) -> list[Arc]:
    """Gives each end of an arc its own place in its cell, in an order in which lines into a cell do not cross.

    Lines from the left come down first, the lowest leftmost; then those to the right, the lowest rightmost; then arcs
    from a cell to itself.
    """
    ends: dict[int, list[tuple[int, int, int, str]]] = defaultdict(list)
    for index, arc in enumerate(arcs):
        if arc.right is not None and arc.right.cell == arc.left.cell:
            ends[arc.left.cell] += [(2, arc.slot, index, "left"), (2, arc.slot, index, "right")]
            continue
        ends[arc.left.cell].append((1, -arc.slot, index, "left"))
        if arc.right is not None:
            ends[arc.right.cell].append((0, arc.slot, index, "right"))
    moved = list(arcs)
    for entries in ends.values():
        for lane, (_, _, index, side) in enumerate(sorted(entries)):
            end = replace(getattr(moved[index], side), x=MARGIN + lane * LANE)
            moved[index] = replace(moved[index], **{side: end})
    return moved


def indent_labels(strips: Sequence[Strip], arcs: Sequence[Arc]) -> list[Strip]:
    """Moves a strip's label past the lines that cross the strip on their way down to a lower one."""
    feet: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for arc in arcs:
        for end in (arc.left, arc.right):
            if end is not None:
                feet[end.cell].append((end.foot, end.x))
    moved = []
    for strip in strips:
        crossing = [x for foot, x in feet[strip.first] if foot < strip.slot]
        moved.append(replace(strip, indent=max(crossing, default=0.0)))
    return moved


def last_cell_under(cells: Sequence[Cell], pads: Sequence[float] | None, first: int, width: float) -> int:
    """The last cell of those from `first` on that together are at least so wide, or the last of the line."""
    reached = 0.0
    for at in range(first, len(cells)):
        if cells[at].kind == "newline":
            return max(first, at - 1)
        reached += cells[at].width + (0.0 if pads is None else pads[at])
        if reached >= width:
            return at
    return len(cells) - 1


def make_room(
    cells: Sequence[Cell], strips: Sequence[Strip], arcs: Sequence[Arc]
) -> tuple[list[float], list[tuple[int, int]]]:
    """The extra width of each cell, and the groups of cells to be kept on one line; see `Layout`."""
    pads = [0.0] * len(cells)
    labels = []  # the first cell of each label, and how far from there it reaches
    for strip in strips:
        need = strip.indent + label_width(strip.label)
        _widen(cells, pads, strip.first, strip.last, need, at=_where_to_widen(cells, strip.first, strip.last))
        labels.append((strip.first, need))
    for arc in sorted(arcs, key=lambda arc: arc.slot):
        for end in (arc.left, arc.right):
            if end is not None:
                _widen(cells, pads, end.cell, end.cell, end.x + LANE, at=[end.cell])
        need = arc.left.x + label_width(arc.label) + MARGIN
        if arc.right is None:
            last = last_cell_under(cells, pads, arc.left.cell, need)
        elif arc.right.cell == arc.left.cell:
            need, last = need + LANE, arc.left.cell
        else:
            need, last = need - arc.right.x, arc.right.cell - 1
        _widen(cells, pads, arc.left.cell, last, need, at=_where_to_widen(cells, arc.left.cell, last))
        labels.append((arc.left.cell, need))
    return pads, _group(cells, pads, labels)


def _where_to_widen(cells: Sequence[Cell], first: int, last: int) -> list[int]:
    """The spaces among the cells `first` to `last`; all of them if there is none."""
    spaces = [at for at in range(first, last + 1) if cells[at].kind == "space"]
    return spaces or list(range(first, last + 1))


def _widen(cells: Sequence[Cell], pads: list[float], first: int, last: int, need: float, at: Sequence[int]) -> None:
    """Adds to the pads of the cells `at`, in equal parts, what the cells `first` to `last` lack in width."""
    for index in range(first, last + 1):
        need -= cells[index].width + pads[index]
        if need <= 0:
            return
    for index in at:
        pads[index] += need / len(at)


def _group(cells: Sequence[Cell], pads: list[float], labels: list[tuple[int, float]]) -> list[tuple[int, int]]:
    """Keeps the cells below each label on one line, labels that share cells together, as far as a phone is wide.

    Where they would be wider, the group is cut before the next label, and its own cells are widened instead.
    """
    run_of = {index: run for run in find_runs(cells) for index in range(run[0], run[1] + 1)}
    groups: list[tuple[int, int]] = []
    start, last = 0, -1
    waiting: list[tuple[int, float]] = []  # the labels of the group from `start` to `last`
    for first, need in sorted(labels):
        begin = run_of[first][0]
        end = _end_below(cells, pads, run_of, first, need)
        if begin > last:
            groups.append((start, last))
            start, last, waiting = begin, end, []
        elif begin > start and _width(cells, pads, start, max(last, end)) > WIDEST_GROUP:
            groups.append((start, _close(cells, pads, begin, [label for label in waiting if label[0] < begin])))
            waiting = [label for label in waiting if label[0] >= begin]
            start, last = begin, max([end, *(_end_below(cells, pads, run_of, *label) for label in waiting)])
        else:
            last = max(last, end)
        waiting.append((first, need))
    return [(first, end) for first, end in [*groups, (start, last)] if first < end]


def _width(cells: Sequence[Cell], pads: Sequence[float], first: int, last: int) -> float:
    return sum(cells[at].width + pads[at] for at in range(first, last + 1))


def _end_below(
    cells: Sequence[Cell], pads: list[float], run_of: dict[int, tuple[int, int]], first: int, need: float
) -> int:
    """The last cell to keep on a line with cell `first` for a label; widens cells where the next would be too much."""
    begin, end = run_of[first]
    last = last_cell_under(cells, pads, first, need)
    while end < last:
        following = next((at for at in range(end + 1, last + 2) if at < len(cells) and cells[at].kind == "word"), None)
        if following is None or _width(cells, pads, begin, run_of[following][1]) > WIDEST_GROUP:
            break
        end = run_of[following][1]
    _widen(cells, pads, first, end, need, at=_where_to_widen(cells, first, end))
    return end


def _close(cells: Sequence[Cell], pads: list[float], begin: int, labels: list[tuple[int, float]]) -> int:
    """Makes labels fit above the cells before `begin`; returns the last of these that is not a space."""
    end = begin - 1
    while cells[end].kind == "space":
        end -= 1
    for first, need in labels:
        _widen(cells, pads, first, end, need, at=_where_to_widen(cells, first, end))
    return end
