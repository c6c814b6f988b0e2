"""The pieces of strips and arcs that each cell carries in HTML."""

from collections import defaultdict
from dataclasses import dataclass
from html import escape

from modeling_spert.rendering.documents import Document
from modeling_spert.rendering.marks import Arc, End, Layout, Strip, full_label
from modeling_spert.rendering.text_width import shorten, text_direction
from spert_pages.palette import Colors


def escape_text(text: str) -> str:
    """Text between tags. A parser would turn a carriage return into a line feed."""
    return escape(text).replace("\r", "&#13;")


def escape_attribute(text: str) -> str:
    """Text between double quotes."""
    return escape_text(text).replace("\n", "&#10;").replace("\t", "&#9;")


@dataclass
class Pieces:
    """The elements above one cell, and how many slots they need."""

    html: str = ""
    slots: int = 0

    def add(self, slot: int, classes: str, style: str = "", more: str = "") -> None:
        """Adds an element in a slot."""
        self.html += f'<i class="{classes}" style="--s:{slot}{style}"{more}></i>'
        self.slots = max(self.slots, slot + 1)


def draw_pieces(document: Document, layout: Layout, colors: Colors) -> dict[int, Pieces]:
    """The pieces above each cell that has any."""
    pieces: dict[int, Pieces] = defaultdict(Pieces)
    direction = text_direction(document.text) or "ltr"
    for strip in layout.strips:
        _draw_strip(document, strip, colors, direction, pieces)
    for arc in layout.arcs:
        _draw_arc(document, arc, colors, pieces)
    return dict(pieces)


def _draw_strip(document: Document, strip: Strip, colors: Colors, direction: str, pieces: dict[int, Pieces]) -> None:
    """A strip: its label and title are on its first cell, at the end at which its words begin."""
    entity = document.entities[strip.entity]
    words = document.words_of(strip.entity)
    own = text_direction(words) or direction
    turned = "" if own == direction else " r" if own == "rtl" else " l"
    title = f"{shorten(words)} · {full_label(entity.label, entity.score)}"
    for at in range(strip.first, strip.last + 1):
        classes = f"e c{colors[0][entity.label]}{turned}" + (" z" if at == strip.last else "")
        if at == strip.first:
            indent = f";--i:{strip.indent:.3g}em" if strip.indent else ""
            more = f' data-l="{escape_attribute(strip.label)}" title="{escape_attribute(title)}"'
            pieces[at].add(strip.slot, classes + " f", indent, more)
        else:
            pieces[at].add(strip.slot, classes)


def _draw_arc(document: Document, arc: Arc, colors: Colors, pieces: dict[int, Pieces]) -> None:
    """An arc: its left end with the label, the line above the cells between, its right end."""
    relation = document.relations[arc.relation]
    color = f"a c{colors[1][relation.label]}"
    head, tail = (shorten(document.words_of(entity)) for entity in (relation.head, relation.tail))
    title = f"{head} → {full_label(relation.label, relation.score)} → {tail}"
    shown = f' title="{escape_attribute(title)}"'
    labelled = f' data-l="{escape_attribute(arc.label)}"{shown}'
    left, right = arc.left, arc.right
    if right is None:
        pieces[left.cell].add(arc.slot, f"{color} p u {_mark(left)}", _drop(arc, left), labelled)
    elif left.cell == right.cell:
        width = f";width:{right.x - left.x:.3g}em"
        start = f";inset-inline-start:{left.x:.3g}em"
        pieces[left.cell].add(arc.slot, f"{color} p y {_mark(left)}", _drop(arc, left) + width, labelled)
        pieces[left.cell].add(arc.slot, f"{color} q {_mark(right)}", _drop(arc, right) + width + start, shown)
    else:
        pieces[left.cell].add(arc.slot, f"{color} p {_mark(left)}", _drop(arc, left), labelled)
        for at in range(left.cell + 1, right.cell):
            pieces[at].add(arc.slot, color)
        pieces[right.cell].add(arc.slot, f"{color} q {_mark(right)}", _drop(arc, right), shown)


def _mark(end: End) -> str:
    """The class of an arrow's head or of a dot."""
    return "t" if end.is_tail else "o"


def _drop(arc: Arc, end: End) -> str:
    """How far an end comes down, in slots, and where."""
    return f";--d:{arc.slot - end.foot - 1};--x:{end.x:.3g}em"
