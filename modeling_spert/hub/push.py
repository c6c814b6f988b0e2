"""Push a model folder, or the metric, to the Hub: `python -m modeling_spert.hub FOLDER org/name`.

A push is one commit: whoever loads the repository finds the old model or the new one, never half of each. Errors that
may pass are tried again; whatever happens, the local folder is only read.
"""

from __future__ import annotations

import json
from pathlib import Path

from huggingface_hub import CommitInfo, HfApi
from transformers.dynamic_module_utils import get_relative_imports
from transformers.utils import logging

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.hub.client import PushError, push_files
from modeling_spert.model_card.build import CARD_FILE, CardOptions, build_card
from modeling_spert.onnx.files import EXPORTED, read_export

logger = logging.get_logger(__name__)


_SUFFIXES = (".json", ".jsonl", ".safetensors", ".txt", ".model", ".jinja", ".png", ".md")
# Predictions hold the sentences of the data, which are often not ours to publish; the rest is of use to training only.
_LOCAL_ONLY = ("predictions_", "training_state.")
_REPLACED = (".safetensors", ".safetensors.index.json", "_spert.py")


def push_model_folder(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    branch: str | None = None,
    tag: str | None = None,
    message: str = "Upload SpERT model",
    token: str | None = None,
    endpoint: str | None = None,
    tries: int = 4,
) -> CommitInfo:
    """Push a complete model folder in one commit: weights, configuration, code, tokenizer, ONNX graphs, scores, card.

    Checkpoints (`last/`), the optimizer's state and predictions stay here. Weights, graphs and code in the repository
    that the folder does not have are removed, or they might be loaded in place of the new ones. A card that was not
    edited is made again with the repository's name in it.

    Args:
        folder: What the training script, `SpertModel.save_pretrained` with the tokenizer, or the pipeline has written.
        repo_id: `org/name`; created if it does not exist.
        private: Create it private; refuse to push to a public one.
        branch: Where to commit; created if it does not exist.
        tag: Name for the commit.
        message: Of the commit.
        token: Of a user who may write; default: the one logged in with.
        endpoint: Of another Hub.
        tries: How often to try each step.

    Returns:
        The commit.

    Raises:
        ValueError: If the folder is not complete, or its graphs are of other weights.
        PushError: If the Hub refuses, cannot be reached, or the repository is public and `private` is set.
    """
    folder = Path(folder)
    missing = missing_files(folder)
    if missing:
        raise ValueError(f"{folder} is no complete model folder, it lacks {', '.join(missing)}: not pushed")
    files: dict[str, Path | bytes] = {path.name: path for path in sorted(folder.iterdir()) if _is_pushed(path)}
    graphs = {name: folder / name for name in EXPORTED if (folder / name).is_file()}
    if graphs:
        read_export(folder, SpertConfig.from_pretrained(folder))
        files |= graphs
    files[CARD_FILE] = _card_for(folder, repo_id).encode()
    api = HfApi(token=token, endpoint=endpoint)
    try:
        return push_files(
            api,
            files,
            repo_id,
            private=private,
            branch=branch,
            tag=tag,
            message=message,
            tries=tries,
            is_stale=_is_replaced,
        )
    except PushError as error:
        flags = [*(["--private"] if private else []), *(["--branch", branch] if branch else [])]
        command = " ".join(["python -m modeling_spert.hub", str(folder), repo_id, *flags])
        raise PushError(f"{error}\nThe model in {folder} is whole. To push it later: {command}") from error


def push_metric(
    folder: str | Path, repo_id: str, *, private: bool = False, token: str | None = None, endpoint: str | None = None
) -> CommitInfo:
    """Push an `evaluate` metric's folder as a Space, where `evaluate.load(repo_id)` finds it.

    Raises:
        ValueError: If the repository's name is not that of the metric's script: evaluate would not find that.
        PushError: As `push_model_folder`.
    """
    folder = Path(folder)
    name = repo_id.split("/")[-1]
    if not (folder / f"{name}.py").is_file():
        raise ValueError(
            f"evaluate.load({repo_id!r}) looks for {name}.py, which {folder} has not: name it org/{folder.name}"
        )
    files: dict[str, Path | bytes] = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    api = HfApi(token=token, endpoint=endpoint)
    return push_files(
        api, files, repo_id, repo_type="space", space_sdk="gradio", private=private, message="Upload metric"
    )


def verify_download(
    repo_id: str,
    revision: str | None = None,
    *,
    cache_dir: str | Path | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> int:
    """Compare every file of a repository that lies in the cache with the digests the Hub gives now.

    Loading a SpERT model compares the files it reads with what the Hub announced when they were fetched; this asks
    again, and looks at every file, the code too.

    Returns:
        The number of files compared.

    Raises:
        OSError: If a file differs; the message names it.
        ValueError: If nothing of the repository, or of this revision, is in the cache.
    """
    api = HfApi(token=token, endpoint=endpoint)
    found = api.verify_repo_checksums(repo_id, revision=revision, cache_dir=cache_dir)
    if found.mismatches:
        names = ", ".join(mismatch["path"] for mismatch in found.mismatches)
        raise OSError(
            f"{names} in {found.verified_path} differ from {repo_id} on the Hub: load it with force_download=True"
        )
    return found.checked_count


def missing_files(folder: Path) -> list[str]:
    """What a folder lacks to be loaded by a stranger: names of files, in order.

    Raises:
        ValueError: If it holds no SpERT model at all.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder} holds no model: config.json cannot be read ({error})") from error
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


def _is_pushed(path: Path) -> bool:
    if not path.is_file() or path.name.startswith((".", *_LOCAL_ONLY)):
        return False
    return path.suffix in _SUFFIXES or path.name.endswith("_spert.py")


def _is_replaced(path: str) -> bool:
    """Whether a file of the repository could be loaded in place of the ones pushed, or is made of their weights."""
    return path in EXPORTED or (path.endswith(_REPLACED) and "/" not in path)


def _card_for(folder: Path, repo_id: str) -> str:
    """The folder's card as it goes to a repository: people's own text stays as it is."""
    path = folder / CARD_FILE
    if path.is_file():
        written = path.read_text(encoding="utf-8")
        if written != build_card(folder):
            return written
    return build_card(folder, CardOptions(repo_id=repo_id))
