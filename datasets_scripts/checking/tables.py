"""What both renderers show: short rows made from the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datasets_scripts.checking.facts import DataCheck, LabelCounts

WIDEST_BAR = 15  # widths beyond it share a bar, as do lengths beyond the last border
_LENGTH_BORDERS = (10, 20, 30, 40, 50, 75, 100, 200)


def width_bars(facts: DataCheck) -> list[tuple[str, int]]:
    """Entities by width: one bar for each width, from 1 to the limit or the widest, at most `WIDEST_BAR`."""
    widest = max(facts.widths, default=1)
    last = min(max(widest, min(facts.max_span_width, 5)), WIDEST_BAR)
    bars = [(str(width), facts.widths.get(width, 0)) for width in range(1, last + 1)]
    beyond = sum(count for width, count in facts.widths.items() if width > last)
    return [*bars, (f">{last}", beyond)] if beyond else bars


def length_bars(lengths: Mapping[int, int]) -> list[tuple[str, int]]:
    """Rows by length in words, in classes.

    >>> length_bars({3: 2, 10: 1, 11: 5})
    [('1–10', 3), ('11–20', 5)]
    """
    bars = []
    low = 0
    longest = max(lengths, default=0)
    for border in (*_LENGTH_BORDERS, longest):
        if low >= longest:
            break
        name = f"{low + 1}–{border}" if border <= _LENGTH_BORDERS[-1] else f">{low}"
        bars.append((name, sum(count for length, count in lengths.items() if low < length <= border)))
        low = border
    return bars


def label_state(label: LabelCounts, splits: Sequence[str], rare: int) -> str:
    """What to say of a label: "untrained", "rare", "unused", or nothing."""
    if not label.total:
        return "unused"
    if "train" not in splits:
        return ""
    trained = label.counts.get("train", 0)
    return "untrained" if not trained else "rare" if trained < rare else ""
