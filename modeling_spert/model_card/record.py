"""What a training run left in a model folder. Cards are made from it.

The files are config.json, eval_results.json, metrics.jsonl and card_example.json.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers.utils import logging

from modeling_spert.model_card.example import CardExample, read_example
from modeling_spert.shared.json_files import parse_json, read_object
from modeling_spert.shared.links import file_inside

logger = logging.get_logger(__name__)

_CONFIG_FIELDS = {"entity_types": list, "relation_types": list, "max_span_width": int, "backbone_config": dict}
# By kind of a line in metrics.jsonl.
_LINE_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "run": {"data": dict, "arguments": dict, "versions": dict},
    "train": {"step": int, "loss": (int, float)},
    "eval": {"step": int},
}
_SPLIT_FIELDS = {
    **dict.fromkeys(("sentences", "entities", "relations", "without_relations", "wide_entities"), int),
    "revision": str,
}


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
        example: A text with the model's answer, if there is one.
    """

    config: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Any] | None = None
    losses: tuple[tuple[int, float], ...] = ()
    evaluations: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    example: CardExample | None = None

    @property
    def scores(self) -> dict[str, Mapping[str, float]]:
        """The scores by split, those of `results` first; empty if the model was not scored."""
        if self.results is None:
            return {}
        return {self.results.get("split") or "": self.results["scores"], **self.results.get("other_splits", {})}


def read_record(folder: Path, records: Path | None = None) -> RunRecord:
    """The record in a model folder, as much of it as there is.

    Lines of metrics.jsonl that are malformed are left out with a warning. Links that lead out of the folder are not
    followed.

    Args:
        folder: The model folder.
        records: Where eval_results.json and metrics.jsonl are, if not there.

    Raises:
        ValueError: If the folder holds no model, or a file in it is malformed; the message names it.
    """
    if not folder.exists():
        raise ValueError(f"{folder}: no such folder")
    config = _read_json(folder / "config.json")
    if config is None or config.get("model_type") != "spert":
        raise ValueError(f"{folder} does not hold a SpERT model: its config.json is missing or of another model")
    _check(folder / "config.json", config, _CONFIG_FIELDS)
    records = records or folder
    lines = _read_lines(records / "metrics.jsonl")
    runs = [line for line in lines if line["kind"] == "run"]
    run = runs[-1] if runs else {}
    evaluations = [line for line in lines if line["kind"] == "eval"]
    results = _read_json(records / "eval_results.json")
    if results is None:
        results = _evaluation_of_checkpoint(folder, evaluations)
    elif results:
        _check(records / "eval_results.json", results, {"scores": dict, "arguments": dict})
        others = results.setdefault("other_splits", {})
        _check(records / "eval_results.json", results, {"other_splits": dict})
        _check(f"{records / 'eval_results.json'}, other_splits", others, dict.fromkeys(others, dict))
    arguments = run.get("arguments") or (results or {}).get("arguments") or {}
    name = (results or {}).get("dataset")
    return RunRecord(
        config=config,
        data=run.get("data") or ({"name": name, "title": name} if name else {}),
        arguments={key: _without_folder(value) for key, value in arguments.items()},
        versions=run.get("versions", {}),
        results=results if results and results.get("scores") else None,
        losses=tuple((line["step"], line["loss"]) for line in lines if line["kind"] == "train"),
        evaluations=tuple((line["step"], line) for line in evaluations),
        example=read_example(folder),
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
    progress = (_read_json(folder / "training_state.json") or {}).get("progress")
    step = progress.get("step") if isinstance(progress, dict) else None
    for line in reversed(evaluations):
        if line["step"] == step:
            scores = {name: value for name, value in line.items() if name not in ("kind", "step", "split", "time")}
            return {"split": line.get("split"), "step": step, "scores": scores}
    return None


def _read_json(path: Path) -> dict[str, Any] | None:
    return read_object(path) if file_inside(path.parent, path) else None


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSON Lines file that are of a known kind; a kill may have cut the last one."""
    if not file_inside(path.parent, path):
        return []
    lines = []
    for line_number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            line = parse_json(f"{path}, line {line_number}", text)
            if isinstance(line, dict) and line.get("kind") in _LINE_FIELDS:
                _check(f"{path}, line {line_number}", line, _LINE_FIELDS[line["kind"]])
                _check_data(f"{path}, line {line_number}", line.get("data") or {})
                lines.append(line)
        except ValueError as error:
            logger.warning(f"{error}; the line was left out")
    return lines


def _check_data(where: str, data: Mapping[str, Any]) -> None:
    """Check the facts about the data that a run's line holds."""
    if data:
        _check(where, data, {"title": str})
    for split in ("train", "eval"):
        if data.get(split) is not None:
            _check(f"{where}, {split}", data[split], _SPLIT_FIELDS)


def _check(where: str | Path, content: Any, fields: Mapping[str, Any]) -> None:
    for name, kind in fields.items():
        value = content.get(name) if isinstance(content, dict) else None
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f"{where}: {name} is missing or malformed, got {value!r:.80}")
