"""A check as one HTML page."""

from __future__ import annotations

import os
from pathlib import Path

from datasets_scripts.checking.facts import DataCheck
from datasets_scripts.checking.findings import RARE
from datasets_scripts.checking.tables import WIDEST_BAR, label_state, length_bars, width_bars
from spert_pages import assign_colors, draw_bars, render_page, write_text

_MAX_GROUPS = 50


def render_check_page(check: DataCheck) -> str:
    """The check as the text of a self-contained HTML page: nothing is fetched, there is no script."""
    splits = [split.name for split in check.splits]
    bars = width_bars(check)
    # The widest bars stand for all that is wider, so the limit may be within the last of them.
    limit = min(check.max_span_width, WIDEST_BAR)
    labels = (check.entity_labels, check.relation_labels)
    colors = assign_colors(*([label.label for label in level] for level in labels))
    return render_page(
        "datasets_scripts.checking",
        "check.html",
        check=check,
        splits=splits,
        entity_colors=colors[0],
        relation_colors=colors[1],
        states={
            label.label: label_state(label, splits, RARE) for label in (*check.entity_labels, *check.relation_labels)
        },
        most_entities=max((label.total for label in check.entity_labels), default=1) or 1,
        most_relations=max((label.total for label in check.relation_labels), default=1) or 1,
        width_chart=draw_bars("Entities by width", "width in words", bars, limit),
        length_chart=draw_bars("Rows by length", "length in words", length_bars(check.lengths)),
        groups=check.duplicates[:_MAX_GROUPS],
    )


def write_check(check: DataCheck, path: str | os.PathLike[str]) -> Path:
    """Write the page of `render_check_page`, and return its path."""
    return write_text(render_check_page(check), path)
