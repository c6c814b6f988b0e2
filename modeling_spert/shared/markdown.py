"""Markdown text that quotes what others wrote, and Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def escape(value: Any) -> str:
    r"""A value as Markdown text: no markup, no HTML, one line.

    >>> escape("Live_In | <b>`x`")
    'Live\\_In \\| \\<b\\>\\`x\\`'
    """
    line = " ".join(str(value).split())
    return "".join(f"\\{character}" if character in r"\`*_{}[]<>#|~&!" else character for character in line)


def table(head: Sequence[Any], rows: Sequence[Sequence[Any]], *, align: bool = False) -> str:
    """A Markdown table; cells are text already escaped.

    Args:
        head: Titles of the columns.
        rows: As many cells each.
        align: Pad the cells, for a table that is read as it is.

    >>> print(table(["a", "b"], [[1, 2]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    >>> print(table(["a", "b"], [[100, 2]], align=True))
    | a   | b |
    |-----|---|
    | 100 | 2 |
    """
    lines = [[str(cell) for cell in line] for line in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) if align else 1 for column in range(len(head))]
    written = [
        "| " + " | ".join(cell.ljust(width) if align else cell for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "".join("-" * (width + 2) + "|" for width in widths)
    return "\n".join([written[0], rule, *written[1:]])
