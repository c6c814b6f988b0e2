"""Twelve colours, each for a light and a dark page, and which label has which."""

import zlib
from collections.abc import Iterable
from typing import NamedTuple


class Color(NamedTuple):
    """A hue in three strengths: behind text, as text on that or on the page, and as a line on the page."""

    fill: str
    text: str
    line: str


# Equal lightness within a column (OKLCH), so that no label looks more important than another.
LIGHT = (
    Color("#cce4fe", "#024981", "#1f7dcf"),  # blue
    Color("#c7edc7", "#035814", "#33903c"),  # green
    Color("#ffd7cd", "#7f230b", "#c25237"),  # red
    Color("#e9d9fe", "#58307f", "#8f5fc0"),  # purple
    Color("#f5dfb0", "#5c4300", "#9a7407"),  # yellow
    Color("#aeeff2", "#035256", "#0f8b91"),  # cyan
    Color("#fed4e3", "#79204b", "#bb4e7f"),  # pink
    Color("#fed9bd", "#6b3900", "#b36303"),  # orange
    Color("#d9e0fd", "#363d8c", "#626fd2"),  # indigo
    Color("#dbe8b8", "#424e02", "#718509"),  # lime
    Color("#b7f0db", "#005541", "#048f70"),  # sea green
    Color("#fbd2f6", "#6c2768", "#aa55a4"),  # magenta
)
DARK = (
    Color("#16426b", "#cce4fe", "#67b0f9"),
    Color("#1e4b21", "#c5eec5", "#73c076"),
    Color("#652d1f", "#fed7cd", "#f18b71"),
    Color("#4a3363", "#e9d9fe", "#be95ec"),
    Color("#523c00", "#f7deac", "#d0a43a"),
    Color("#05494c", "#aaf0f4", "#11c2ca"),
    Color("#612a42", "#ffd4e3", "#ea86af"),
    Color("#5f3302", "#fedabd", "#e6964f"),
    Color("#333b6c", "#d8e0ff", "#93a3fc"),
    Color("#3a4604", "#dbe9b5", "#a0b751"),
    Color("#014c3a", "#b3f1da", "#3bc59e"),
    Color("#582d55", "#fdd1f8", "#d98cd2"),
)


def assign_colors(labels: Iterable[str]) -> dict[str, int]:
    """The index of each label's colour, from 0 to 11.

    A label's hash says which, so that a label has the same colour on every page; labels that want one colour get the
    next free one, in alphabetical order, and two share one only where there are more labels than colours.

    >>> assign_colors(["Person", "Place"])
    {'Person': 4, 'Place': 9}
    """
    free = set(range(len(LIGHT)))
    colors: dict[str, int] = {}
    for label in sorted(set(labels)):
        free = free or set(range(len(LIGHT)))
        wanted = zlib.crc32(label.encode("utf-8", "replace")) % len(LIGHT)
        colors[label] = min(free, key=lambda index: (index - wanted) % len(LIGHT))
        free.remove(colors[label])
    return colors


def theme_variables(colors: tuple[Color, ...]) -> str:
    """The CSS custom properties of one theme: `--f0`, `--t0`, `--k0` (fill, text, line), ….

    >>> theme_variables(LIGHT[:1])
    '--f0:#cce4fe;--t0:#024981;--k0:#1f7dcf'
    """
    return ";".join(f"--f{i}:{c.fill};--t{i}:{c.text};--k{i}:{c.line}" for i, c in enumerate(colors))
