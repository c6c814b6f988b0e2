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

from modeling_spert.rendering.arcs import ArcPlacer, Place
from modeling_spert.rendering.cells import Cell, split_cells
from modeling_spert.rendering.documents import Document
from modeling_spert.rendering.marks import Layout, Strip, label_of
from modeling_spert.rendering.slots import Slots
from modeling_spert.rendering.spacing import assign_lanes, indent_labels, make_room

MAX_LEVELS = 5  # slots that entities may take


def lay_out(document: Document) -> Layout:
    """Places everything above a text."""
    boundaries = {edge for entity in document.entities for edge in (entity.start, entity.end)}
    cells = split_cells(document.text, boundaries)
    slots = Slots(len(cells))
    strips = _place_strips(document, cells, slots)
    places = {strip.entity: _find_place(strip, cells, slots) for strip in strips}
    arcs = assign_lanes(ArcPlacer(document, cells, slots, places).place())
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


def _place_strips(document: Document, cells: list[Cell], slots: Slots) -> list[Strip]:
    """Strips of all entities that find a slot; line ends at the edge of one are left out."""
    starts = {cell.start: index for index, cell in enumerate(cells)}
    ends = {cell.end: index for index, cell in enumerate(cells)}
    order = sorted(
        range(len(document.entities)),
        key=lambda i: (document.entities[i].start - document.entities[i].end, document.entities[i].start, i),
    )
    strips = []
    for index in order:
        entity = document.entities[index]
        first, last = starts[entity.start], ends[entity.end]
        while first <= last and cells[first].kind == "newline":
            first += 1
        while first <= last and cells[last].kind == "newline":
            last -= 1
        slot = slots.find(2 * first, 2 * last + 1, 0, MAX_LEVELS) if first <= last else None
        if slot is not None:
            slots.take(2 * first, 2 * last + 1, slot)
            strips.append(Strip(index, slot, first, last, label_of(entity.label, None)))
    return sorted(strips, key=lambda strip: (strip.first, strip.slot))


def _find_place(strip: Strip, cells: list[Cell], slots: Slots) -> Place:
    """Where an entity's arcs may come down: on its words with no strip above its own, else on all of them.

    The slots hold strips only at this point.
    """
    words = [at for at in range(strip.first, strip.last + 1) if cells[at].kind == "word"]
    free = [at for at in words if not slots.is_covered(at, strip.slot)]
    return Place(strip.slot, tuple(free or words or [strip.first]))
