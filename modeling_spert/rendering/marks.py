"""What is drawn above a text: strips of entities, arcs of relations, their measures in em of the text's font size."""

from dataclasses import dataclass

from modeling_spert.rendering.cells import Cell
from modeling_spert.rendering.text_width import LONGEST_NAME, fit, shorten, text_width

LABEL_SIZE = 0.6875  # the font size of labels
LANE = 0.625  # from one vertical line to the next
MARGIN = 0.375  # around labels, and before the first lane
_WIDEST_LABEL = 8.5  # without the score
_ROOMY = 1.07  # some fonts are wider than the one the estimates are for


@dataclass(frozen=True)
class Strip:
    """An entity's strip over the cells `first` to `last`, both included; its label begins `indent` em from the left."""

    entity: int
    slot: int
    first: int
    last: int
    label: str
    indent: float = 0.0


@dataclass(frozen=True)
class End:
    """Where an arc comes down: in a cell, `x` em from its beginning, onto the strip in slot `foot`."""

    cell: int
    x: float
    foot: int
    is_tail: bool


@dataclass(frozen=True)
class Arc:
    """A relation's line in a slot; where `right` is None, the stub at one end of a relation that reaches too far."""

    relation: int
    slot: int
    left: End
    right: End | None
    label: str

    @property
    def forward(self) -> bool:
        """Whether the line leaves its left end."""
        return not self.left.is_tail


@dataclass(frozen=True)
class Layout:
    """What is drawn above a text.

    Attributes:
        pads: Extra width of each cell in em, where what is above a text is wider than the text.
        groups: Cells `[first, last]` that stay on one line, since a label extends over them.
        undrawn_entities: Entities, as indices, that found no slot or have no visible character.
        undrawn_relations: Relations, as indices, that found no slot or whose entities did not.
    """

    cells: list[Cell]
    strips: list[Strip]
    arcs: list[Arc]
    pads: list[float]
    groups: list[tuple[int, int]]
    undrawn_entities: list[int]
    undrawn_relations: list[int]


def label_of(label: str, score: float | None, widest: float = _WIDEST_LABEL) -> str:
    """A label as it is drawn, at most `widest` em wide, with its score.

    >>> label_of("lives_in", 0.973)
    'lives_in 0.97'
    """
    return fit(label, widest / LABEL_SIZE) + ("" if score is None else f" {score:.2f}")


def full_label(label: str, score: float | None) -> str:
    """A label where there is space for it, as in a title."""
    return shorten(label, LONGEST_NAME) + ("" if score is None else f" {score:.2f}")


def label_width(label: str) -> float:
    """The estimated width of a label with the margins around it."""
    return text_width(label, LABEL_SIZE, bold=True) * _ROOMY + 2 * MARGIN
