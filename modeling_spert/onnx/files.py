"""The files of an export: their names, and the record of the weights and settings that they were made from."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

from modeling_spert.configuration_spert import SpertConfig

SPANS, RELATIONS, SPANS_INT8, RECORD = "spans.onnx", "relations.onnx", "spans_int8.onnx", "export.json"
FOLDER = "onnx"

EXTERNAL = ".data"  # ONNX puts the numbers of large models into a file beside the graph

FILES = (RECORD, *(f"{name}{suffix}" for name in (SPANS, RELATIONS, SPANS_INT8) for suffix in ("", EXTERNAL)))

# Every file an export may write, as it is called in a model folder and in a repository.
EXPORTED = tuple(f"{FOLDER}/{name}" for name in FILES)

# Settings that the graphs were made for.
SETTINGS = (
    *("entity_types", "relation_types", "max_span_width", "span_pooling", "relation_context"),
    *("width_table_size", "max_window_length"),
)


def check_packages(names: Sequence[str]) -> None:
    """Raise ImportError where one of these packages, all of the extra `onnx`, is missing."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"ONNX needs {', '.join(missing)}: pip install 'modeling-spert[onnx]'")


def remove_export(folder: Path) -> None:
    """Remove the graphs from a model folder: its weights are about to change. The record goes first."""
    for name in EXPORTED:
        (folder / name).unlink(missing_ok=True)


def read_export(folder: Path, config: SpertConfig) -> dict[str, str]:
    """Check that graphs are of the settings and the weights beside them.

    Args:
        folder: Model folder. Weights that are not there are not compared.
        config: Its configuration.

    Returns:
        SHA-256 of the files of weights that the graphs were made of.

    Raises:
        ValueError: If they are not, or were not written to the end.
    """
    place = folder / FOLDER
    again = "export them again with python -m modeling_spert.onnx FOLDER"
    try:
        record = json.loads((place / RECORD).read_text(encoding="utf-8"))
        weights, settings = record["weights"], record["settings"]
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"the graphs in {place} are not complete ({error!r}): {again}") from error
    changed = [name for name in SETTINGS if settings.get(name) != getattr(config, name)]
    if changed:
        raise ValueError(f"the graphs in {place} were made with another {' and '.join(changed)}: {again}")
    found = weight_digests(folder)
    if found and found != weights:
        raise ValueError(f"the graphs in {place} were made from other weights than those next to them: {again}")
    return weights


def weight_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of weights, which is also what the Hub announces for it."""
    return {path.name: _sha256(path) for path in sorted(folder.glob("model*.safetensors"))}


def _sha256(path: Path) -> str:
    """`hashlib.file_digest`, which Python 3.10 does not have."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
