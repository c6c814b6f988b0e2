"""A folder that is written whole or not at all, and that replaces only what the same command has written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged_folder(target: Path, overwrite: bool, is_ours: Callable[[set[str]], bool]) -> Iterator[Path]:
    """An empty folder to write into, which takes the place of `target` when the block ends without an error.

    Args:
        target: The folder to make; it must not exist, or be empty, or be replaceable.
        overwrite: Replace a folder that `is_ours`.
        is_ours: Whether the names in a folder are those of an earlier result, so that nothing else is ever removed.

    Raises:
        FileExistsError: The folder holds something that may not be replaced.
    """
    _check_target(target, overwrite, is_ours)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as workplace:
        written, old = Path(workplace) / "new", Path(workplace) / "old"  # "new" has the usual permissions
        written.mkdir()
        yield written
        if target.exists():
            os.rename(target, old)  # removed with the workplace
        try:
            os.rename(written, target)
        except OSError:
            if old.exists():
                os.rename(old, target)
            raise


def _check_target(target: Path, overwrite: bool, is_ours: Callable[[set[str]], bool]) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir() or target.is_symlink():
        raise FileExistsError(f"{target} exists and is not a folder; name another one")
    present = {path.name for path in target.iterdir()}
    if not present:
        return
    if not overwrite:
        raise FileExistsError(f"{target} is not empty; name another folder, or replace it with overwrite (--overwrite)")
    if not is_ours(present):
        raise FileExistsError(
            f"{target} is not a folder of converted data (it holds {', '.join(sorted(present)[:5])}), so it is not "
            "replaced; remove it yourself or name another one"
        )
