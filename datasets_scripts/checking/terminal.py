"""A check as text for a terminal, by rich."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from datasets_scripts.checking.facts import DataCheck, Finding, LabelCounts, Place
from datasets_scripts.checking.findings import RARE
from datasets_scripts.checking.tables import label_state, width_bars

_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold blue"}
_SIGNS = {"error": "✗", "warning": "!", "note": "i"}
_MAX_SIGNATURES = 30
_STATES = {"untrained": "yellow", "rare": "yellow", "unused": "dim"}


def render_check_text(check: DataCheck, width: int = 100, color: bool = False, max_places: int = 3) -> str:
    """The check as text.

    Args:
        check: What `check_dataset` found.
        width: Columns of the terminal.
        color: Whether to write ANSI colours; a program asks `sys.stdout.isatty()` for that.
        max_places: Most rows shown under each finding.
    """
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=color, color_system="standard" if color else None, highlight=False
    )
    console.print(Text(check.name, style="bold"))
    console.print(_splits_table(check))
    for title, labels in (("entity type", check.entity_labels), ("relation type", check.relation_labels)):
        if labels:
            console.print(_labels_table(title, labels, [split.name for split in check.splits]))
    console.print(_widths_line(check))
    if check.signatures:
        console.print(_signatures_table(check))
    console.print()
    for finding in check.findings:
        _print_finding(console, finding, max_places)
    console.print(_verdict(check))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _splits_table(check: DataCheck) -> Table:
    with_documents = any(split.documents for split in check.splits)
    names = ["rows", "words", "entities", "relations", "without entities", "without relations"]
    table = _table("split", *names, *(["documents"] if with_documents else []))
    for split in check.splits:
        counts = [split.rows, split.words, split.entities, split.relations]
        cells = [f"{count:,}" for count in counts]
        cells += [_share(split.without_entities, split.rows), _share(split.without_relations, split.rows)]
        table.add_row(Text(split.name), *cells, *([f"{split.documents or 0:,}"] if with_documents else []))
    return table


def _share(count: int, rows: int) -> str:
    return f"{count:,} ({100 * count / rows:.0f} %)" if rows else "0"


def _labels_table(title: str, labels: Sequence[LabelCounts], splits: Sequence[str]) -> Padding:
    table = _table(title, *splits, "")
    for label in labels:
        state = label_state(label, splits, RARE)
        counts = [f"{label.counts.get(split, 0):,}" for split in splits]
        table.add_row(Text(label.label), *counts, Text(state, style=_STATES.get(state, "")))
    return Padding(table, (1, 0, 0, 0))


def _widths_line(check: DataCheck) -> Padding:
    bars = ", ".join(f"{name}: {count:,}" for name, count in width_bars(check) if count) or "none"
    return Padding(Text.assemble(("entities by width in words   ", "dim"), bars), (1, 0, 0, 0))


def _signatures_table(check: DataCheck) -> Padding:
    table = _table("relation type", "head", "tail", "count", "")
    for signature in check.signatures[:_MAX_SIGNATURES]:
        odd = Text("odd?", style="yellow") if signature.odd else Text()
        cells = [Text(name) for name in (signature.relation, signature.head, signature.tail)]
        table.add_row(*cells, f"{signature.total:,}", odd)
    hidden = len(check.signatures) - _MAX_SIGNATURES
    if hidden > 0:
        table.add_row(Text(f"… and {hidden} more", style="dim"), "", "", "", "")
    return Padding(table, (1, 0, 0, 0))


def _print_finding(console: Console, finding: Finding, max_places: int) -> None:
    sign = Text(f"{_SIGNS[finding.severity]} {finding.severity}: ", style=_STYLES[finding.severity])
    console.print(Text.assemble(sign, finding.message))
    if finding.advice:
        console.print(Padding(Text(finding.advice), (0, 0, 0, 2)))
    for place in finding.places[:max_places]:
        console.print(Padding(Text(_place(place), style="dim"), (0, 0, 0, 2)), no_wrap=True, overflow="ellipsis")
    hidden = max(finding.count, len(finding.places)) - max_places
    if finding.places and hidden > 0:
        console.print(Padding(Text(f"… and {hidden:,} more", style="dim"), (0, 0, 0, 2)))


def _place(place: Place) -> str:
    name = f" ({place.orig_id})" if place.orig_id is not None else ""
    return f"{place.split}, row {place.row}{name}: {place.text}"


def _verdict(check: DataCheck) -> Text:
    counts = [(len(check.of_severity(severity)), severity) for severity in ("error", "warning", "note")]
    said = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts if count)
    return Text(said or "Nothing to report.", style="bold")
