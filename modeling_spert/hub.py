"""Push a model folder, or the metric, to the Hub: `python -m modeling_spert.hub FOLDER org/name`.

A push is one commit: whoever loads the repository finds the old model or the new one, never half of each. Errors that
may pass are tried again; whatever happens, the local folder is only read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import sleep
from typing import Any, TypeVar

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError
from transformers.dynamic_module_utils import get_relative_imports
from transformers.utils import logging

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.export_onnx import EXPORTED, read_export
from modeling_spert.model_card import CARD_FILE, CardOptions, build_card

logger = logging.get_logger(__name__)

Result = TypeVar("Result")

# The root of the errors of whatever library huggingface_hub speaks HTTP with: broken connections are among them.
HTTP_ERROR: type[BaseException] = HfHubHTTPError.__mro__[1]
_MAY_PASS = (408, 409, 412, 425, 429)  # of the 4xx: time-outs, a commit in between, too many requests
_LONGEST_WAIT = 60.0  # seconds

_SUFFIXES = (".json", ".jsonl", ".safetensors", ".txt", ".model", ".jinja", ".png", ".md")
# Predictions hold the sentences of the data, which are often not ours to publish; the rest is of use to training only.
_LOCAL_ONLY = ("predictions_", "training_state.")
_REPLACED = (".safetensors", ".safetensors.index.json", "_spert.py")


class PushError(RuntimeError):
    """A push that failed; the message says why, and how to push later."""


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
            api, files, repo_id, private=private, branch=branch, tag=tag, message=message, tries=tries
        )  # fmt: skip
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


def push_files(
    api: HfApi,
    files: dict[str, Path | bytes],
    repo_id: str,
    *,
    repo_type: str = "model",
    private: bool = False,
    branch: str | None = None,
    tag: str | None = None,
    message: str = "Upload",
    tries: int = 4,
    **create: Any,
) -> CommitInfo:
    """Create the repository if need be, commit the files at once, tag the commit.

    Args:
        api: The client.
        files: Path in the repository -> file, or its content.
        repo_id: `org/name`.
        repo_type: "model", "dataset" or "space".
        private: Create it private; refuse to push to a public one.
        branch: Where to commit; created if it does not exist.
        tag: Name for the commit.
        message: Of the commit.
        tries: How often to try each step.
        **create: Passed on to `HfApi.create_repo`.

    Raises:
        PushError: If a step fails for good.
    """
    what = f"push to {repo_id}"
    full_id = create_repository(api, repo_id, repo_type=repo_type, private=private, tries=tries, **create)
    target: dict[str, Any] = {"repo_id": full_id, "repo_type": repo_type}

    def commit() -> CommitInfo:
        # New each time: an operation remembers how far it came.
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationAdd(path_in_repo=path, path_or_fileobj=str(file) if isinstance(file, Path) else file)
            for path, file in files.items()
        ]
        if repo_type == "model":
            present = api.list_repo_files(**target, revision=branch)
            stale = [path for path in present if _is_replaced(path) and path not in files]
            operations += [CommitOperationDelete(path_in_repo=path) for path in stale]
        return api.create_commit(**target, operations=operations, commit_message=message, revision=branch)

    if branch and branch != "main":
        try_again(lambda: api.create_branch(**target, branch=branch, exist_ok=True), what, tries)
    made = try_again(commit, what, tries)
    if tag:
        try_again(lambda: _tag(api, target, tag, made.oid), what, tries)
    return made


def create_repository(
    api: HfApi, repo_id: str, *, repo_type: str = "model", private: bool = False, tries: int = 4, **create: Any
) -> str:
    """Create a repository, or make sure that one that exists is no more public than asked.

    Returns:
        Its whole name: the user's own is put before one without.

    Raises:
        PushError: If that fails, or `private` is asked and the repository is public.
    """
    what = f"create {repo_id}"
    made = try_again(
        lambda: api.create_repo(repo_id, repo_type=repo_type, private=private, exist_ok=True, **create), what, tries
    )
    if private and not try_again(lambda: api.repo_info(made.repo_id, repo_type=repo_type), what, tries).private:
        raise PushError(f"{made.repo_id} exists and is public, private was asked: nothing was pushed")
    return made.repo_id


def try_again(action: Callable[[], Result], what: str, tries: int = 4) -> Result:
    """Do something on the Hub, again after errors that may pass, with growing waits.

    Raises:
        PushError: If it fails for good, with the reason.
    """
    for attempt in range(1, tries + 1):
        try:
            return action()
        except (HTTP_ERROR, OSError, RuntimeError, ValueError) as error:
            response = _response(error)
            status = response.status_code if response is not None else None
            passing = status is None or status >= 500 or status in _MAY_PASS
            if attempt == tries or not passing or isinstance(error, ValueError):
                raise PushError(f"could not {what}: {_reason(error, status)}") from error
            wait = _wait(attempt, response)
            logger.warning(f"{what}: {_reason(error, status)}; try {attempt + 1} of {tries} in {wait:g} s")
            sleep(wait)
    raise AssertionError("tries must be at least 1")


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


def _tag(api: HfApi, target: dict[str, Any], tag: str, oid: str) -> None:
    """Name a commit; a name that it already has is no error, as the answer to an earlier try may have been lost."""
    try:
        api.create_tag(**target, tag=tag, revision=oid)
    except HfHubHTTPError as error:
        if error.response.status_code != 409:
            raise
        refs = api.list_repo_refs(**target)
        if any(ref.name == tag and ref.target_commit == oid for ref in refs.tags):
            return
        raise ValueError(f"the tag {tag} exists and names another commit: choose another tag") from error


def _response(error: BaseException) -> Any:
    """The answer behind an error, or behind its cause: the client wraps those of uploads."""
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "response", None) is not None:
            return seen.response  # type: ignore[attr-defined]
        seen = seen.__cause__ or seen.__context__
    return None


def _reason(error: BaseException, status: int | None) -> str:
    """Why, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    hint = {
        401: " (log in with `hf auth login`, or check the token)",
        403: " (the token may not write there)",
    }.get(status or 0, "")
    return f"{type(error).__name__}: {lines[0] if lines else error!r}{hint}"


def _wait(attempt: int, response: Any) -> float:
    """Seconds until the next try: 1, 2, 4 …, or as long as the Hub asks."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return min(max(2.0 ** (attempt - 1), float(asked) if asked.isdigit() else 0.0), _LONGEST_WAIT)


def main(argv: Sequence[str] | None = None) -> int:
    """Push, say where, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m modeling_spert.hub", description="Push a model folder to the Hub.", allow_abbrev=False
    )
    parser.add_argument("folder", type=Path, help="complete model folder; with --metric the metric's")
    parser.add_argument("repo_id", metavar="org/name", help="repository, created if it does not exist")
    parser.add_argument("--private", action="store_true", help="create it private, refuse a public one")
    parser.add_argument("--branch", help="branch to commit to, created if it does not exist")
    parser.add_argument("--tag", help="tag for the commit")
    parser.add_argument("--metric", action="store_true", help="push an evaluate metric, as a Space")
    args = parser.parse_args(argv)
    if args.metric and (args.branch or args.tag):
        parser.error("--branch and --tag go with models")
    try:
        if args.metric:
            made = push_metric(args.folder, args.repo_id, private=args.private)
        else:
            made = push_model_folder(
                args.folder, args.repo_id, private=args.private, branch=args.branch, tag=args.tag
            )  # fmt: skip
    except (PushError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(made.commit_url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
