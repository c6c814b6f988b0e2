"""Offsets that count something other than Python's characters, turned into ones that do.

brat counts code points, JavaScript tools UTF-16 code units, and some read a line end of two characters as one. Where
the annotation quotes the text it marks, the counting that makes every quote right is found by trying.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

OffsetUnit = Literal["auto", "code-points", "utf-16"]
OFFSET_UNITS = ("auto", "code-points", "utf-16")


class Quoted(NamedTuple):
    """A span as the source counts it, and the text that the source says is there, or None."""

    start: int
    end: int
    text: str | None


class OffsetMap:
    """Positions of one counting in a text → Python's positions.

    Attributes:
        shifts: Whether UTF-16 is counted and makes a difference in this text.
    """

    def __init__(self, text: str, utf16: bool = False, one_per_line_end: bool = False):
        self.shifts = utf16 and any(char > "\uffff" for char in text)
        self._same = not self.shifts and not (one_per_line_end and "\r\n" in text)
        self._length = len(text)
        self._positions: dict[int, int] = {}
        if not self._same:
            count = 0
            for position, char in enumerate(text):
                self._positions[count] = position
                if one_per_line_end and char == "\r" and text[position + 1 : position + 2] == "\n":
                    continue
                count += 2 if utf16 and char > "\uffff" else 1
            self._positions[count] = len(text)

    def position(self, offset: int) -> int | None:
        """Python's position, or None where the offset is outside the text or inside a character."""
        if self._same:
            return offset if 0 <= offset <= self._length else None
        return self._positions.get(offset)


def choose_offsets(text: str, spans: Sequence[Quoted], unit: OffsetUnit, default_utf16: bool = False) -> OffsetMap:
    """The counting that fits: the one given, else the first under which most spans exist and their quotes are right.

    Args:
        text: The text.
        spans: The annotated spans as the source counts them.
        unit: "auto", or the counting that the user names.
        default_utf16: Whether "auto" tries UTF-16 code units first.
    """
    if unit != "auto":
        default_utf16 = unit == "utf-16"
    order = [default_utf16] if unit != "auto" else [default_utf16, not default_utf16]
    candidates = [OffsetMap(text, utf16, one) for one in (False, True) for utf16 in order]
    return max(candidates, key=lambda candidate: sum(fits(text, span, candidate) for span in spans))


def utf16_offset(text: str, position: int) -> int:
    r"""A position as JavaScript counts it.

    >>> utf16_offset("\U0001f600 fine", 2)
    3
    """
    return position + sum(char > "\uffff" for char in text[:position])


def fits(text: str, span: Quoted, offsets: OffsetMap) -> bool:
    """Whether the span exists in this counting and holds what it quotes, blanks apart."""
    start, end = offsets.position(span.start), offsets.position(span.end)
    if start is None or end is None or start > end:
        return False
    if span.text is None:
        return True
    # Label Studio writes a line end as a backslash and an n.
    return without_blanks(text[start:end].replace("\\n", "")) == without_blanks(span.text.replace("\\n", ""))


def without_blanks(text: str) -> str:
    """The text without blanks, as quotes are compared: tools write line ends in a quote in different ways."""
    return "".join(text.split())
