"""Estimates of how wide text is, without a font: Helvetica's published widths, which Arial and Liberation Sans share.

HTML needs them only to keep space for labels that are wider than what they label; the browser lays the text out. SVG,
whose every piece of text has to be placed, states the estimate as the piece's `textLength`, so that any font fits.
"""

import unicodedata
from functools import lru_cache

# Advance widths of U+0020 to U+007E in thousandths of an em.
_ASCII = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278
584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944
667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500
278 556 500 722 500 500 500 334 260 334 584
"""
_WIDTHS = {chr(0x20 + i): int(width) / 1000 for i, width in enumerate(_ASCII.split())}
_NARROW = ((0x0590, 0x05FF, 0.52), (0x0600, 0x08FF, 0.42), (0xFB50, 0xFEFF, 0.42), (0x0900, 0x0EFF, 0.52))  # by script
_BOLD = 1.08  # bold letters are wider by about this factor


@lru_cache(maxsize=4096)
def _char_width(char: str) -> float:
    if char in _WIDTHS:
        return _WIDTHS[char]
    if is_mark(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0 if ord(char) < 0x1F000 else 1.3  # pictures are wider than ideographs
    base = unicodedata.normalize("NFD", char)[0]
    script = next((width for first, last, width in _NARROW if first <= ord(base) <= last), 0.6)
    return _WIDTHS.get(base, script)


def is_mark(char: str) -> bool:
    """Whether a character joins the one before it: an accent, a variation selector, a skin tone, a joiner."""
    return unicodedata.category(char) in ("Mn", "Me", "Mc", "Cf") or 0x1F3FB <= ord(char) <= 0x1F3FF


def text_width(text: str, size: float = 1.0, bold: bool = False) -> float:
    """The width of a text in the unit of `size`, the font's size.

    >>> round(text_width("Oslo", size=16), 2)
    32.9
    """
    return sum(map(_char_width, text)) * size * (_BOLD if bold else 1.0)


def text_direction(text: str) -> str | None:
    """The direction of the first letter that has one: "ltr", "rtl", or None.

    >>> text_direction("42 שלום")
    'rtl'
    """
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind == "L":
            return "ltr"
        if kind in ("R", "AL"):
            return "rtl"
    return None


LONGEST_NAME = 80  # characters: of what is quoted in a list or a title


def shorten(text: str, longest: int = LONGEST_NAME) -> str:
    """The text on one line, at most `longest` characters of it, with an ellipsis where something was cut.

    >>> shorten("Harbour Institute of Norvane", 12)
    'Harbour Ins…'
    """
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def fit(text: str, width: float) -> str:
    """The text on one line, at most `width` em of it in bold letters, with an ellipsis where something was cut.

    >>> fit("Harbour Institute of Norvane", 8)
    'Harbour Institu…'
    """
    text = shorten(text, 1000)
    if text_width(text, bold=True) <= width:
        return text
    reached = text_width("…", bold=True)
    for at, char in enumerate(text):
        reached += text_width(char, bold=True)
        if reached > width:
            return text[:at] + "…"
    return text
