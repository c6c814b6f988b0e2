"""Download a published file, check its digest and keep it in a cache. A file is in the cache whole or not at all."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from datasets_scripts.corpora import SHA256, SPERT_DATASETS_URL

_CACHE_VARIABLE = "MODELING_SPERT_CACHE"
_URL_VARIABLE = "MODELING_SPERT_DATASETS_URL"
TIMEOUT = 60.0  # seconds without an answer
_CHUNK = 1 << 16  # bytes


class DownloadError(RuntimeError):
    """A file could not be downloaded; the message names its address, the cause and the way that needs no network."""


def _cache_folder() -> Path:
    """Return the folder of downloaded files: `$MODELING_SPERT_CACHE`, else `~/.cache/modeling_spert/datasets`."""
    chosen = os.environ.get(_CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "modeling_spert" / "datasets"


def download_benchmark_file(folder: str, file: str, base_url: str | None = None) -> Path:
    """Return the cached copy of a benchmark's file, after downloading it if needed.

    Args:
        folder: The benchmark's folder at the address.
        file: The file's name, a key of `SHA256`.
        base_url: Address of the folders; default `$MODELING_SPERT_DATASETS_URL`, else SpERT's.

    Raises:
        DownloadError: No connection, no such file, a transfer cut short, or another digest.
    """
    base_url = base_url or os.environ.get(_URL_VARIABLE) or SPERT_DATASETS_URL
    path = _cache_folder() / folder / file
    # Hashing a few megabytes is cheap; a damaged copy is fetched again.
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[file]:
        download(f"{base_url.rstrip('/')}/{folder}/{file}", path, SHA256[file])
    return path


def download(url: str, path: Path, sha256: str) -> None:
    """Download a file to `path`, which appears only when the whole file is there and has the digest.

    Raises:
        DownloadError: As in `download_benchmark_file`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        digest = _receive(url, partial)
        if digest != sha256:
            raise DownloadError(_explain(url, f"its SHA-256 is {digest} instead of {sha256}: damaged or changed"))
        os.replace(partial, path)
    # URLError, HTTPError and timeouts are OSErrors; an invalid URL raises ValueError.
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is also the answer, with the connection
        raise DownloadError(_explain(url, str(error) or type(error).__name__)) from error
    finally:
        partial.unlink(missing_ok=True)


def _receive(url: str, path: Path) -> str:
    """Write the answer's body to `path` and return its SHA-256."""
    digest = hashlib.sha256()
    received = 0
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response, path.open("wb") as file:
        while chunk := response.read(_CHUNK):
            digest.update(chunk)
            received += file.write(chunk)
        expected = response.headers.get("Content-Length")
    # Read in chunks, a connection that closes early looks like the end of the file.
    if expected is not None and received < int(expected):
        raise DownloadError(_explain(url, f"the transfer ended after {received} of {expected} bytes"))
    return digest.hexdigest()


def _explain(url: str, cause: str) -> str:
    return (
        f"could not download {url}: {cause}. Try again, or get the data set's files another way and name their folder "
        "with data_dir (--data_dir)"
    )
