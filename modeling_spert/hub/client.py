"""One commit on the Hub, tried again after transient errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any, TypeVar

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from transformers.utils import logging

logger = logging.get_logger(__name__)

# The base class of the HTTP library's errors, broken connections among them. huggingface_hub has changed that library
# once (requests, then httpx), so it is taken from the client's own error.
HTTP_ERROR: type[BaseException] = HfHubHTTPError.__mro__[1]

_Result = TypeVar("_Result")

# Of the 4xx: time-outs, a commit in between, too many requests.
_TRANSIENT = (408, 409, 412, 425, 429)
_LONGEST_WAIT = 60.0  # seconds


class PushError(RuntimeError):
    """A push that failed; the message says why, and how to push later."""


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
    is_stale: Callable[[str], bool] | None = None,
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
        is_stale: Which files of the repository to remove where they are not among those pushed; default: none.
        **create: Passed on to `HfApi.create_repo`.

    Raises:
        PushError: If a step fails for good.
    """
    what = f"push to {repo_id}"
    full_id = create_repository(api, repo_id, repo_type=repo_type, private=private, tries=tries, **create)
    target: dict[str, Any] = {"repo_id": full_id, "repo_type": repo_type}

    def commit() -> CommitInfo:
        # New each time, because an operation remembers how far it got.
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationAdd(path_in_repo=path, path_or_fileobj=str(file) if isinstance(file, Path) else file)
            for path, file in files.items()
        ]
        if is_stale is not None:
            present = api.list_repo_files(**target, revision=branch)
            stale = [path for path in present if is_stale(path) and path not in files]
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
    """Create a repository, or make sure that an existing one is not more public than asked.

    Returns:
        Its full name, with the user's own in front if none was given.

    Raises:
        PushError: If that fails, or `private` is set and the repository is public.
    """
    what = f"create {repo_id}"
    made = try_again(
        lambda: api.create_repo(repo_id, repo_type=repo_type, private=private, exist_ok=True, **create), what, tries
    )
    if private and not try_again(lambda: api.repo_info(made.repo_id, repo_type=repo_type), what, tries).private:
        raise PushError(f"{made.repo_id} exists and is public, private was asked: nothing was pushed")
    return made.repo_id


def try_again(action: Callable[[], _Result], what: str, tries: int = 4) -> _Result:
    """Do something on the Hub, and repeat it after transient errors, with growing waits.

    Raises:
        PushError: If it fails at the last try, or with another error; the message has the reason.
    """
    for attempt in range(1, tries + 1):
        try:
            return action()
        except (HTTP_ERROR, OSError, RuntimeError, ValueError) as error:
            response = _response(error)
            status = response.status_code if response is not None else None
            transient = status is None or status >= 500 or status in _TRANSIENT
            if attempt == tries or not transient or isinstance(error, ValueError | OfflineModeIsEnabled):
                raise PushError(f"could not {what}: {_reason(error, status)}") from error
            wait = _wait(attempt, response)
            logger.warning(f"{what}: {_reason(error, status)}; try {attempt + 1} of {tries} in {wait:g} s")
            sleep(wait)
    raise AssertionError("tries must be at least 1")


def _tag(api: HfApi, target: dict[str, Any], tag: str, oid: str) -> None:
    """Name a commit; a name that it already has is not an error: the answer to an earlier try may have been lost."""
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
    """The HTTP response of an error, or of its cause: the client wraps the errors of uploads."""
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
