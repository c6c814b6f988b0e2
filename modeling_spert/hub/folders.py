"""What a folder may publish. Only files on a list of names are pushed, and no link leads out of the folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCard
from transformers.dynamic_module_utils import get_relative_imports

from modeling_spert.model_card.build import CARD_FILE, CURVE_FILE
from modeling_spert.model_card.example import EXAMPLE_FILE
from modeling_spert.onnx.files import EXPORTED
from modeling_spert.shared.json_files import read_object
from modeling_spert.shared.links import file_inside

_CONFIG, _WEIGHTS, _INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
# What else tokenizers of transformers save.
_MORE_TOKENIZER = (
    *("special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "vocab.txt", "vocab.json", "merges.txt"),
    *("spiece.model", "spm.model", "tokenizer.model", "sentencepiece.bpe.model"),
)
_RECORDS = (CARD_FILE, "eval_results.json", "metrics.jsonl", CURVE_FILE)
_METRIC_EXTRAS = (CARD_FILE, "requirements.txt")
_REPLACED = (".safetensors", ".safetensors.index.json", "_spert.py")
# What a training leaves in the folder and no push is expected to take.
_KNOWN_TO_STAY = ("predictions_", EXAMPLE_FILE, "training_state.", "last", ".push")


@dataclass(frozen=True)
class FolderContent:
    """What a folder publishes.

    Attributes:
        files: Path in the repository -> file, links resolved.
        left_out: Names of what stays here unexpectedly, each with the reason.
    """

    files: dict[str, Path]
    left_out: tuple[str, ...]


def missing_files(folder: Path) -> list[str]:
    """What a folder lacks to be loaded by a stranger: names of files, in order.

    Raises:
        ValueError: If it does not hold a SpERT model, or a file that says what belongs to it is malformed.
    """
    return [name for name in sorted(_needed_files(folder)) if not (folder / name).is_file()]


def model_content(folder: Path) -> FolderContent:
    """The files of a complete model folder that are pushed: those of a model, its card, its scores and its exports.

    Raises:
        ValueError: As `missing_files`; or if a file that the model needs is a link that leads out of the folder.
    """
    needed = _needed_files(folder)
    content = _collect(folder, [*needed, *_MORE_TOKENIZER, *_RECORDS, *EXPORTED])
    refused = sorted(name for name in needed if name not in content.files)
    if refused:
        raise ValueError(f"{folder}: {', '.join(refused)} cannot be pushed, as a link that leads out of the folder")
    return content


def metric_content(folder: Path, name: str) -> FolderContent:
    """The files of an `evaluate` metric that are pushed: its script, what that imports, the Space's page."""
    modules = _reached_modules(folder, [name, *(["app"] if (folder / "app.py").is_file() else [])])
    return _collect(folder, [*modules, *_METRIC_EXTRAS])


def is_replaced(path: str) -> bool:
    """Whether a file of the repository could be loaded instead of a pushed one, or is made from replaced weights."""
    return path in EXPORTED or (path.endswith(_REPLACED) and "/" not in path)


def is_dataset_folder(folder: Path) -> bool:
    """Whether a folder is a data set as `datasets_scripts.convert` writes it."""
    return any((folder / "data").glob("*.parquet"))


def dataset_content(folder: Path) -> FolderContent:
    """The files of a data set that are pushed: its card, its types and its Parquet files.

    Raises:
        ValueError: If there is no Parquet file, or no card.
    """
    written_by = "as python -m datasets_scripts.convert writes it"
    if not is_dataset_folder(folder):
        raise ValueError(f"{folder} does not hold a data set: expected data/*.parquet, {written_by}")
    if not (folder / CARD_FILE).is_file():
        raise ValueError(f"{folder} has no data card ({CARD_FILE}), {written_by}")
    return _collect(folder, [CARD_FILE, "types.json", *(f"data/{path.name}" for path in folder.glob("data/*.parquet"))])


def licence_warning(folder: Path, public: bool) -> str | None:
    """What to consider before others can read a data set; None if its card names a licence."""
    path = folder / CARD_FILE
    if not path.is_file():
        return None  # such a folder is refused
    metadata = DatasetCard(path.read_text(encoding="utf-8"), ignore_metadata_errors=True).data
    if metadata.get("license") not in (None, "unknown"):
        return None
    name = metadata.get("pretty_name") or folder.name
    if public:
        return (
            f"{name}: no licence is known, and you make a public copy: make sure that the terms of the data, and "
            "those of the texts they are made of, allow that"
        )
    return f"{name}: no licence is known; the copy is private: check the terms before you give others access"


def _collect(folder: Path, allowed: Iterable[str]) -> FolderContent:
    """Those of the allowed files that are there, and the names of everything else in the folder."""
    present = [name for name in dict.fromkeys(allowed) if (folder / name).is_file()]
    files = {name: path for name in sorted(present) if (path := file_inside(folder, folder / name)) is not None}
    tops = {name.split("/")[0] for name in present}
    others = {path.name for path in folder.iterdir()} - tops
    left_out = [f"{name} (not on the list)" for name in others if not name.startswith(_KNOWN_TO_STAY)]
    left_out += [f"{name} (a link that leads out of the folder)" for name in present if name not in files]
    return FolderContent(files, tuple(sorted(left_out)))


def _needed_files(folder: Path) -> set[str]:
    config = read_object(folder / _CONFIG) if folder.is_dir() else {}
    if config.get("model_type") != "spert":
        raise ValueError(
            f"{folder} does not hold a SpERT model: its config.json has the model_type {config.get('model_type')!r}"
        )
    modules = _reached_modules(folder, _named_modules(folder, config) or ["modeling_spert"])
    weights = [_WEIGHTS] if not (folder / _INDEX).is_file() else [_INDEX, *_shards(folder / _INDEX)]
    return {_CONFIG, *modules, *weights, *_TOKENIZER}


def _named_modules(folder: Path, config: dict[str, Any]) -> list[str]:
    """The modules that a configuration names: those of its classes and its pipelines."""
    classes, pipelines = config.get("auto_map", {}), config.get("custom_pipelines", {})
    try:
        named = [*classes.values(), *(entry["impl"] for entry in pipelines.values())]
        modules = [name.split(".")[0] for name in named]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder / _CONFIG}: auto_map and custom_pipelines must name classes as module.Class, got "
            f"{classes!r:.80} and {pipelines!r:.80}"
        ) from error
    foreign = [name for name, module in zip(named, modules, strict=True) if not re.fullmatch(r"\w+", module)]
    if foreign:
        raise ValueError(f"{folder / _CONFIG} names code that is not in the folder: {', '.join(foreign)}")
    return modules


def _reached_modules(folder: Path, names: Iterable[str]) -> list[str]:
    """Files of the modules, and of those that they import, in order."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        file = f"{waiting.pop()}.py"
        if file not in found:
            found.append(file)
            if (folder / file).is_file():
                waiting += get_relative_imports(folder / file)
    return sorted(found)


def _shards(index: Path) -> set[str]:
    weights = read_object(index).get("weight_map")
    names = set(weights.values()) if isinstance(weights, dict) else {None}
    if not all(isinstance(name, str) and re.fullmatch(r"[\w.-]+\.safetensors", name) for name in names):
        raise ValueError(f"{index}: weight_map must name a .safetensors file of the folder for each tensor")
    return {str(name) for name in names}
