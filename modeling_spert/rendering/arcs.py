"""Which relations become arcs, which become stubs, and which slots they take; see `layout`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modeling_spert.rendering.cells import Cell
from modeling_spert.rendering.documents import Document
from modeling_spert.rendering.marks import LANE, MARGIN, Arc, End, label_of, label_width
from modeling_spert.rendering.slots import Slots
from modeling_spert.rendering.spacing import last_cell_under
from modeling_spert.rendering.text_width import fit

MAX_SLOTS = 12  # slots in all, those of entities included
MAX_LANES = 8  # ends of arcs on one word
REACH = 240  # characters from one end of an arc to the other
_STUB_LABEL = 5.0  # em: the relation's type on a stub
_STUB_NAME = 4.0  # em: the words of the entity at the other end
_SLACK = 2.0  # em: for the lanes before a stub's label


@dataclass(frozen=True)
class Place:
    """An entity's slot, and the cells where its arcs may come down."""

    slot: int
    words: tuple[int, ...]


class ArcPlacer:
    """Places a document's relations one after the other, in the order of their lengths."""

    def __init__(self, document: Document, cells: Sequence[Cell], slots: Slots, places: Mapping[int, Place]):
        self._document, self._cells, self._slots, self._places = document, cells, slots, places
        self._num_ends: Counter[int] = Counter()  # on each cell
        # Where the latest arc to the right left each entity. The next is longer, so in a higher slot, and leaves no
        # later: otherwise its line would come down through the other's label.
        self._leaving: dict[int, int] = {}

    def place(self) -> list[Arc]:
        """The arcs and stubs of all relations for which there is space; the lanes of their ends are not yet set."""
        near: list[tuple[int, int, int]] = []
        far: list[tuple[int, int, int]] = []
        for index, relation in enumerate(self._document.relations):
            if relation.head in self._places and relation.tail in self._places:
                left, right = sorted((self._places[relation.head].words, self._places[relation.tail].words))
                distance = max(0, self._cells[right[0]].start - self._cells[left[-1]].start)
                (near if distance <= REACH else far).append((distance, left[0], index))
        arcs = [arc for _, _, index in sorted(near) for arc in self._arc(index)]
        return arcs + [stub for _, _, index in sorted(far) for stub in self._stubs(index)]

    def _arc(self, index: int) -> list[Arc]:
        relation = self._document.relations[index]
        label = label_of(relation.label, relation.score)
        head, tail = self._places[relation.head], self._places[relation.tail]
        first, second = (relation.head, relation.tail) if head.words <= tail.words else (relation.tail, relation.head)
        target = self._places[second].words[0]
        at = self._leave(self._places[first], target, label_width(label) + LANE + 2 * MARGIN)
        at = min(at, self._leaving.get(first, at))
        left = End(at, 0.0, self._places[first].slot, first != relation.head)
        right = End(target, 0.0, self._places[second].slot, first == relation.head)
        if right.cell < left.cell:
            left, right = right, left
        halves = (2 * left.cell + 1, 2 * right.cell) if left.cell < right.cell else (2 * at, 2 * at + 1)
        slot = self._slots.find(*halves, max(left.foot, right.foot) + 1, MAX_SLOTS)
        if slot is None or not self._take_lanes(left.cell, right.cell):
            return []
        self._slots.take(*halves, slot)
        self._leaving[first] = at
        return [Arc(index, slot, left, right, label)]

    def _leave(self, place: Place, target: int, need: float) -> int:
        """The word where an arc to a later cell begins: the last of an entity's that leaves its label enough width."""
        words = set(place.words)
        width = 0.0
        for at in range(target - 1, place.words[0] - 1, -1):
            width += self._cells[at].width
            if width >= need and at in words:
                return at
        return place.words[0]

    def _stubs(self, index: int) -> list[Arc]:
        """The two stubs of a relation that reaches too far, or nothing if one of them has no space."""
        relation = self._document.relations[index]
        label = label_of(relation.label, relation.score, _STUB_LABEL)
        stubs, halves = [], []
        for entity, other, is_tail in ((relation.head, relation.tail, False), (relation.tail, relation.head, True)):
            cell, foot = self._places[entity].words[0], self._places[entity].slot
            text = f"{label} {'from' if is_tail else 'to'} {fit(self._document.words_of(other), _STUB_NAME)}"
            last = last_cell_under(self._cells, None, cell, label_width(text) + _SLACK)
            halves.append((2 * cell + 1, 2 * last + 1))
            slot = self._slots.find(*halves[-1], foot + 1, MAX_SLOTS)
            if slot is None:
                return []
            stubs.append(Arc(index, slot, End(cell, 0.0, foot, is_tail), None, text))
        if not self._take_lanes(*(stub.left.cell for stub in stubs)):
            return []
        for stub, half in zip(stubs, halves, strict=True):
            self._slots.take(*half, stub.slot)
        return stubs

    def _take_lanes(self, *cells: int) -> bool:
        """Counts an end on each cell, unless there are too many already."""
        wanted = Counter(cells)
        if any(self._num_ends[cell] + more > MAX_LANES for cell, more in wanted.items()):
            return False
        self._num_ends += wanted
        return True
