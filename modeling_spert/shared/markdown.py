"""Markdown text that quotes what others wrote, and Markdown tables."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_MARKUP = re.compile(
    r"[\\`*_{}\[\]<>#|~&!@]"  # what Markdown or HTML reads as markup
    r"|:(?=//)|(?<=\w)\.(?=[^\W\d_])"  # what makes a link of a bare address: https://a.example, www.a.example
)
# Control characters, and those that turn the direction of the text after them.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def escape(value: Any) -> str:
    r"""A value as Markdown text: no markup, no HTML, no link, one line, no control characters.

    >>> escape("Live_In | <b>`x`")
    'Live\\_In \\| \\<b\\>\\`x\\`'
    >>> escape("see https://a.example, 0.5")
    'see https\\://a\\.example, 0.5'
    """
    return _MARKUP.sub(r"\\\g<0>", one_line(value))


def one_line(value: Any) -> str:
    """A value as text in one line, control characters replaced."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", " ".join(str(value).split()))


def quote(value: Any, indent: int | None = None) -> str:
    r"""A value as JSON that can be shown in a block of code: control characters are written as escapes.

    >>> quote("a\u202eb")
    '"a\\u202eb"'
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return re.sub(f"(?!\n){_CONTROLS.pattern}", lambda match: f"\\u{ord(match[0]):04x}", text)


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
