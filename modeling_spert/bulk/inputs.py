"""Which files an extraction reads: files, folders and globs, on this machine or at any address that fsspec knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "text",
}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}
# What the file systems call the thing that changes with a file's content, the most certain first.
_STAMPS = ("ETag", "etag", "blob_id", "oid", "content_md5", "md5Hash", "mtime", "LastModified", "last_modified")


@dataclass(frozen=True)
class InputFile:
    """A file of documents.

    Attributes:
        name: Its path from the folder that all inputs share; ids of documents without an id column begin with it.
        address: Where it is, as fsspec takes it.
        kind: "jsonl", "csv", "tsv", "parquet" or "text".
        compression: "gzip", "bz2", "xz", "zstd" or None.
        size: In bytes, if known.
        stamp: Changes when the file does: its digest or the time of its last change.
    """

    name: str
    address: str
    kind: str
    compression: str | None
    size: int | None
    stamp: str


def find_inputs(addresses: Sequence[str], output: Path) -> list[InputFile]:
    """The files that the addresses name, in the order of the addresses and, in folders, of their paths.

    Folders are searched with everything below them; names that begin with a dot or an underscore, and files of other
    kinds, are passed over.

    Args:
        addresses: Files, folders, globs.
        output: Folder of the rows; no input may be in it, or the next run would read what this one wrote.

    Raises:
        ValueError: If an address names no file, a file of no known kind, one twice, or one in the output.
        OSError: If a file system cannot be reached.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for address in addresses:
        if Path(address).is_dir() and output.resolve().is_relative_to(Path(address).resolve()):
            raise ValueError(f"INPUT {address} has the output folder in it; choose another --output")
        for path, info in _expand(address):
            if path in found:
                raise ValueError(f"INPUT {address}: {path} is named twice")
            if "://" not in path and Path(path).is_relative_to(output.resolve()):
                raise ValueError(f"INPUT {address}: {path} is in the output folder; choose another --output")
            found[path] = info
    names = _short_names(list(found))
    return [
        InputFile(name, path, *_require_kind(path), _size(info), _stamp(info))
        for name, (path, info) in zip(names, found.items(), strict=True)
    ]


def _expand(address: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Full addresses and what their file system says of them."""
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(address)
    except (ValueError, ImportError) as error:
        raise ValueError(f"INPUT {address}: {error}") from error
    if system.isfile(path):
        _require_kind(path)
        yield _full(system, path), system.info(path)
        return
    if system.isdir(path):
        listed = system.find(path, detail=True)
    elif re.search(r"[*?\[]", path):
        listed = {}
        for match, info in system.glob(path, detail=True).items():
            listed |= {match: info} if info["type"] == "file" else system.find(match, detail=True)
    else:
        hint = "with --output FOLDER the inputs are files, not texts"
        raise ValueError(f"INPUT {address[:200]}: no such file, folder or match ({hint})")
    base = _fixed_part(path)
    wanted = [p for p in sorted(listed) if not _is_hidden(p[len(base) :]) and kind_of(p) is not None]
    if not wanted:
        kinds = ", ".join(KINDS)
        raise ValueError(f"INPUT {address}: no file of a known kind ({kinds}, compressed or not) among {len(listed)}")
    for p in wanted:
        yield _full(system, p), listed[p]


def _fixed_part(path: str) -> str:
    """The path up to the first part with a wildcard: names in it are the user's own choice, hidden or not."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        if re.search(r"[*?\[]", part):
            return "/".join(parts[:index])
    return path


def _is_hidden(path: str) -> bool:
    return any(part[:1] in (".", "_") for part in path.split("/"))


def _full(system: Any, path: str) -> str:
    protocols = [system.protocol] if isinstance(system.protocol, str) else system.protocol
    return path if "file" in protocols else system.unstrip_protocol(path)


def kind_of(path: str) -> tuple[str, str | None] | None:
    """Kind and compression of a file, by the end of its name; None if it is of no known kind.

    >>> kind_of("a/b.jsonl.gz"), kind_of("notes.TXT"), kind_of("README.md")
    (('jsonl', 'gzip'), ('text', None), None)
    """
    name = path.rsplit("/", 1)[-1].lower()
    stem, dot, end = name.rpartition(".")
    compression = COMPRESSIONS.get(dot + end)
    if compression is not None:
        dot, end = stem.rpartition(".")[1:]
    kind = KINDS.get(dot + end)
    return None if kind is None or (kind == "parquet" and compression) else (kind, compression)


def _require_kind(path: str) -> tuple[str, str | None]:
    kind = kind_of(path)
    if kind is None:
        raise ValueError(
            f"INPUT {path}: its name must end in one of {', '.join(KINDS)}, all but Parquet with or without one of "
            f"{', '.join(COMPRESSIONS)}"
        )
    return kind


def _size(info: Mapping[str, Any]) -> int | None:
    size = info.get("size")
    return None if size is None else int(size)


def _stamp(info: Mapping[str, Any]) -> str:
    for key in _STAMPS:
        if info.get(key) is not None:
            return f"{key}={info[key]}"
    return ""


def _short_names(paths: Sequence[str]) -> list[str]:
    """The paths from the folder that all of them share.

    >>> _short_names(["/data/a/1.txt", "/data/b/1.txt"]), _short_names(["/data/a/1.txt"])
    (['a/1.txt', 'b/1.txt'], ['1.txt'])
    """
    folders = [path.split("/")[:-1] for path in paths]
    shared = _shared_start(folders)
    return ["/".join(path.split("/")[shared:]) for path in paths]


def _shared_start(lists: Iterable[Sequence[str]]) -> int:
    count = 0
    for parts in zip(*lists, strict=False):
        if len(set(parts)) > 1:
            break
        count += 1
    return count
