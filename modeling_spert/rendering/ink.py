"""Colours and text in SVG: attributes, which every program reads, and a style sheet for dark pages."""

from html import escape

from modeling_spert.rendering.text_width import text_width
from spert_pages.palette import DARK, DARK_PAGE, LIGHT, LIGHT_PAGE, named_colors


def number(value: float) -> str:
    """A coordinate, to a tenth.

    >>> number(3.04)
    '3'
    """
    return f"{value:.1f}".removesuffix(".0")


class Ink:
    """Draws in the colours of a theme, and remembers them for the style sheet that replaces them on a dark page."""

    def __init__(self, theme: str):
        self._auto = theme == "auto"
        self._dark = named_colors(DARK_PAGE, DARK)
        self._values = self._dark if theme == "dark" else named_colors(LIGHT_PAGE, LIGHT)
        self._used: set[tuple[str, str]] = set()

    def fill(self, name: str) -> str:
        """The attributes that fill something with a colour of the page, or with `f`, `t` or `k` and an index."""
        return self._paint("fill", name)

    def stroke(self, name: str) -> str:
        """The attributes that draw a line in a colour."""
        return self._paint("stroke", name)

    def _paint(self, property_: str, name: str) -> str:
        self._used.add((property_, name))
        return f'class="sp-{property_}-{name}" {property_}="{self._values[name]}"'

    def style(self) -> str:
        """The style sheet of the colours used; nothing where the theme is fixed."""
        if not self._auto:
            return ""
        rules = "".join(f".spert-svg .sp-{p}-{name}{{{p}:{self._dark[name]}}}" for p, name in sorted(self._used))
        return f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"

    def text(
        self, x: float, y: float, text: str, size: float, color: str, bold: bool = False, rtl: bool = False
    ) -> str:
        """A piece of text whose beginning is at `x`."""
        width = text_width(text, size, bold)
        more = ' font-weight="600"' if bold else ""
        more += ' direction="rtl"' if rtl else ""
        if width > 0:
            more += f' textLength="{number(width)}" lengthAdjust="spacingAndGlyphs"'
        place = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
        return f'<text {place} {self.fill(color)}{more} xml:space="preserve">{escape(text)}</text>'
