"""Documents as HTML: a page, or a fragment for a notebook. No script, no id, nothing fetched.

The browser breaks the lines. Each word below a strip or an arc carries its own piece of it, at a height that only
depends on the slot, so that pieces join on a line and resume on the next, at any width and in any font. Labels are
written by the style sheet from attributes: the text in the page is the document's text, to read, select and search.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from html import escape

from modeling_spert.rendering.cells import find_runs
from modeling_spert.rendering.documents import Document
from modeling_spert.rendering.layout import lay_out
from modeling_spert.rendering.marks import Arc, End, Layout, label_of
from modeling_spert.rendering.palette import Colors, assign_colors
from modeling_spert.rendering.spacing import WIDEST_GROUP
from modeling_spert.rendering.style import style_sheet
from modeling_spert.rendering.text_width import shorten, text_direction

_LONG = 3000  # characters: a longer text scrolls in a box of its own, where it is not the only one on a page
_LONGEST_NAME = 80


def render_html(documents: Sequence[Document], title: str | None, page: bool, theme: str) -> str:
    """The page or fragment; every string in the documents is printable already."""
    root, sheet = style_sheet(theme)
    colors = assign_colors(
        (entity.label for document in documents for entity in document.entities),
        (relation.label for document in documents for relation in document.relations),
    )
    bounded = not page or len(documents) > 1
    heading = f"<h1>{_isolate(title)}</h1>" if title else ""
    body = heading + _legend(documents, colors)
    for index, document in enumerate(documents):
        name = document.title or (str(index + 1) if len(documents) > 1 else None)
        body += "\n" + _article(document, name, colors, bounded)
    if not documents:
        body += '<p class="sp-note">No answers.</p>'
    if not page:
        return f'<div class="{root} sp-part"><style>{sheet}</style>\n{body}\n</div>'
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/><link rel="icon" href="data:,"/>'
        f"<title>{_text(title or 'Entities and relations')}</title>\n<style>{sheet}</style></head>\n"
        f'<body class="{root} sp-page">\n{body}\n</body></html>\n'
    )


def _text(text: str) -> str:
    """Text between tags. A parser would turn a carriage return into a line feed."""
    return escape(text).replace("\r", "&#13;")


def _attribute(text: str) -> str:
    """Text between double quotes."""
    return _text(text).replace("\n", "&#10;").replace("\t", "&#9;")


def _isolate(text: str) -> str:
    """Text whose direction does not reach its surroundings."""
    return f"<bdi>{_text(text)}</bdi>"


# --- around the text ---


def _legend(documents: Sequence[Document], colors: Colors) -> str:
    entities = Counter(entity.label for document in documents for entity in document.entities)
    relations = Counter(relation.label for document in documents for relation in document.relations)
    legend = ""
    for kind, counts, chosen in (("sp-type", entities, colors[0]), ("sp-line", relations, colors[1])):
        items = "".join(
            f'<li><span class="{kind} c{chosen[label]}">{_isolate(label)}</span> {counts[label]}</li>'
            for label in sorted(counts)
        )
        legend += f'<ul class="sp-legend">{items}</ul>' if items else ""
    return legend


def _article(document: Document, name: str | None, colors: Colors, bounded: bool) -> str:
    layout = lay_out(document)
    heading = "" if name is None else f"<h2>{_isolate(name)}</h2>"
    direction = text_direction(document.text) or "ltr"
    box = ' class="sp-bounded"' if bounded and len(document.text) > _LONG else ""
    focus = ' tabindex="0"' if box else ""
    return (
        f'<article{box}>{heading}<div class="sp-text" dir="{direction}"{focus}>'
        f"{_marked_text(document, layout, colors)}</div>{_list(document, layout, colors)}</article>"
    )


def _list(document: Document, layout: Layout, colors: Colors) -> str:
    """Everything in words: what a screen reader reads, and where what found no place above the text is."""
    if not document.entities:
        return ""
    counts = [
        f"{len(things)} {one if len(things) == 1 else many}"
        for things, one, many in (
            (document.entities, "entity", "entities"),
            (document.relations, "relation", "relations"),
        )
    ]
    missing = len(layout.undrawn_entities) + len(layout.undrawn_relations)
    note = f", {missing} of them only in this list: there are too many in one place" if missing else ""
    rows = [_relation_row(document, index, colors) for index in range(len(document.relations))]
    by_label = defaultdict(list)
    for index, entity in enumerate(document.entities):
        by_label[entity.label].append(index)
    for label in sorted(by_label):
        names = ", ".join(_name(document, index) for index in by_label[label])
        rows.append(f'<span class="sp-type c{colors[0][label]}">{_isolate(label)}</span> {names}')
    items = "".join(f"<li>{row}</li>" for row in rows)
    opened = ' open="open"' if missing else ""
    return f"<details{opened}><summary>{', '.join(counts)}{note}</summary><ul>{items}</ul></details>"


def _name(document: Document, index: int) -> str:
    score = document.entities[index].score
    words = _isolate(shorten(document.words_of(index), _LONGEST_NAME))
    return words if score is None else f'{words} <span class="sp-score">{score:.2f}</span>'


def _relation_row(document: Document, index: int, colors: Colors) -> str:
    relation = document.relations[index]
    head, tail = (
        f'<span class="sp-type c{colors[0][document.entities[entity].label]}">'
        f"{_isolate(shorten(document.words_of(entity), _LONGEST_NAME))}</span>"
        for entity in (relation.head, relation.tail)
    )
    score = "" if relation.score is None else f' <span class="sp-score">{relation.score:.2f}</span>'
    return (
        f'{head} <span class="sp-line c{colors[1][relation.label]}">{_isolate(relation.label)}</span>{score} → {tail}'
    )


# --- the text and what is above it ---


def _marked_text(document: Document, layout: Layout, colors: Colors) -> str:
    """The text, its words under strips and arcs in elements of their own."""
    pieces, heights = _pieces(document, layout, colors)
    struts, kept = _keep_together(layout, heights)
    opening, closing = {first for first, _ in kept}, {last for _, last in kept}
    parts: list[str] = []
    for index, cell in enumerate(layout.cells):
        text = _text(document.text[cell.start : cell.end])
        if cell.breakable and index in pieces:
            parts.append("<wbr/>")
        if index in opening:
            parts.append('<span class="n">')
        if cell.kind != "newline" and (index in pieces or index in struts):
            kind = "w" if cell.kind == "word" else "g"
            style = _style_of(layout.pads[index], struts.get(index), cell.kind)
            parts.append(f'<span class="{kind}"{style}>{text}{"".join(pieces.get(index, ()))}</span>')
        else:
            parts.append(text)
        if index in closing:
            parts.append("</span>")
    return "".join(parts)


def _keep_together(layout: Layout, heights: dict[int, int]) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """The slots to reserve at the beginning of words, and the cells `[first, last]` that stay on one line.

    A browser may break a line where something is reserved, so words that touch reserve once, and stay together. Where
    they are too long for that, each part reserves for itself.
    """
    struts: dict[int, int] = {}
    kept = list(layout.groups)
    inside = {index for first, last in kept for index in range(first, last + 1)}
    for first, last in find_runs(layout.cells):
        run = range(first, last + 1)
        height = max(heights.get(index, 0) for index in run)
        if not height or layout.cells[first].kind != "word":
            continue
        if first in inside or sum(layout.cells[index].width + layout.pads[index] for index in run) <= WIDEST_GROUP:
            struts[first] = height
            if first < last and first not in inside:
                kept.append((first, last))
        else:
            struts |= {index: height for index in run if index in heights}
    return struts, kept


def _style_of(pad: float, strut: int | None, kind: str) -> str:
    """The style of a cell: the slots above it, and extra width."""
    styles = [] if strut is None else [f"--n:{strut}"]
    if pad > 0.01:
        styles.append(f"padding-inline-end:{pad:.3g}em" if kind == "space" else f"padding-inline:{pad / 2:.3g}em")
    return f' style="{";".join(styles)}"' if styles else ""


def _turn(words: str, direction: str) -> str:
    """The class of a strip whose label begins at the other side, since its words run against the text."""
    own = text_direction(words) or direction
    return "" if own == direction else " r" if own == "rtl" else " l"


def _pieces(document: Document, layout: Layout, colors: Colors) -> tuple[dict[int, list[str]], dict[int, int]]:
    """The pieces of strips and arcs above each cell, and how many slots they need."""
    pieces: dict[int, list[str]] = defaultdict(list)
    heights: dict[int, int] = defaultdict(int)
    direction = text_direction(document.text) or "ltr"

    def add(index: int, slot: int, classes: str, style: str, more: str = "") -> None:
        pieces[index].append(f'<i class="{classes}" style="--s:{slot}{style}"{more}></i>')
        heights[index] = max(heights[index], slot + 1)

    for strip in layout.strips:
        entity = document.entities[strip.entity]
        turned = _turn(document.words_of(strip.entity), direction)
        title = (
            f"{shorten(document.words_of(strip.entity), _LONGEST_NAME)} · {label_of(entity.label, entity.score, 80)}"
        )
        for index in range(strip.first, strip.last + 1):
            first, last = index == strip.first, index == strip.last
            classes = f"e c{colors[0][entity.label]}{' f' if first else ''}{' z' if last else ''}{turned}"
            more = f' data-l="{_attribute(strip.label)}" title="{_attribute(title)}"' if first else ""
            add(index, strip.slot, classes, f";--i:{strip.indent:.3g}em" if first and strip.indent else "", more)
    for arc in layout.arcs:
        _add_arc(document, arc, colors, add)
    return pieces, heights


def _add_arc(document: Document, arc: Arc, colors: Colors, add) -> None:
    relation = document.relations[arc.relation]
    color = f"c{colors[1][relation.label]}"
    head, tail = (shorten(document.words_of(index), _LONGEST_NAME) for index in (relation.head, relation.tail))
    title = f' title="{_attribute(f"{head} → {label_of(relation.label, relation.score, 80)} → {tail}")}"'

    def end_style(end: End) -> str:
        return f";--d:{arc.slot - end.foot - 1};--x:{end.x:.3g}em"

    def end_class(end: End) -> str:
        return "t" if end.is_tail else "o"

    label = f' data-l="{_attribute(arc.label)}"{title}'
    left, right = arc.left, arc.right
    if right is None:
        add(left.cell, arc.slot, f"a {color} p u {end_class(left)}", end_style(left), label)
    elif left.cell == right.cell:
        width = f";width:{right.x - left.x:.3g}em"
        add(left.cell, arc.slot, f"a {color} p y {end_class(left)}", end_style(left) + width, label)
        start = f";inset-inline-start:{left.x:.3g}em"
        add(left.cell, arc.slot, f"a {color} q {end_class(right)}", end_style(right) + width + start)
    else:
        add(left.cell, arc.slot, f"a {color} p {end_class(left)}", end_style(left), label)
        for index in range(left.cell + 1, right.cell):
            add(index, arc.slot, f"a {color}", "")
        add(right.cell, arc.slot, f"a {color} q {end_class(right)}", end_style(right), title)
