"""Documents as one SVG picture that stands alone, for papers, slides and pages that take no HTML.

Lines have a fixed width. Every piece of text states its width (`textLength`), so that any font fits below its strips
and arcs. Colours are attributes, which every program reads; a style sheet turns them dark where the reader's theme
is.
"""

from collections.abc import Iterable, Sequence
from html import escape

from modeling_spert.rendering.documents import Document
from modeling_spert.rendering.ink import Ink, number
from modeling_spert.rendering.layout import lay_out
from modeling_spert.rendering.lines import Box, break_lines
from modeling_spert.rendering.marks import Arc, Layout, Strip, full_label
from modeling_spert.rendering.svg_row import EDGE, EM, SLOT, Row
from modeling_spert.rendering.text_width import fit, text_width
from spert_pages.palette import Colors, assign_colors

_LINE = 26.0  # height of a line of text with nothing above it
_FONT = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'Noto Sans', sans-serif"


def render_svg(documents: Sequence[Document], title: str | None, theme: str, width: int) -> str:
    """The picture, `width` units wide; every string in the documents is printable already."""
    colors = assign_colors(
        (entity.label for document in documents for entity in document.entities),
        (relation.label for document in documents for relation in document.relations),
    )
    ink = Ink(theme)
    inner = width - 2 * EDGE
    parts: list[str] = []
    y = EDGE
    if title:
        parts.append(ink.text(EDGE, y + 18, fit(title, inner / 20), 20, "ink", bold=True))
        y += 34
    legend, height = _legend(documents, colors, ink, y, inner)
    parts += legend
    y += height
    for index, document in enumerate(documents):
        name = document.title or (str(index + 1) if len(documents) > 1 else None)
        drawn, y = _document(document, name, colors, ink, y, inner)
        parts += drawn
    y += EDGE - 6
    size = f'width="{width}" height="{number(y)}" viewBox="0 0 {width} {number(y)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" class="spert-svg" font-family="{_FONT}">'
        f"<title>{escape(title or 'Entities and relations')}</title><desc>{escape(_describe(documents))}</desc>\n"
        f"{ink.style()}<rect {size.split(' viewBox')[0]} {ink.fill('card')}/>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _describe(documents: Iterable[Document]) -> str:
    """The relations in words, for readers who cannot see the picture."""
    sentences = []
    for document in documents:
        for relation in document.relations:
            head, tail = document.words_of(relation.head), document.words_of(relation.tail)
            sentences.append(f"{head} — {full_label(relation.label, relation.score)} → {tail}")
    return "; ".join(sentences)


def _legend(documents: Sequence[Document], colors: Colors, ink: Ink, y: float, width: float) -> tuple[list[str], float]:
    """The types and their colours, in rows; and the height they take."""
    size = 0.75 * EM
    parts: list[str] = []
    top = y
    for row, labels in enumerate(colors):
        x = EDGE
        for label in sorted(labels):
            text = fit(label, (width - 40) / size)
            wide = text_width(text, size, bold=True) + (16 if row == 0 else 36)
            if x > EDGE and x + wide > EDGE + width:
                x, y = EDGE, y + 24
            if row == 0:
                box = f'x="{number(x)}" y="{number(y)}" width="{number(wide - 4)}" height="18" rx="4"'
                parts.append(f"<rect {box} {ink.fill(f'f{labels[label]}')}/>")
                parts.append(ink.text(x + 6, y + 13, text, size, f"t{labels[label]}", bold=True))
            else:
                line = f'd="M{number(x)} {number(y + 9)}h18" stroke-width="2" fill="none"'
                parts.append(f"<path {line} {ink.stroke(f'k{labels[label]}')}/>")
                parts.append(ink.text(x + 24, y + 13, text, size, f"t{labels[label]}", bold=True))
            x += wide + 8
        y += 24 if labels else 0
    return parts, y - top + (8 if y > top else 0)


def _document(
    document: Document, name: str | None, colors: Colors, ink: Ink, y: float, width: float
) -> tuple[list[str], float]:
    """A document's heading, lines and note, and the height below them."""
    parts: list[str] = []
    if name is not None:
        parts.append(ink.text(EDGE, y + 12, fit(name, width / (0.75 * EM)), 0.75 * EM, "faint", bold=True))
        y += 20
    layout = lay_out(document)
    lines = break_lines(document.text, layout, width / EM)
    strips, arcs = _by_line(layout, lines)
    for line, boxes in enumerate(lines):
        slots = max([strip.slot + 1 for strip, _ in strips[line]] + [arc.slot + 1 for arc in arcs[line]], default=0)
        y += _LINE + slots * SLOT + (4 if slots else 0)
        row = Row(document, layout, boxes, y - 8, colors, ink)
        parts += [row.strip(strip, labelled) for strip, labelled in strips[line]]
        parts += [row.arc(arc) for arc in arcs[line]] + row.labels + row.text()
    missing = len(layout.undrawn_entities) + len(layout.undrawn_relations)
    if missing:
        note = f"{missing} entities or relations are not drawn: there are too many in one place"
        parts.append(ink.text(EDGE, y + 16, note, 0.75 * EM, "faint"))
        y += 20
    return parts, y + 14


def _by_line(layout: Layout, lines: list[list[Box]]) -> tuple[list[list[tuple[Strip, bool]]], list[list[Arc]]]:
    """The strips and arcs that have a part on each line; with a strip, whether the line is its first."""
    line_of = {box.cell: line for line, boxes in enumerate(lines) for box in boxes}
    strips: list[list[tuple[Strip, bool]]] = [[] for _ in lines]
    arcs: list[list[Arc]] = [[] for _ in lines]
    for strip in layout.strips:
        parts = sorted({line_of[at] for at in range(strip.first, strip.last + 1) if at in line_of})
        for line in parts:
            strips[line].append((strip, line == parts[0]))
    for arc in layout.arcs:
        last = arc.left.cell if arc.right is None else arc.right.cell
        for line in sorted({line_of[at] for at in range(arc.left.cell, last + 1) if at in line_of}):
            arcs[line].append(arc)
    return strips, arcs
