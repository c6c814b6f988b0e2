"""One line of the SVG: its text, the parts of strips and arcs above it, and labels."""

from html import escape

from modeling_spert.rendering.documents import Document
from modeling_spert.rendering.ink import Ink, number
from modeling_spert.rendering.lines import Box
from modeling_spert.rendering.marks import LABEL_SIZE, Arc, End, Layout, Strip, full_label
from modeling_spert.rendering.text_width import shorten, text_direction, text_width
from spert_pages.palette import Colors

EM = 16.0  # the font's size in the picture's units
SLOT = 18.0  # height of a slot
EDGE = 20.0  # around everything
_ROUND = 6.0  # radius of an arc's corners


class Row:
    """Draws what is on one line; `y` is the text's baseline."""

    def __init__(self, document: Document, layout: Layout, boxes: list[Box], y: float, colors: Colors, ink: Ink):
        self._document, self._layout, self._boxes, self._y = document, layout, boxes, y
        self._colors, self._ink = colors, ink
        self._box = {box.cell: box for box in boxes}
        self._rtl = text_direction(document.text) == "rtl"
        self._sign = -1 if self._rtl else 1
        self.labels: list[str] = []  # of arcs: to be drawn after all lines, which pass under them

    def strip(self, strip: Strip, labelled: bool) -> str:
        """An entity's strip, or the part of it on this line."""
        entity = self._document.entities[strip.entity]
        color = self._colors[0][entity.label]
        left, right = self._extent(strip.first, strip.last)
        y = self._above(strip.slot) - SLOT + 2
        box = f'x="{number(left)}" y="{number(y)}" width="{number(right - left)}" height="{number(SLOT - 2)}" rx="4"'
        words = shorten(self._document.words_of(strip.entity))
        title = f"<title>{escape(f'{words} · {full_label(entity.label, entity.score)}')}</title>"
        drawn = f"<rect {box} {self._ink.fill(f'f{color}')}>{title}</rect>"
        if not labelled:
            return drawn
        rtl = (text_direction(words) or ("rtl" if self._rtl else "ltr")) == "rtl"
        x = right - 6 - strip.indent * EM if rtl else left + 6 + strip.indent * EM
        return drawn + self._label(x, y + 12, strip.label, f"t{color}", rtl)

    def arc(self, arc: Arc) -> str:
        """A relation's line with its two ends, or the part of it on this line."""
        relation = self._document.relations[arc.relation]
        color = self._colors[1][relation.label]
        last = arc.left.cell if arc.right is None else arc.right.cell
        near, far = self._extent(arc.left.cell, last)[:: self._sign]
        y = self._above(arc.slot) - SLOT / 2
        left, right = arc.left, arc.right
        has_left, has_right = left.cell in self._box, right is not None and right.cell in self._box
        start = self._x(left) if has_left else near
        end = start + 14 * self._sign if right is None else self._x(right) if has_right else far
        turn = min(_ROUND, abs(end - start) / 2) * self._sign
        path = f"M{number(start)} {number(y)}"
        marks = ""
        if has_left:
            foot = self._top(left.foot)
            corner = f"q0 {number(-_ROUND)} {number(turn)} {number(-_ROUND)}"
            path = f"M{number(start)} {number(foot)}V{number(y + _ROUND)}{corner}"
            marks += self._mark(start, foot, left.is_tail, color)
        if right is not None and has_right:
            foot = self._top(right.foot)
            path += f"H{number(end - turn)}q{number(turn)} 0 {number(turn)} {number(_ROUND)}V{number(foot)}"
            marks += self._mark(end, foot, right.is_tail, color)
        else:
            path += f"H{number(end)}"
        if has_left:
            beyond = end + 5 * self._sign if right is None or right.cell == left.cell else start + 9 * self._sign
            self._add_label(beyond, y, arc.label, f"t{color}")
        dashes = ' stroke-dasharray="3 2"' if right is None else ""
        return f'<path d="{path}" fill="none" stroke-width="1.5"{dashes} {self._ink.stroke(f"k{color}")}/>{marks}'

    def text(self) -> list[str]:
        """The line's text, in as few pieces as extra widths and directions allow, in the order of the text."""
        pieces = []
        for stretch in self._stretches():
            first, last = stretch[0], stretch[-1]
            pad = self._pad_before(first)
            x = self._right(first) - pad if first.rtl else self._left(first) + pad
            cells = self._layout.cells
            text = self._document.text[cells[first.cell].start : cells[last.cell].end]
            pieces.append(self._ink.text(x, self._y, text, EM, "ink", rtl=first.rtl))
        return pieces

    def _stretches(self) -> list[list[Box]]:
        """Boxes that follow one another in the text and on the line, in one direction and with nothing between them."""
        stretches: list[list[Box]] = []
        for box in sorted(self._boxes, key=lambda box: box.cell):
            before = stretches[-1][-1] if stretches else None
            if (
                before is not None
                and box.cell == before.cell + 1
                and box.rtl == before.rtl
                and not self._layout.pads[before.cell]
                and not self._pad_before(box)
                and abs(box.x - (before.x - box.width if box.rtl else before.x + before.width)) < 1e-6
            ):
                stretches[-1].append(box)
            else:
                stretches.append([box])
        return stretches

    def _pad_before(self, box: Box) -> float:
        """Half the extra width of a word is before it; that of a space is after it."""
        pad = self._layout.pads[box.cell] * EM
        return pad / 2 if self._layout.cells[box.cell].kind == "word" else 0.0

    def _extent(self, first: int, last: int) -> tuple[float, float]:
        """The left and right edge of what is on this line of the cells `first` to `last`."""
        boxes = [self._box[at] for at in range(first, last + 1) if at in self._box]
        return min(map(self._left, boxes)), max(map(self._right, boxes))

    def _left(self, box: Box) -> float:
        return EDGE + box.x * EM

    def _right(self, box: Box) -> float:
        return EDGE + (box.x + box.width) * EM

    def _x(self, end: End) -> float:
        box = self._box[end.cell]
        return self._right(box) - end.x * EM if self._rtl else self._left(box) + end.x * EM

    def _above(self, slot: int) -> float:
        """The lower edge of a slot."""
        return self._y - EM - slot * SLOT

    def _top(self, slot: int) -> float:
        """The upper edge of a strip in a slot."""
        return self._above(slot) - SLOT + 1

    def _mark(self, x: float, y: float, is_tail: bool, color: int) -> str:
        """An arrow's head where a relation ends, a dot where it begins."""
        fill = self._ink.fill(f"k{color}")
        if is_tail:
            return f'<path d="M{number(x - 4)} {number(y - 6)}h8l-4 6z" {fill}/>'
        return f'<circle cx="{number(x)}" cy="{number(y - 2)}" r="3" {fill}/>'

    def _label(self, x: float, y: float, text: str, color: str, rtl: bool) -> str:
        """A label that begins at `x`; its own direction may differ from the one it is placed in."""
        size = LABEL_SIZE * EM
        own = (text_direction(text) or "ltr") == "rtl"
        if own != rtl:
            width = text_width(text, size, bold=True)
            x += -width if rtl else width
        return self._ink.text(x, y, text, size, color, bold=True, rtl=own)

    def _add_label(self, x: float, y: float, text: str, color: str) -> None:
        """A label on an arc's line, which it covers."""
        width = text_width(text, LABEL_SIZE * EM, bold=True) + 8
        left = x - width + 4 if self._rtl else x - 4
        box = f'x="{number(left)}" y="{number(y - 7)}" width="{number(width)}" height="14"'
        label = self._label(x, y + 4, text, color, self._rtl)
        self.labels.append(f"<rect {box} {self._ink.fill('card')}/>{label}")
