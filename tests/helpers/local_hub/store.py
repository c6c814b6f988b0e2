"""Repositories of the local Hub, kept in memory: models, data sets and spaces with their history.

As in git, a commit is an immutable snapshot (path -> stored file) that knows its parent; branches and tags are names
of commits; contents are stored once, under their SHA-256. What a client must be told is raised as `HubError`, with the
status and the code that the real Hub answers. The caller keeps threads apart.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import MappingProxyType

KINDS = ("models", "datasets", "spaces")  # as they stand in the addresses of the Hub's API

# What every new repository holds on the real Hub. Here it also decides which uploads go through LFS (`is_lfs`).
LFS_SUFFIXES = (
    ".safetensors",
    ".parquet",
    ".bin",
    ".pt",
    ".onnx",
    ".h5",
    ".arrow",
    ".npz",
    ".npy",
    ".zip",
    ".gz",
    ".model",
)
GIT_ATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES).encode()
LFS_SIZE = 10 * 1024 * 1024  # bytes; from here on every file goes through LFS


class HubError(Exception):
    """An answer that refuses the request.

    Args:
        status: HTTP status.
        message: Shown to the user by the client.
        code: The `X-Error-Code` from which the client chooses the class of its exception, such as `RepoNotFound`.
        headers: More headers of the answer.
    """

    def __init__(self, status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class StoredFile:
    """One file of a snapshot.

    Args:
        sha256: Digest of the content, its key in `Store`.
        size: Bytes of the content.
        git_oid: SHA-1 of the git blob: of the content, or of the pointer text if the file is in LFS.
        lfs: Whether the file is stored with git LFS.
        pointer_size: Bytes of the LFS pointer text, 0 for a file outside LFS.
    """

    sha256: str
    size: int
    git_oid: str
    lfs: bool
    pointer_size: int = 0

    @property
    def etag(self) -> str:
        """Name of the content in answers, and of the blob in the client's cache: SHA-256 (LFS) or git's SHA-1."""
        return self.sha256 if self.lfs else self.git_oid


@dataclass(frozen=True)
class Commit:
    """An immutable snapshot of a repository, `files` by path."""

    oid: str
    parent: str | None
    title: str
    message: str
    date: datetime
    files: Mapping[str, StoredFile]


def git_blob_oid(content: bytes) -> str:
    """SHA-1 that git gives a blob.

    >>> git_blob_oid(b"hello")
    'b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0'
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_lfs(path: str, size: int, sample: bytes) -> bool:
    """Whether the Hub asks for this file through LFS: by suffix, by size, or because it looks binary.

    Args:
        path: Path in the repository.
        size: Bytes.
        sample: The first bytes of the content.

    >>> is_lfs("model.safetensors", 10, b""), is_lfs("README.md", 10, b"# Title")
    (True, False)
    """
    return size > 0 and (path.endswith(LFS_SUFFIXES) or size >= LFS_SIZE or b"\0" in sample)


def check_path(path: str) -> str:
    """Return `path`, or raise `HubError` where it cannot be a file of a repository."""
    if not path or any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise HubError(400, f"Invalid path in repo: {path!r}")
    return path


@dataclass
class Repository:
    """One repository: commits, and names for them."""

    kind: str
    repo_id: str
    private: bool = False
    sdk: str | None = None  # of a space
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def resolve(self, revision: str) -> Commit:
        """Return the commit that a branch, a tag, a full oid or the start of one (7 digits or more) names."""
        for names in (self.branches, self.tags):
            if revision in names:
                return self.commits[names[revision]]
        if re.fullmatch("[0-9a-f]{7,40}", revision):
            found = [commit for oid, commit in self.commits.items() if oid.startswith(revision)]
            if len(found) == 1:
                return found[0]
        raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def file(self, commit: Commit, path: str) -> StoredFile:
        """Return a file of a snapshot; the error names the commit, so that clients can remember the absence."""
        if path not in commit.files:
            raise HubError(404, "Entry not found", "EntryNotFound", {"X-Repo-Commit": commit.oid})
        return commit.files[path]

    def history(self, commit: Commit) -> Iterator[Commit]:
        """Yield the commit and its ancestors, newest first."""
        current: Commit | None = commit
        while current is not None:
            yield current
            current = self.commits[current.parent] if current.parent else None

    def last_change(self, commit: Commit, path: str) -> Commit:
        """Return the newest commit up to `commit` that changed what `path` (a file or a folder) holds."""

        def content(of: Commit) -> dict[str, StoredFile]:
            return {name: file for name, file in of.files.items() if name == path or name.startswith(path + "/")}

        changed = commit
        for ancestor in self.history(commit):
            if content(ancestor) != content(commit):
                break
            changed = ancestor
        return changed

    def commit(self, branch: str, files: Mapping[str, StoredFile], title: str, message: str = "") -> Commit:
        """Make `files` the new snapshot at the head of `branch`, which is created if it is the repository's first."""
        if self.commits and branch not in self.branches:
            raise HubError(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        parent = self.branches.get(branch)
        date = datetime.now(timezone.utc)
        tree = "\n".join(f"{path}\0{file.git_oid}" for path, file in sorted(files.items()))
        # The count keeps apart two commits that are otherwise alike.
        text = f"{self.kind}/{self.repo_id}\n{parent}\n{len(self.commits)}\n{title}\n{message}\n{tree}"
        oid = hashlib.sha1(text.encode()).hexdigest()
        made = Commit(oid, parent, title, message, date, MappingProxyType(dict(files)))
        self.commits[oid] = made
        self.branches[branch] = oid
        return made


class Store:
    """All repositories and all contents."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self._contents: dict[str, bytes] = {}

    def create(self, kind: str, repo_id: str, *, private: bool = False, sdk: str | None = None) -> Repository:
        """Create a repository with the first commit that the real Hub also makes.

        Raises:
            HubError: 409 if it exists, 400 if `repo_id` is not `namespace/name`.
        """
        if kind not in KINDS or not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id):
            raise HubError(400, f"Invalid repo: kind {kind!r}, id {repo_id!r}")
        if (kind, repo_id) in self.repositories:
            raise HubError(409, f"You already created this {kind[:-1]} repo: {repo_id}")
        made = Repository(kind, repo_id, private, sdk)
        made.commit("main", {".gitattributes": self.regular(GIT_ATTRIBUTES)}, "initial commit")
        self.repositories[kind, repo_id] = made
        return made

    def regular(self, content: bytes) -> StoredFile:
        """Store a content that is kept in git itself."""
        return StoredFile(self.put(content), len(content), git_blob_oid(content), lfs=False)

    def lfs(self, sha256: str) -> StoredFile:
        """Return the LFS file for a content stored before.

        Raises:
            HubError: 400 if no such content has been uploaded.
        """
        if sha256 not in self._contents:
            raise HubError(400, f"LFS pointer pointed to a file that does not exist: {sha256}")
        size = len(self._contents[sha256])
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
        return StoredFile(sha256, size, git_blob_oid(pointer), lfs=True, pointer_size=len(pointer))

    def put(self, content: bytes) -> str:
        """Store a content; return its SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        self._contents[sha256] = content
        return sha256

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._contents

    def content(self, file: StoredFile) -> bytes:
        """Return what a file holds."""
        return self._contents[file.sha256]

    def add(
        self, repo: Repository, contents: Mapping[str, bytes], *, branch: str = "main", title: str = "add"
    ) -> Commit:
        """Commit whole files, choosing LFS as the Hub does."""
        files = dict(repo.resolve(branch).files)
        for path, content in contents.items():
            lfs = is_lfs(check_path(path), len(content), content[:512])
            files[path] = self.lfs(self.put(content)) if lfs else self.regular(content)
        return repo.commit(branch, files, title)


def folders(paths: Iterable[str]) -> set[str]:
    """Every folder that the paths imply.

    >>> sorted(folders(["a/b/c.txt", "d.txt"]))
    ['a', 'a/b']
    """
    return {path[:i] for path in paths for i, letter in enumerate(path) if letter == "/"}
