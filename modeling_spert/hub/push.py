"""Push a model folder, a data set or the metric to the Hub: `python -m modeling_spert.hub FOLDER org/name`.

A push is one commit: whoever loads the repository finds the old state or the new one, never half of each. Transient
errors are tried again. The local folder is only read.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from huggingface_hub import CommitInfo, HfApi
from transformers.utils import logging

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.hub.client import PushError, push_files
from modeling_spert.hub.folders import (
    FolderContent,
    dataset_content,
    is_replaced,
    metric_content,
    missing_files,
    model_content,
)
from modeling_spert.model_card.build import CARD_FILE, CardOptions, build_card
from modeling_spert.model_card.example import read_example
from modeling_spert.onnx.files import EXPORTED, read_export
from modeling_spert.shared.markdown import one_line, quote

logger = logging.get_logger(__name__)


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

    Nothing else is pushed: no predictions or data, which often belong to others, no checkpoints (`last/`), notes or
    tokens. Links are followed only within the folder and the Hub's cache. A warning names what stays here. Weights,
    graphs and code in the repository that the folder does not have are removed, because they might be loaded instead
    of the new ones. A card that was not edited is made again with the repository's name in it.

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
        ValueError: If the folder is not complete, or its graphs were made from other weights.
        PushError: If the Hub refuses, cannot be reached, or the repository is public and `private` is set.
    """
    folder = Path(folder)
    missing = missing_files(folder)
    if missing:
        raise ValueError(f"{folder} is not a complete model folder, it lacks {', '.join(missing)}: not pushed")
    content = model_content(folder)
    files = _files_to_push(folder, content)
    if any(name in files for name in EXPORTED):
        read_export(folder, SpertConfig.from_pretrained(folder))
    files[CARD_FILE] = _card_for(folder, repo_id, content.files.get(CARD_FILE), tag or branch).encode()
    try:
        return push_files(
            HfApi(token=token, endpoint=endpoint),
            files,
            repo_id,
            private=private,
            branch=branch,
            tag=tag,
            message=message,
            tries=tries,
            is_stale=is_replaced,
        )
    except PushError as error:
        flags = [*(["--private"] if private else []), *(["--branch", branch] if branch else [])]
        later = shlex.join(["spert", "push", str(folder), repo_id, *flags])
        raise PushError(f"{error}. The model in {folder} is complete. To push it later: {later}") from error


def push_dataset_folder(
    folder: str | Path,
    repo_id: str,
    *,
    public: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
) -> CommitInfo:
    """Push a data set, Parquet files with `types.json` and a card, in one commit.

    `load_dataset(repo_id)` gives the rows.

    Args:
        folder: What `python -m datasets_scripts.convert` has written.
        repo_id: `org/name`; created if it does not exist, private unless `public`.
        public: Create it public, or push to one that is.
        token: Of a user who may write; default: the one logged in with.
        endpoint: Of another Hub.

    Raises:
        ValueError: If the folder does not hold a data set with its card.
        PushError: If the Hub refuses or cannot be reached, or the repository is public and `public` is not set.
    """
    folder = Path(folder)
    api = HfApi(token=token, endpoint=endpoint)
    files = _files_to_push(folder, dataset_content(folder))
    message = f"Upload {folder.name}"
    return push_files(api, files, repo_id, repo_type="dataset", private=not public, message=message)


def push_metric(
    folder: str | Path, repo_id: str, *, private: bool = False, token: str | None = None, endpoint: str | None = None
) -> CommitInfo:
    """Push an `evaluate` metric's folder as a Space, where `evaluate.load(repo_id)` finds it.

    Raises:
        ValueError: If the repository does not have the name of the metric's script: `evaluate` would not find it.
        PushError: As `push_model_folder`.
    """
    folder = Path(folder)
    name = repo_id.split("/")[-1]
    if not (folder / f"{name}.py").is_file():
        raise ValueError(
            f"evaluate.load({repo_id!r}) looks for {name}.py, which {folder} does not have: name it org/{folder.name}"
        )
    files = _files_to_push(folder, metric_content(folder, name))
    api = HfApi(token=token, endpoint=endpoint)
    return push_files(
        api, files, repo_id, repo_type="space", space_sdk="gradio", private=private, message="Upload metric"
    )


def _files_to_push(folder: Path, content: FolderContent) -> dict[str, Path | bytes]:
    if content.left_out:
        logger.warning(f"Not pushed from {folder}: {', '.join(content.left_out)}")
    return {**content.files}


def _card_for(folder: Path, repo_id: str, card: Path | None, revision: str | None) -> str:
    """The folder's card as it goes to a repository; a card that was edited stays as it is."""
    written = None if card is None else card.read_text(encoding="utf-8")
    if written is None or written == build_card(folder):
        written = build_card(folder, CardOptions(repo_id=repo_id, revision=revision))
    example = read_example(folder)
    if example is not None and example.origin == "data" and quote(example.text) in written:
        logger.warning(
            f"The card shows a sentence of the data (split {example.split}): {one_line(example.text)!r}. To show none: "
            f"spert card {folder} --example none"
        )
    return written
