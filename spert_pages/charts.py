"""Charts as inline SVG: no script, no font, colours from the page's style sheet, so that dark pages work too."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 14, 42, 40


@dataclass(frozen=True)
class Line:
    """A line of a chart: its name, its points (x in 0..1, y in percent) and the class of its colour."""

    name: str
    points: tuple[tuple[float, float], ...]
    css: str


@dataclass(frozen=True)
class Marker:
    """A vertical line at x with a word at its top, and a dot at (x, y) where y is given."""

    x: float
    label: str
    y: float | None = None
    css: str = ""


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions whose score is in `[low, high)`: how many, their mean score, and the share that is right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def _x(value: float) -> str:
    return f"{_LEFT + value * (_WIDTH - _LEFT - _RIGHT):.1f}"


def _y(percent: float) -> str:
    return f"{_TOP + (1 - percent / 100) * (_HEIGHT - _TOP - _BOTTOM):.1f}"


def draw_lines(title: str, x_label: str, lines: Sequence[Line], markers: Sequence[Marker] = ()) -> Markup:
    """Lines over the unit interval, in percent; the names of the lines are a legend below.

    Args:
        title: What a screen reader says of the chart.
        x_label: The horizontal axis.
        lines: The lines.
        markers: Vertical lines, such as a threshold.
    """
    drawn = [
        Markup('<polyline class="line {}" points="{}"/>').format(
            line.css, " ".join(f"{_x(x)},{_y(y)}" for x, y in line.points)
        )
        for line in lines
        if line.points
    ]
    places = [part for level, marker in enumerate(markers) for part in _draw_marker(marker, level)]
    places.sort(key=lambda part: part.startswith("<text"))  # words over lines
    legend = Markup().join(Markup('<li class="{}">{}</li>').format(line.css, line.name) for line in lines)
    return Markup('<figure class="chart">{}<ul class="key">{}</ul></figure>').format(
        _frame(title, x_label, "percent", Markup().join([*drawn, *places])), legend
    )


def _draw_marker(marker: Marker, level: int) -> list[Markup]:
    dot = (
        Markup()
        if marker.y is None
        else Markup('<circle class="{}" cx="{}" cy="{}" r="4.5"/>').format(marker.css, _x(marker.x), _y(marker.y))
    )
    height = _TOP - 8 - 15 * level  # above the curves, one marker's label above the other's
    label = Markup('<text class="{}" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        f"note {marker.css}", _x(marker.x), height, marker.label
    )
    line = Markup('<line class="marker {}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        marker.css, _x(marker.x), _x(marker.x), height + 4, _HEIGHT - _BOTTOM
    )
    return [line, dot, label]


def draw_reliability(title: str, bins: Sequence[ReliabilityBin]) -> Markup:
    """A reliability diagram: how many of the predictions with a score are right, against the score.

    Args:
        title: What a screen reader says of the chart.
        bins: From low to high; empty ones are left out of the picture.
    """
    filled = [item for item in bins if item.count]
    most = max((item.count for item in filled), default=1)
    parts = [Markup('<line class="diagonal" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(_x(0), _y(0), _x(1), _y(100))]
    for item in filled:
        gap = (item.high - item.low) * 0.08
        left, right, top = _x(item.low + gap), _x(item.high - gap), _y(100 * item.accuracy)
        width = f"{float(right) - float(left):.1f}"
        weight = 0.25 + 0.75 * item.count / most
        parts.append(
            Markup(
                '<rect class="bar" x="{}" y="{}" width="{}" height="{}" style="--o:{}"><title>{}</title></rect>'
                '<line class="mean" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="count" x="{}" y="{}">{}</text>'
            ).format(
                left,
                top,
                width,
                f"{float(_y(0)) - float(top):.1f}",
                f"{weight:.2f}",
                f"score {item.low:.1f} to {item.high:.1f}: {item.count} predictions, "
                f"{100 * item.accuracy:.0f} % right, mean score {item.confidence:.2f}",
                left,
                right,
                _y(100 * item.confidence),
                _y(100 * item.confidence),
                f"{(float(left) + float(right)) / 2:.1f}",
                f"{float(_y(0)) - 6:.1f}",
                item.count,
            )
        )
    frame = _frame(title, "score", "percent right", Markup().join(parts))
    return Markup('<figure class="chart">{}</figure>').format(frame)


def draw_bars(title: str, x_label: str, bars: Sequence[tuple[str, int]], limit: int | None = None) -> Markup:
    """Vertical bars of counts, such as widths.

    Args:
        title: What a screen reader says of the chart.
        x_label: The horizontal axis.
        bars: A short name and a count for each.
        limit: Index of the first bar drawn as beyond a limit; None: no limit.
    """
    most = max((count for _, count in bars), default=0) or 1
    step = 1 / max(len(bars), 1)
    parts = []
    for index, (name, count) in enumerate(bars):
        left, right, top = _x((index + 0.12) * step), _x((index + 0.88) * step), _y(92 * count / most)
        middle = f"{(float(left) + float(right)) / 2:.1f}"
        beyond = "beyond" if limit is not None and index >= limit else ""
        parts.append(
            Markup(
                '<rect class="bar {}" x="{}" y="{}" width="{}" height="{}"/>'
                '<text class="count" x="{}" y="{}">{}</text><text class="name" x="{}" y="{}">{}</text>'
            ).format(
                beyond,
                left,
                top,
                f"{float(right) - float(left):.1f}",
                f"{float(_y(0)) - float(top):.1f}",
                middle,
                f"{float(top) - 4:.1f}",
                count if count else "",
                middle,
                _HEIGHT - _BOTTOM + 15,
                name,
            )
        )
    axis = Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_x(0), _x(1), _y(0), _y(0))
    text = Markup('<text class="label" x="{}" y="{}">{}</text>').format(_x(0.5), _HEIGHT - 6, x_label)
    return Markup('<figure class="chart">{}</figure>').format(_svg(title, Markup().join([axis, *parts, text])))


def _frame(title: str, x_label: str, y_label: str, content: Markup) -> Markup:
    """Axes, a light grid, and the content over it."""
    grid = []
    for tick in range(0, 101, 20):
        grid.append(
            Markup(
                '<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><text class="tick" x="{3}" y="{2}">{4}</text>'
                '<text class="name" x="{5}" y="{6}">{7}</text>'
            ).format(
                _x(0), _x(1), _y(tick), _LEFT - 8, tick, _x(tick / 100), _HEIGHT - _BOTTOM + 15, f"{tick / 100:.1f}"
            )
        )
    labels = Markup('<text class="label" x="{}" y="{}">{}</text><text class="unit" x="{}" y="{}">{}</text>').format(
        _x(0.5), _HEIGHT - 6, x_label, 0, _TOP - 14, y_label
    )
    return _svg(title, Markup().join([*grid, content, labels]))


def _svg(title: str, content: Markup) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, title, content
    )
