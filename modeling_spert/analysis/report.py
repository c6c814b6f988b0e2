"""The analysis as one self-contained HTML report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from modeling_spert.analysis.analysis import Analysis
from modeling_spert.analysis.errors import ENTITY_KINDS
from modeling_spert.analysis.sweeps import Sweep, SweepPoint
from modeling_spert.analysis.views import Colors, KindView, view_error, view_kinds, view_sentences
from modeling_spert.evaluation.conventions import CONVENTIONS
from spert_pages import Line, Marker, assign_colors, draw_lines, draw_reliability, render_page, write_text

_MOST_REPEATED = 15
MOST_ERRORS = 30  # of a kind, in the report; the analysis holds them all


def write_report(analysis: Analysis, path: str | os.PathLike[str], max_per_kind: int = MOST_ERRORS) -> Path:
    """Write the report of `render_report`, whole or not at all, and return its path."""
    return write_text(render_report(analysis, max_per_kind), path)


def render_report(analysis: Analysis, max_per_kind: int = MOST_ERRORS) -> str:
    """The report's text. Nothing in it is fetched; a script only filters the list of errors, and all works without.

    Args:
        analysis: Of `analyse`.
        max_per_kind: Most errors of a kind that are shown, the most confident first. The report says how many there
            are; its size does not grow with the data.
    """
    colors = _colors(analysis)
    kinds = view_kinds(analysis, colors, max_per_kind)
    candidates = _candidates(analysis, colors, max_per_kind)
    gone = _gone(analysis, colors, max_per_kind)
    shown = [view for kind in kinds for view in kind.shown]
    known = {view.error for view in shown}
    shown += [view for view in candidates if view.error not in known]
    return render_page(
        "modeling_spert.analysis",
        "report.html",
        style="report.css",
        script="report.js",
        analysis=analysis,
        colors=colors,
        conventions=[(prefix, found.title, found.definition) for prefix, found in CONVENTIONS.items()],
        measures=("precision", "recall", "f1"),
        types={prefix: _types_of(analysis, prefix) for prefix in CONVENTIONS},
        kinds=kinds,
        repeated=analysis.repeated[:_MOST_REPEATED],
        kind_names={key: name for key, (name, _) in ENTITY_KINDS.items()},
        most=_most(kinds),
        candidates=candidates,
        num_candidates=sum(error.candidate for error in analysis.errors),
        gone=gone,
        sentences=view_sentences(analysis, colors, shown, [view.error.row for view in gone]),
        max_per_kind=max_per_kind,
        charts=_charts(analysis),
        best_thresholds=best_thresholds_text(analysis),
        slices=_slices(analysis),
    )


def best_thresholds_text(analysis: Analysis) -> str:
    """The best thresholds and what they bring, in a line: the same for the console and the report."""
    best, scores = analysis.best_thresholds, analysis.scores
    flags = [("entity", best.entity_threshold, analysis.best_entities)]
    flags += [("relation", best.relation_threshold, analysis.best_relations)]
    found = " ".join(f"--{name}_threshold {value:.2f}" for name, value, point in flags if point and value is not None)
    gains = [
        f"{title} {point.f1:.1f} (now {scores[f'{prefix}_f1_micro']:.1f})"
        for title, prefix, point in (
            ("entities", "ner", analysis.best_entities),
            ("strict relations", "rel_strict", analysis.best_relations),
        )
        if point
    ]
    where = f"on {analysis.names['data']} ({len(analysis.rows)} {analysis.names['unit']}s)"
    relations = analysis.best_relations
    loses = relations is not None and relations.f1 < scores["rel_strict_f1_micro"]
    note = ". Best for entities: relations lose by it" if loses else ""
    text = f"Best thresholds {where}: {found or 'none, the best class wins'}. F1: {', '.join(gains)}{note}"
    return text if gains else ""


def _colors(analysis: Analysis) -> Colors:
    """Colours of all types, also of those that only the baseline predicted."""
    gone = analysis.comparison.gone if analysis.comparison is not None else ()
    labels: dict[str, dict[str, None]] = {
        "entity": dict.fromkeys(analysis.entity_confusion.labels),
        "relation": dict.fromkeys(analysis.relation_confusion.labels),
    }
    for error in gone:
        labels[error.level].update((item.type, None) for item in (error.gold, error.predicted) if item is not None)
    entities, relations = labels["entity"], labels["relation"]
    return Colors((*entities, *relations), *assign_colors(entities, relations))


def _types_of(analysis: Analysis, prefix: str) -> list[str]:
    """The types of a convention that occur in gold or predictions."""
    start = f"{prefix}_f1/"
    names = [key.removeprefix(start) for key in analysis.scores if key.startswith(start)]
    return [n for n in names if analysis.scores[f"{prefix}_support/{n}"] or analysis.scores[f"{prefix}_predicted/{n}"]]


def _most(kinds: Sequence[KindView]) -> int:
    return max((kind.count for kind in kinds), default=1)


def _candidates(analysis: Analysis, colors: Colors, most: int) -> list[Any]:
    """Candidates for a missing annotation: those with evidence first, then the most confident."""
    chosen = [(i, error) for i, error in enumerate(analysis.errors) if error.candidate]
    chosen.sort(key=lambda item: (-item[1].evidence, -(item[1].score or 0.0), item[0]))
    return [view_error(analysis, colors, error, f"c{i}") for i, error in chosen[:most]]


def _gone(analysis: Analysis, colors: Colors, most: int) -> list[Any]:
    if analysis.comparison is None:
        return []
    errors = analysis.comparison.gone[:most]
    return [view_error(analysis, colors, error, f"g{i}") for i, error in enumerate(errors)]


def _charts(analysis: Analysis) -> dict[str, Markup]:
    charts = {}
    sweeps = (
        ("entity", analysis.entity_sweep, analysis.best_entities, True),
        # The best relation threshold is not on this curve if it goes with another entity threshold.
        ("relation", analysis.relation_sweep, analysis.best_relations, _is_entity_threshold_best(analysis)),
    )
    for name, sweep, best, on_curve in sweeps:
        if sweep is not None and best is not None:
            charts[f"{name}_sweep"] = _draw_sweep(sweep, best, on_curve, name)
    for name, calibration in (
        ("entity", analysis.entity_calibration),
        ("relation", analysis.relation_calibration),
    ):
        if calibration is not None and calibration.count:
            charts[f"{name}_calibration"] = draw_reliability(f"Reliability of {name} scores", calibration.bins)
    return charts


def _is_entity_threshold_best(analysis: Analysis) -> bool:
    return analysis.best_thresholds.entity_threshold == analysis.entity_threshold


def _draw_sweep(sweep: Sweep, best: SweepPoint, on_curve: bool, name: str) -> Markup:
    points = [point for point in sweep.points if point.threshold is not None]
    lines = [
        Line(
            measure if measure != "f1" else "F1",
            # Without predictions there is no precision: the line ends.
            tuple(
                (point.threshold or 0.0, getattr(point, measure))
                for point in points
                if point.predicted or measure != "precision"
            ),
            f"l{index}",
        )
        for index, measure in enumerate(("precision", "recall", "f1"))
    ]
    markers = []
    if best.threshold is not None:
        markers.append(Marker(best.threshold, f"best {best.threshold:.2f}", best.f1 if on_curve else None, "best"))
    if sweep.chosen.threshold is not None:
        markers.append(Marker(sweep.chosen.threshold, f"chosen {sweep.chosen.threshold:.2f}", sweep.chosen.f1))
    title = f"Precision, recall and F1 of {'entities' if name == 'entity' else 'strict relations'} by {name} threshold"
    return draw_lines(title, f"{name} threshold", lines, markers)


def _slices(analysis: Analysis) -> list[tuple[str, str, Any]]:
    parts = [
        ("Entities by width", "words", analysis.by_width),
        (f"Entities by length of the {analysis.names['unit']}", "words", analysis.entities_by_length),
        ("Relations by words between head and tail", "words", analysis.by_distance),
        (f"Relations by length of the {analysis.names['unit']}", "words", analysis.relations_by_length),
    ]
    return [part for part in parts if any(piece.support or piece.predicted for piece in part[2])]
