"""Which model extracts: its folder on this machine, its revision on the Hub, and the digests of its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from modeling_spert.shared.digests import file_sha256

_FILES = (
    *("config.json", "*.safetensors", "*.safetensors.index.json"),
    *("tokenizer*", "vocab*", "merges.txt", "*.model", "special_tokens_map.json", "added_tokens.json"),
)


@dataclass(frozen=True)
class ModelSource:
    """A model that is on this machine.

    Attributes:
        name: Of the repository on the Hub, or of the folder, without where it is.
        folder: Where it is here.
        revision: The commit, of a model from the Hub.
        weights_sha256: Digest of its weights: what the Hub shows for `model.safetensors`.
        files_sha256: Digest of weights, configuration and tokenizer together.
    """

    name: str
    folder: str
    revision: str | None
    weights_sha256: str
    files_sha256: str


def find_model(name: str, revision: str | None = None) -> ModelSource:
    """The model of a folder or of the Hub, which is downloaded once for all processes.

    Raises:
        ValueError: If a revision is given for a folder, or the folder holds no weights in safetensors.
        OSError: If it is neither a folder nor a model that the Hub gives.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ValueError(f"--revision {revision}: MODEL {name} is a folder of this machine, which has none")
    else:
        folder = _download(name, revision)
        revision = folder.name
    digests = {path.name: file_sha256(path) for pattern in _FILES for path in sorted(folder.glob(pattern))}
    weights = [digest for file, digest in sorted(digests.items()) if file.endswith(".safetensors")]
    if not weights:
        raise ValueError(f"MODEL {name} holds no weights: there is no .safetensors file in it")
    return ModelSource(
        name if revision else folder.resolve().name,
        str(folder.resolve()),
        revision,
        weights[0] if len(weights) == 1 else _sha256_of_text(" ".join(weights)),
        _sha256_of_text(" ".join(f"{file} {digest}" for file, digest in sorted(digests.items()))),
    )


def _download(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_FILES)))
    except (OSError, ValueError) as error:
        raise OSError(f"MODEL {name}: no such folder here, and not loaded from the Hub: {error}") from error


def _sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
