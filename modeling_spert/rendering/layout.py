"""Where things go above a text: the slot of each entity's strip and each relation's arc, and where their lines come
down.

The area above a line of text is divided into slots of equal height, counted from the text upwards. An entity takes the
lowest slot that is free over all its words, longer entities first, so that nested ones are stacked. A relation takes
the lowest slot that is free from its left entity to its right one, shorter relations first. Its two ends come down on
the strips of its entities, each in a lane of its own. A relation that reaches too far to follow is drawn as two
stubs, each naming the entity at the other end. What finds no slot is left to the list below the text: no line grows
without limit.

Nothing here depends on the width of a page, so the same layout serves each width, and the SVG. The work is linear in
the length of the text and the number of entities and relations.
"""

from dataclasses import dataclass

from modeling_spert.rendering.cells import Cell, split_cells
from modeling_spert.rendering.documents import Document
from modeling_spert.rendering.marks import LANE, MARGIN, Arc, End, Layout, Strip, label_of, label_width
from modeling_spert.rendering.spacing import assign_lanes, indent_labels, last_cell_under, make_room
from modeling_spert.rendering.text_width import shorten

MAX_LEVELS = 5  # slots that entities may take
MAX_SLOTS = 12  # slots in all
REACH = 240  # characters from one end of an arc to the other
_LONGEST_NAME = 18  # characters
_SLACK = 2.0  # em: for the lanes before a stub's label


@dataclass(frozen=True)
class Place:
    """An entity's slot, and the cells where its arcs may come down."""

    slot: int
    words: tuple[int, ...]


def lay_out(document: Document) -> Layout:
    """Places everything above a text."""
    boundaries = {edge for entity in document.entities for edge in (entity.start, entity.end)}
    cells = split_cells(document.text, boundaries)
    used = [0] * (2 * len(cells))
    strips = _place_strips(document, cells, used)
    places = {strip.entity: _find_place(strip, cells, used) for strip in strips}
    arcs = assign_lanes(_place_arcs(document, cells, used, places))
    strips = indent_labels(strips, arcs)
    pads, groups = make_room(cells, strips, arcs)
    drawn = {arc.relation for arc in arcs}
    return Layout(
        cells,
        strips,
        arcs,
        pads,
        groups,
        [index for index in range(len(document.entities)) if index not in places],
        [index for index in range(len(document.relations)) if index not in drawn],
    )


# --- slots ---


def _place_strips(document: Document, cells: list[Cell], used: list[int]) -> list[Strip]:
    """Strips of all entities that find a slot.

    `used` has a bit for each slot taken, above each half of a cell: arcs from the left come down in the first half,
    arcs to the right begin in the second, so that two of them may share a slot.
    """
    starts = {cell.start: index for index, cell in enumerate(cells)}
    ends = {cell.end: index for index, cell in enumerate(cells)}
    order = sorted(
        range(len(document.entities)),
        key=lambda i: (document.entities[i].start - document.entities[i].end, document.entities[i].start, i),
    )
    strips = []
    for index in order:
        entity = document.entities[index]
        visible = [at for at in range(starts[entity.start], ends[entity.end] + 1) if cells[at].kind != "newline"]
        if not visible:
            continue
        first, last = visible[0], visible[-1]
        slot = _take_slot(used, 2 * first, 2 * last + 1, 0, MAX_LEVELS)
        if slot is not None:
            strips.append(Strip(index, slot, first, last, label_of(entity.label, None)))
    return sorted(strips, key=lambda strip: (strip.first, strip.slot))


def _take_slot(used: list[int], first: int, last: int, lowest: int, limit: int) -> int | None:
    """Takes the lowest slot in `[lowest, limit)` that is free above all half cells from `first` to `last`, if any."""
    every = (1 << limit) - 1
    taken = (1 << lowest) - 1
    for at in range(first, last + 1):
        taken |= used[at]
        if taken & every == every:
            return None
    free = ~taken
    slot = (free & -free).bit_length() - 1
    for at in range(first, last + 1):
        used[at] |= 1 << slot
    return slot


def _find_place(strip: Strip, cells: list[Cell], used: list[int]) -> Place:
    """Where an entity's arcs may come down: on its words with no strip above its own, else on all of them.

    `used` holds strips only at this point.
    """
    words = [at for at in range(strip.first, strip.last + 1) if cells[at].kind == "word"]
    free = [at for at in words if used[2 * at] >> (strip.slot + 1) == 0]
    return Place(strip.slot, tuple(free or words or [strip.first]))


def _place_arcs(document: Document, cells: list[Cell], used: list[int], places: dict[int, Place]) -> list[Arc]:
    """Arcs and stubs of all relations that find their slots; the lanes of their ends are not yet set."""
    near: list[tuple[int, int, int]] = []
    far: list[tuple[int, int, int]] = []
    for index, relation in enumerate(document.relations):
        if relation.head in places and relation.tail in places:
            left, right = sorted((places[relation.head].words, places[relation.tail].words))
            distance = max(0, cells[right[0]].start - cells[left[-1]].start)
            (near if distance <= REACH else far).append((distance, left[0], index))
    arcs: list[Arc] = []
    leaving: dict[int, int] = {}
    for _, _, index in sorted(near):
        arcs += _place_arc(document, index, cells, used, places, leaving)
    for _, _, index in sorted(far):
        arcs += _place_stubs(document, index, cells, used, places)
    return arcs


def _place_arc(
    document: Document,
    index: int,
    cells: list[Cell],
    used: list[int],
    places: dict[int, Place],
    leaving: dict[int, int],
) -> list[Arc]:
    """A relation's arc, or nothing if it finds no slot.

    `leaving` holds where the latest arc to the right left each entity: the next, which is longer and so in a higher
    slot, leaves no later, so that its line does not come down through the other's label.
    """
    relation = document.relations[index]
    label = label_of(relation.label, relation.score)
    head, tail = places[relation.head], places[relation.tail]
    first, second = (relation.head, relation.tail) if head.words <= tail.words else (relation.tail, relation.head)
    target = places[second].words[0]
    at = _leave(places[first], target, label_width(label) + LANE + 2 * MARGIN, cells)
    at = min(at, leaving.get(first, at))
    left = End(at, 0.0, places[first].slot, first != relation.head)
    right = End(target, 0.0, places[second].slot, first == relation.head)
    if right.cell < left.cell:
        left, right = right, left
    halves = (2 * left.cell + 1, 2 * right.cell) if left.cell < right.cell else (2 * left.cell, 2 * left.cell + 1)
    slot = _take_slot(used, *halves, max(left.foot, right.foot) + 1, MAX_SLOTS)
    if slot is None:
        return []
    leaving[first] = at
    return [Arc(index, slot, left, right, label)]


def _leave(place: Place, target: int, need: float, cells: list[Cell]) -> int:
    """The word of an entity where its arc to a later cell begins: the last one that leaves its label enough width."""
    width = 0.0
    for at in range(target - 1, place.words[0] - 1, -1):
        width += cells[at].width
        if width >= need and at in place.words:
            return at
    return place.words[0]


def _place_stubs(
    document: Document, index: int, cells: list[Cell], used: list[int], places: dict[int, Place]
) -> list[Arc]:
    """The two stubs of a relation that reaches too far, or nothing if one of them finds no slot."""
    relation = document.relations[index]
    label = label_of(relation.label, relation.score)
    stubs = []
    for entity, other, is_tail in ((relation.head, relation.tail, False), (relation.tail, relation.head, True)):
        cell, foot = places[entity].words[0], places[entity].slot
        text = f"{label} {'from' if is_tail else 'to'} {shorten(document.words_of(other), _LONGEST_NAME)}"
        last = last_cell_under(cells, None, cell, label_width(text) + _SLACK)
        slot = _take_slot(used, 2 * cell + 1, 2 * last + 1, foot + 1, MAX_SLOTS)
        if slot is None:
            return []
        stubs.append(Arc(index, slot, End(cell, 0.0, foot, is_tail), None, text))
    return stubs
