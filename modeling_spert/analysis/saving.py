"""Stores thresholds in a saved model."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from modeling_spert.analysis.sweeps import Thresholds
from modeling_spert.configuration_spert import check_setting


def save_thresholds(folder: str | os.PathLike[str], thresholds: Thresholds) -> Path:
    """Write thresholds into the `config.json` of a model's folder, and leave all else in it as it is.

    Args:
        folder: A saved SpERT model.
        thresholds: Of `best_thresholds`.

    Returns:
        The path of `config.json`.

    Raises:
        FileNotFoundError: The folder holds no `config.json`.
        ValueError: It is not a SpERT model's, or a threshold is not a probability.
    """
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no config.json: it is not the folder of a saved model")
    config = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(config, dict) or config.get("model_type") != "spert":
        raise ValueError(f"{path} is not the configuration of a SpERT model")
    check_setting("relation_threshold", thresholds.relation_threshold)
    config["relation_threshold"] = thresholds.relation_threshold
    if thresholds.entity_threshold is not None:
        check_setting("entity_threshold", thresholds.entity_threshold)
    if thresholds.entity_threshold is not None or "entity_threshold" in config:
        config["entity_threshold"] = thresholds.entity_threshold
    _replace(path, json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    return path


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, with the permissions it had."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode & 0o777)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
