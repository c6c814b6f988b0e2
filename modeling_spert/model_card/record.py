"""What a training run left in a model folder: config.json, eval_results.json, metrics.jsonl. Cards are made from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers.utils import logging

from modeling_spert.shared.json_files import read_object

logger = logging.get_logger(__name__)


@dataclass(frozen=True)
class RunRecord:
    """The record of a run.

    Attributes:
        config: The model's configuration as saved.
        data: What the run was trained on, from `datasets_scripts.data_facts`; empty if not recorded.
        arguments: Arguments of the training script; empty if not recorded.
        versions: Library -> version.
        results: `dataset`, `split`, `step` and `scores` of the model in the folder; None if it was not scored.
        losses: (step, loss) in order.
        evaluations: (step, scores) in order.
    """

    config: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Any] | None = None
    losses: tuple[tuple[int, float], ...] = ()
    evaluations: tuple[tuple[int, Mapping[str, Any]], ...] = ()


def read_record(folder: Path, records: Path | None = None) -> RunRecord:
    """The record in a model folder, as much of it as there is.

    Args:
        folder: The model folder.
        records: Where eval_results.json and metrics.jsonl are, if not there.

    Raises:
        ValueError: If there is no model, or a file is not JSON.
    """
    config = _read_json(folder / "config.json")
    if config is None or config.get("model_type") != "spert":
        raise ValueError(f"{folder} does not hold a SpERT model: its config.json is missing or of another model")
    records = records or folder
    lines = _read_lines(records / "metrics.jsonl")
    runs: list[dict[str, Any]] = [line for line in lines if line.get("kind") == "run"]
    run = runs[-1] if runs else {}
    evaluations = [line for line in lines if line.get("kind") == "eval"]
    results = _read_json(records / "eval_results.json")
    if results is None:
        results = _evaluation_of_checkpoint(folder, evaluations)
    arguments = run.get("arguments") or (results or {}).get("arguments") or {}
    name = (results or {}).get("dataset")
    return RunRecord(
        config=config,
        data=run.get("data") or ({"name": name, "title": name} if name else {}),
        arguments={key: _without_folder(value) for key, value in arguments.items()},
        versions=run.get("versions", {}),
        results=results if results and results.get("scores") else None,
        losses=tuple((line["step"], line["loss"]) for line in lines if line.get("kind") == "train"),
        evaluations=tuple((line["step"], line) for line in evaluations),
    )


def _without_folder(value: Any) -> Any:
    """An argument as a card may show it: older records name folders of the machine that trained.

    >>> _without_folder("/home/ada/encoder"), _without_folder("bert-base-cased"), _without_folder(3)
    ('local folder encoder', 'bert-base-cased', 3)
    """
    if isinstance(value, str) and os.path.isabs(os.path.expanduser(value)):
        return f"local folder {os.path.basename(value.rstrip(os.sep))}"
    return value


def _evaluation_of_checkpoint(folder: Path, evaluations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The scores of a training checkpoint, if it was scored at the very step it was saved at."""
    state = _read_json(folder / "training_state.json") or {}
    step = state.get("progress", {}).get("step")
    for line in reversed(evaluations):
        if line["step"] == step:
            scores = {name: value for name, value in line.items() if name not in ("kind", "step", "split", "time")}
            return {"split": line.get("split"), "step": step, "scores": scores}
    return None


def _read_json(path: Path) -> dict[str, Any] | None:
    return read_object(path) if path.is_file() else None


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSON Lines file; a kill may have cut the last one."""
    if not path.is_file():
        return []
    lines = []
    for line_number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            lines.append(json.loads(text))
        except ValueError:
            logger.warning(f"{path}, line {line_number} is not JSON and was left out")
    return [line for line in lines if isinstance(line, dict)]
