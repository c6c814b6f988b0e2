"""Seeing answers, and handing them on: HTML, SVG, displaCy, networkx, GraphML, triples.

Everything here takes the pipeline's answer, or a gold row of SpERT's JSON, or several of them. It needs the standard
library only (networkx for graphs). displaCy and ipymarkup draw spans or arcs, not both; brat and Recogito place arcs
with scripts in the browser: none makes a page that stands alone, so the drawing is our own.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from modeling_spert.rendering.displacy import to_displacy
from modeling_spert.rendering.documents import make_document_printable, make_printable, read_documents
from modeling_spert.rendering.graph import to_graphml, to_networkx, to_triples
from modeling_spert.rendering.html import render_html
from modeling_spert.rendering.svg import render_svg

__all__ = ["render", "to_displacy", "to_graphml", "to_networkx", "to_triples"]

FORMATS = ("html", "svg")
THEMES = ("auto", "light", "dark")
NARROWEST = 320  # units: an SVG that is narrower could not hold a label and a word


def render(
    answers: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    format: str = "html",
    *,
    page: bool = True,
    title: str | None = None,
    theme: str = "auto",
    width: int = 760,
) -> str:
    """Draws answers: entities as coloured strips above their words, relations as labelled arcs from head to tail.

    The HTML needs nothing from elsewhere, not even a script. The same answers give the same characters.

    Args:
        answers: An answer of the pipeline, a gold row (`tokens`, `entities`, `relations`), or several of them. Where an
            answer has `title`, `orig_id`, `doc_id` or `id`, that is its heading.
        format: "html" or "svg".
        page: For HTML: a whole page, or a fragment to put into one, for instance a notebook's.
        title: A heading above all answers.
        theme: "light", "dark", or "auto", which follows the reader's.
        width: For SVG: how wide the picture is; HTML fits itself.

    Raises:
        ValueError: An argument has another value, or something is not an answer; the message says which.

    >>> answer = {"text": "Bo lives in Oslo.", "entities": [{"label": "Per", "start": 0, "end": 2}], "relations": []}
    >>> render(answer, page=False)[:16]
    '<div class="sper'
    """
    for name, value, allowed in (("format", format, FORMATS), ("theme", theme, THEMES)):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    if not isinstance(width, int) or width < NARROWEST:
        raise ValueError(f"width must be an integer, at least {NARROWEST}, got {width!r}")
    documents = [make_document_printable(document) for document in read_documents(answers)]
    heading = None if title is None else make_printable(title)
    if format == "svg":
        return render_svg(documents, heading, theme, width)
    return render_html(documents, heading, page, theme)
