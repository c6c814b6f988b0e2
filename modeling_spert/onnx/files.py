"""The files of an export: their names, and the record of the weights and settings that they were made from."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.shared.digests import file_sha256
from modeling_spert.shared.json_files import read_object

SPANS, RELATIONS, SPANS_INT8, RECORD = "spans.onnx", "relations.onnx", "spans_int8.onnx", "export.json"
FOLDER = "onnx"

EXTERNAL = ".data"  # ONNX puts the weights of a large model into a file next to the graph

FILES = (RECORD, *(f"{name}{suffix}" for name in (SPANS, RELATIONS, SPANS_INT8) for suffix in ("", EXTERNAL)))

# Every file that an export may write: its path in a model folder and in a repository.
EXPORTED = tuple(f"{FOLDER}/{name}" for name in FILES)

# Settings that the graphs were made for.
SETTINGS = (
    *("entity_types", "relation_types", "max_span_width", "span_pooling", "relation_context"),
    *("width_table_size", "max_window_length", "word_features", "span_borders", "type_pairs", "pair_product"),
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


def write_record(graphs: Path, weights: Mapping[str, str], config: SpertConfig) -> None:
    """Write the record of an export into the folder of its graphs: what they were made from, and their digests."""
    record = {
        "weights": dict(weights),
        "settings": {name: getattr(config, name) for name in SETTINGS},
        "graphs": _graph_digests(graphs),
    }
    (graphs / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def read_export(folder: Path, config: SpertConfig) -> dict[str, str]:
    """Check that the graphs are the ones that were exported, from the settings and the weights next to them.

    Args:
        folder: Model folder. Weights and graphs that it does not hold are not compared.
        config: Its configuration.

    Returns:
        SHA-256 of each file of weights that the graphs were made from.

    Raises:
        ValueError: If they are not, or the export is not complete.
    """
    graphs = folder / FOLDER
    again = "export them again with python -m modeling_spert.onnx FOLDER"
    try:
        record = read_object(graphs / RECORD)
    except ValueError as error:
        raise ValueError(f"the graphs in {graphs} are not complete ({error}): {again}") from error
    weights, settings, digests = (record.get(part) for part in ("weights", "settings", "graphs"))
    if not (isinstance(weights, dict) and isinstance(settings, dict) and isinstance(digests, dict)):
        raise ValueError(f"{graphs / RECORD} lacks the weights, the settings or the graphs of an export: {again}")
    # An older export was made without the settings that came later: their default is that nothing is done.
    published = SpertConfig()
    changed = [name for name in SETTINGS if settings.get(name, getattr(published, name)) != getattr(config, name)]
    if changed:
        raise ValueError(f"the graphs in {graphs} were made with another {' and '.join(changed)}: {again}")
    found = weight_digests(folder)
    if found and found != weights:
        raise ValueError(f"the graphs in {graphs} were made from other weights than those next to them: {again}")
    altered = [name for name, digest in _graph_digests(graphs).items() if digest != digests.get(name)]
    if altered:
        raise ValueError(f"{', '.join(altered)} in {graphs} is not the file that was exported: {again}")
    return weights


def _graph_digests(graphs: Path) -> dict[str, str]:
    return {name: file_sha256(graphs / name) for name in FILES if name != RECORD and (graphs / name).is_file()}


def weight_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of weights, which is also what the Hub announces for it."""
    return {path.name: file_sha256(path) for path in sorted(folder.glob("model*.safetensors"))}
