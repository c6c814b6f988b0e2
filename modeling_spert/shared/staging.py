"""A folder that is written whole or not at all: first under a hidden name in the same parent, then renamed."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def staged_folder(target: str | Path) -> Iterator[Path]:
    """A new empty folder `.NAME.part` next to `target`; what is left of it is removed at the end.

    Args:
        target: Where the content is meant to go; its parent is made if it does not exist.

    Yields:
        The folder to write into.
    """
    target = Path(os.path.abspath(target))
    staged = target.with_name(f".{target.name}.part")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def replace_folder(staged: Path, target: str | Path, *, keep: bool = False) -> None:
    """Move a folder to its place, over an older one.

    A kill between the two renames leaves the older one as `NAME.old`.

    Args:
        staged: The new folder.
        target: Its place.
        keep: Keep the older one as `NAME.old`; if there is none at `target`, what has that name stays.
    """
    target = Path(os.path.abspath(target))
    old = target.with_name(f"{target.name}.old")
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        os.replace(target, old)
    os.replace(staged, target)
    if not keep:
        shutil.rmtree(old, ignore_errors=True)


def save_parts(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save a model (with its code) and its tokenizer; the weights get the permissions of the other files."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for weights in folder.glob("*.safetensors"):  # safetensors lets only their owner read them
        shutil.copymode(folder / "config.json", weights)
