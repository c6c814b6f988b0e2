"""What is in a folder that is pushed: whether it is complete, and which of its files go to the Hub."""

from __future__ import annotations

import json
from pathlib import Path

from huggingface_hub import DatasetCard
from transformers.dynamic_module_utils import get_relative_imports

from modeling_spert.onnx.files import EXPORTED

_SUFFIXES = (".json", ".jsonl", ".safetensors", ".txt", ".model", ".jinja", ".png", ".md")
# Predictions hold the sentences of the data, which are often not ours to publish; the rest is of use to training only.
_LOCAL_ONLY = ("predictions_", "training_state.")
_REPLACED = (".safetensors", ".safetensors.index.json", "_spert.py")
_DATASET_CARD = "README.md"


def missing_files(folder: Path) -> list[str]:
    """What a folder lacks to be loaded by a stranger: names of files, in order.

    Raises:
        ValueError: If it does not hold a SpERT model.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder} does not hold a model: config.json cannot be read ({error})") from error
    if config.get("model_type") != "spert":
        raise ValueError(f"{folder} holds a {config.get('model_type')!r} model, not a SpERT model")
    named = [*config.get("auto_map", {}).values()]
    named += [entry["impl"] for entry in config.get("custom_pipelines", {}).values()]
    modules = {name.split(".")[0] for name in named} or {"modeling_spert"}
    needed: set[str] = set()
    while modules:
        name = f"{modules.pop()}.py"
        if name not in needed and (folder / name).is_file():
            modules |= set(get_relative_imports(folder / name))
        needed.add(name)
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        needed |= set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    else:
        needed.add("model.safetensors")
    needed |= {"tokenizer.json", "tokenizer_config.json"}
    return [name for name in sorted(needed) if not (folder / name).is_file()]


def model_files(folder: Path) -> dict[str, Path]:
    """The files of a model folder that are pushed: path in the repository -> file."""
    files = {path.name: path for path in sorted(folder.iterdir()) if _is_pushed(path)}
    return files | {name: folder / name for name in EXPORTED if (folder / name).is_file()}


def is_replaced(path: str) -> bool:
    """Whether a file of the repository could be loaded instead of a pushed one, or is made from replaced weights."""
    return path in EXPORTED or (path.endswith(_REPLACED) and "/" not in path)


def is_dataset_folder(folder: Path) -> bool:
    """Whether a folder is a data set as `datasets_scripts.convert` writes it."""
    return any((folder / "data").glob("*.parquet"))


def dataset_files(folder: Path) -> dict[str, Path]:
    """The files of a data set that are pushed: path in the repository -> file.

    Raises:
        ValueError: If there is no Parquet file, or no card.
    """
    if not is_dataset_folder(folder):
        raise ValueError(f"{folder} does not hold a data set: expected data/*.parquet, {_written_by()}")
    if not (folder / _DATASET_CARD).is_file():
        raise ValueError(f"{folder} has no data card ({_DATASET_CARD}), {_written_by()}")
    found = [folder / _DATASET_CARD, folder / "types.json", *sorted((folder / "data").glob("*.parquet"))]
    return {path.relative_to(folder).as_posix(): path for path in found if path.is_file()}


def licence_warning(folder: Path, public: bool) -> str | None:
    """What to consider before others can read a data set; None if its card names a licence.

    Raises:
        ValueError: If the card's metadata cannot be read.
    """
    path = folder / _DATASET_CARD
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


def _written_by() -> str:
    return "as python -m datasets_scripts.convert writes it"


def _is_pushed(path: Path) -> bool:
    if not path.is_file() or path.name.startswith((".", *_LOCAL_ONLY)):
        return False
    return path.suffix in _SUFFIXES or path.name.endswith("_spert.py")
