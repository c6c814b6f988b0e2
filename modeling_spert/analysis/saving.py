"""Stores thresholds in a saved model."""

from __future__ import annotations

import json
import os
from pathlib import Path

from modeling_spert.analysis.sweeps import Thresholds
from modeling_spert.configuration_spert import check_setting
from spert_pages import write_text


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
    return write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", path)
