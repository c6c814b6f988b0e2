"""The curve of a training as a picture, where matplotlib is installed (the `plot` extra)."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modeling_spert.evaluation.conventions import CONVENTIONS


def draw_training_curve(
    losses: Sequence[tuple[int, float]], evaluations: Sequence[tuple[int, Mapping[str, Any]]], path: Path
) -> bool:
    """Draw the loss, and the scores if there are several evaluations, over the optimizer steps.

    Args:
        losses: (step, loss).
        evaluations: (step, scores in percent).
        path: PNG file to write.

    Returns:
        Whether it was written: that needs matplotlib and at least two losses.
    """
    if len(losses) < 2 or importlib.util.find_spec("matplotlib") is None:
        return False
    # Not pyplot, which would choose a window system and keep every figure.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    left = figure.add_subplot()
    left.plot(*zip(*losses, strict=True), color="tab:gray", label="training loss")
    left.set(xlabel="optimizer step", ylabel="training loss")
    if min(loss for _, loss in losses) > 0:
        left.set_yscale("log")
    handles = left.get_lines()
    if len(evaluations) > 1:
        right = left.twinx()
        right.set(ylabel="F1 (percent)", ylim=(0, 100))
        for prefix, convention in CONVENTIONS.items():
            key, label = f"{prefix}_f1_micro", convention.score_name("micro")
            points = [(step, scores[key]) for step, scores in evaluations if key in scores]
            if points:
                handles += right.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
    left.legend(handles=handles, loc="best", fontsize="small")
    figure.savefig(path, dpi=120, metadata={"Software": None})
    return True
