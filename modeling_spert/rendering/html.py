"""Documents as HTML: a page, or a fragment for a notebook. No script, no id, nothing fetched.

The browser breaks the lines. Each word below a strip or an arc carries its own piece of it, at a height that only
depends on the slot, so that pieces join on a line and resume on the next, at any width and in any font. Labels are
written by the style sheet from attributes: the text in the page is the document's text, to read, select and search.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from modeling_spert.rendering.cells import find_runs
from modeling_spert.rendering.documents import Document
from modeling_spert.rendering.layout import lay_out
from modeling_spert.rendering.marks import Layout
from modeling_spert.rendering.overlay import Pieces, draw_pieces, escape_text
from modeling_spert.rendering.spacing import WIDEST_GROUP
from modeling_spert.rendering.style import style_sheet
from modeling_spert.rendering.text_width import shorten, text_direction
from spert_pages.palette import Colors, assign_colors

_LONG = 3000  # characters: a longer text scrolls in a box of its own, where it is not the only one on a page


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
        f"<title>{escape_text(title or 'Entities and relations')}</title>\n<style>{sheet}</style></head>\n"
        f'<body class="{root} sp-page">\n{body}\n</body></html>\n'
    )


def _isolate(text: str) -> str:
    """Text whose direction does not reach its surroundings."""
    return f"<bdi>{escape_text(text)}</bdi>"


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
    words = _isolate(shorten(document.words_of(index)))
    return words if score is None else f'{words} <span class="sp-score">{score:.2f}</span>'


def _relation_row(document: Document, index: int, colors: Colors) -> str:
    relation = document.relations[index]
    head, tail = (
        f'<span class="sp-type c{colors[0][document.entities[entity].label]}">'
        f"{_isolate(shorten(document.words_of(entity)))}</span>"
        for entity in (relation.head, relation.tail)
    )
    score = "" if relation.score is None else f' <span class="sp-score">{relation.score:.2f}</span>'
    return (
        f'{head} <span class="sp-line c{colors[1][relation.label]}">{_isolate(relation.label)}</span>{score} → {tail}'
    )


# --- the text and what is above it ---


def _marked_text(document: Document, layout: Layout, colors: Colors) -> str:
    """The text, its words under strips and arcs in elements of their own."""
    pieces = draw_pieces(document, layout, colors)
    struts, kept = _keep_together(layout, pieces)
    opening, closing = {first for first, _ in kept}, {last for _, last in kept}
    inner = {index for first, last in kept for index in range(first + 1, last + 1)}
    parts: list[str] = []
    for index, cell in enumerate(layout.cells):
        text = escape_text(document.text[cell.start : cell.end])
        if cell.breakable and index in pieces and index not in inner:
            parts.append("<wbr/>")
        if index in opening:
            parts.append('<span class="n">')
        if cell.kind != "newline" and (index in pieces or index in struts):
            kind = "w" if cell.kind == "word" else "g"
            style = _style_of(layout.pads[index], struts.get(index), cell.kind)
            parts.append(f'<span class="{kind}"{style}>{text}{pieces[index].html if index in pieces else ""}</span>')
        else:
            parts.append(text)
        if index in closing:
            parts.append("</span>")
    return "".join(parts)


def _keep_together(layout: Layout, pieces: Mapping[int, Pieces]) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """The slots to reserve at the beginning of words, and the cells `[first, last]` that stay on one line.

    A browser may break a line where something is reserved, so words that touch reserve once, and stay together. Where
    they are too long for that, each part reserves for itself.
    """
    struts: dict[int, int] = {}
    kept = list(layout.groups)
    inside = {index for first, last in kept for index in range(first, last + 1)}
    for first, last in find_runs(layout.cells):
        run = range(first, last + 1)
        height = max(pieces[index].slots if index in pieces else 0 for index in run)
        if not height or layout.cells[first].kind != "word":
            continue
        if first in inside or sum(layout.cells[index].width + layout.pads[index] for index in run) <= WIDEST_GROUP:
            struts[first] = height
            if first < last and first not in inside:
                kept.append((first, last))
        else:
            struts |= {index: height for index in run if index in pieces}
    return struts, kept


def _style_of(pad: float, strut: int | None, kind: str) -> str:
    """The style of a cell: the slots above it, and extra width."""
    styles = [] if strut is None else [f"--n:{strut}"]
    if pad > 0.01:
        styles.append(f"padding-inline-end:{pad:.3g}em" if kind == "space" else f"padding-inline:{pad / 2:.3g}em")
    return f' style="{";".join(styles)}"' if styles else ""
