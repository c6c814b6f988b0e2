"""Which slots above each half of a cell are taken.

Halves, because arcs from the left come down in a cell's first half and arcs to the right begin in its second, so that
two of them may share a slot.
"""


class Slots:
    """A bit for each slot taken, above each half cell."""

    def __init__(self, num_cells: int):
        self._taken = [0] * (2 * num_cells)

    def find(self, first: int, last: int, lowest: int, limit: int) -> int | None:
        """The lowest slot in `[lowest, limit)` that is free above all half cells from `first` to `last`, if any."""
        every = (1 << limit) - 1
        taken = (1 << lowest) - 1
        for half in range(first, last + 1):
            taken |= self._taken[half]
            if taken & every == every:
                return None
        return (~taken & (taken + 1)).bit_length() - 1

    def take(self, first: int, last: int, slot: int) -> None:
        """Takes a slot above the half cells from `first` to `last`."""
        for half in range(first, last + 1):
            self._taken[half] |= 1 << slot

    def is_covered(self, cell: int, slot: int) -> bool:
        """Whether anything is above a slot of a cell."""
        return self._taken[2 * cell] >> (slot + 1) != 0
