"""The colours of every page, light and dark: twelve for labels and those of the page itself; which label has which."""

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Color(NamedTuple):
    """A hue in three strengths: the ground of text, text on that or on the page, and a line on the page."""

    fill: str
    text: str
    line: str


# Equal lightness within a column (OKLCH), so that no label looks more important than another. Contrast is tested.
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


class Page(NamedTuple):
    """The colours of what is not annotated: paper, card, ink, faint ink, hairlines."""

    paper: str
    card: str
    ink: str
    faint: str
    rule: str


LIGHT_PAGE = Page("#f6f7f9", "#ffffff", "#1b2430", "#5a6675", "#dfe3e8")
DARK_PAGE = Page("#0f1419", "#171d24", "#e4e9ef", "#9aa7b5", "#2c353f")

Colors = tuple[dict[str, int], dict[str, int]]  # of entity labels and of relation labels, as indices


def assign_colors(entity_labels: Iterable[str], relation_labels: Iterable[str] = ()) -> Colors:
    """The index of each label's colour, from 0 to 11, of entity labels and of relation labels.

    A label's hash says which, so that a label has the same colour on every page; labels that want one colour get the
    next free one, in alphabetical order, entity labels first, and two share one only where there are more labels than
    colours.

    >>> assign_colors(["Person", "Place"], ["lives_in"])
    ({'Person': 4, 'Place': 9}, {'lives_in': 8})
    """
    free = set(range(len(LIGHT)))
    taken: list[dict[str, int]] = []
    for labels in (entity_labels, relation_labels):
        colors: dict[str, int] = {}
        for label in sorted(set(labels)):
            free = free or set(range(len(LIGHT)))
            wanted = zlib.crc32(label.encode("utf-8", "replace")) % len(LIGHT)
            colors[label] = min(free, key=lambda index: (index - wanted) % len(LIGHT))
            free.remove(colors[label])
        taken.append(colors)
    return taken[0], taken[1]


def named_colors(page: Page, colors: Sequence[Color]) -> dict[str, str]:
    """The colours of a theme by name: those of the page, and `f0`, `t0`, `k0` (fill, text, line), ….

    >>> list(named_colors(LIGHT_PAGE, LIGHT[:1]))
    ['paper', 'card', 'ink', 'faint', 'rule', 'f0', 't0', 'k0']
    """
    named = dict(page._asdict())
    for index, color in enumerate(colors):
        named |= {f"f{index}": color.fill, f"t{index}": color.text, f"k{index}": color.line}
    return named


def theme_variables(theme: str) -> str:
    """The CSS custom properties of a theme, "light" or "dark": `--paper`, …, `--f0`, `--t0`, `--k0`, …."""
    named = named_colors(DARK_PAGE, DARK) if theme == "dark" else named_colors(LIGHT_PAGE, LIGHT)
    return ";".join(f"--{name}:{value}" for name, value in named.items())


def color_classes(scope: str = "") -> str:
    """The CSS classes `c0` to `c11`, below `scope`: each sets `--f`, `--t` and `--k` to its colour."""
    return "\n".join(f"{scope}.c{i}{{--f:var(--f{i});--t:var(--t{i});--k:var(--k{i})}}" for i in range(len(LIGHT)))
