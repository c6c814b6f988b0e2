"""Whether the files in the Hub's cache are those the Hub announced: its client does not look.

A download is stored under the ETag that was announced for it: the SHA-256 of a large file, the git blob id (SHA-1) of
a small one. Bytes that were altered on the way keep that name, so they can be told without the network.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache

TOKENIZER_FILES = (
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
)


def check_cached_files(
    name_or_folder: str | os.PathLike[str],
    patterns: Iterable[str] = ("*",),
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    **_: Any,
) -> None:
    """Compare the cached files of a model with what the Hub announced, and remove those that differ from the cache.

    A folder of the user's own is not looked at.

    Args:
        name_or_folder: As `from_pretrained` took it.
        patterns: Glob patterns of the files to read, at the speed of a SHA-256.
        revision: Branch, tag or commit that was loaded.
        cache_dir: Where it was loaded to; default: the Hub's cache.

    Raises:
        OSError: If a file was not what the Hub announced.
    """
    if os.path.isdir(name_or_folder):
        return
    config = try_to_load_from_cache(str(name_or_folder), "config.json", cache_dir, revision)
    if not isinstance(config, str):
        return
    snapshot = Path(config).parent
    for file in sorted({file for pattern in patterns for file in snapshot.glob(pattern)}):
        if not file.is_symlink():  # where there are no symbolic links, the cache does not keep what was announced
            continue
        blob = Path(os.path.normpath(file.parent / os.readlink(file)))
        if not _is_as_announced(blob):
            raise OSError(
                f"{file.name} of {name_or_folder} in the cache is not the file that the Hub announced: it was altered "
                f"or cut short on its way. {_remove(file, blob)}; or load it with verify_files=False, if it comes "
                "through a mirror that announces other digests"
            )


def _remove(*files: Path) -> str:
    """Remove a file from the cache: the client would neither fetch it again nor, forced to, use what it fetched."""
    try:
        for file in files:
            file.unlink()
    except OSError as error:
        return f"It could not be removed ({error}): delete {' and '.join(map(str, files))}, then load the model again"
    return "It has been removed: load the model again, which fetches it again"


def _is_as_announced(blob: Path) -> bool:
    """Whether a file of the cache fits its name; True where the name is no digest that we know."""
    if len(blob.name) not in (40, 64) or set(blob.name) - set("0123456789abcdef"):
        return True
    if len(blob.name) == 64:
        return digest_of(blob, hashlib.sha256()) == blob.name
    # git's id of the content; some mirrors announce the plain SHA-1 instead.
    git = hashlib.sha1(b"blob %d\0" % blob.stat().st_size, usedforsecurity=False)
    return blob.name in (digest_of(blob, git), digest_of(blob, hashlib.sha1(usedforsecurity=False)))


def digest_of(file: Path, digest: Any) -> str:
    """Hexadecimal digest of a file's bytes, by an object of `hashlib`."""
    with open(file, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
