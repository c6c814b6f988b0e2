"""Which files of a folder hold which split, and which file names the types."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

# In the order in which a data set lists them; a longer name comes before its own ending ("train_dev" ends in "_dev").
_SPLIT_NAMES = ("train", "train_dev", "dev", "validation", "valid", "val", "test", "full")
SUFFIXES = (".json", ".jsonl", ".parquet")


class FolderLayout(NamedTuple):
    """The files of a data set.

    Attributes:
        splits: The file of each split, in the order of `_SPLIT_NAMES`.
        types: The types file, or None.
        prefix: What the names of the split files start with, such as `conll04` in `conll04_train.json`; maybe empty.
    """

    splits: dict[str, Path]
    types: Path | None
    prefix: str


def _split_of(path: Path) -> tuple[str, str] | None:
    """Return the prefix and the split that a file's name says, or None if it says none.

    >>> _split_of(Path("conll04_train_dev.json")), _split_of(Path("test.jsonl")), _split_of(Path("notes.json"))
    (('conll04', 'train_dev'), ('', 'test'), None)
    """
    if path.suffix not in SUFFIXES:
        return None
    for split in sorted(_SPLIT_NAMES, key=len, reverse=True):
        if path.stem == split:
            return "", split
        if path.stem.endswith(f"_{split}"):
            return path.stem.removesuffix(f"_{split}"), split
    return None


def _find_types(folder: Path, prefix: str) -> Path | None:
    """Return the types file of a folder's data: `types.json`, or the `*_types.json` that its prefix says.

    The files `ade_split_0_train.json` have the prefix `ade_split_0` and go with `ade_types.json`. Without a prefix the
    folder's only `*_types.json` is taken.
    """
    files = sorted(folder.glob("*_types.json"), key=lambda path: len(path.name))
    named = [path for path in files if f"{prefix}_".startswith(path.name.removesuffix("types.json"))]
    if named:
        return named[-1]
    if (folder / "types.json").is_file():
        return folder / "types.json"
    return files[0] if len(files) == 1 and not prefix else None


def lay_out_folder(folder: Path) -> FolderLayout:
    """Find the splits and the types of a user's folder.

    Split files are called `<split>` or `<prefix>_<split>` (splits: `_SPLIT_NAMES`) and end in `.json`, `.jsonl` or
    `.parquet`; if the folder itself has none, its `data/` is searched. Other files are not part of the data set.

    Raises:
        ValueError: No split file, or several for one split.
    """
    files = _split_files(folder) or _split_files(folder / "data")
    if not files:
        seen = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
        raise ValueError(
            f"{folder} holds no data: expected files such as train.json, dev.jsonl or news_test.parquet "
            f"(splits: {', '.join(_SPLIT_NAMES)}), found {seen}. A file of another name can be given by its own path"
        )
    splits: dict[str, Path] = {}
    for name in _SPLIT_NAMES:
        candidates = [path for path, (_, split) in files.items() if split == name]
        if len(candidates) > 1:
            names = ", ".join(path.name for path in candidates)
            raise ValueError(
                f"{folder} holds several files for the split {name!r}: {names}; keep one data set per folder"
            )
        splits.update((name, path) for path in candidates)
    prefixes = {prefix for prefix, _ in files.values()}
    prefix = prefixes.pop() if len(prefixes) == 1 else ""
    return FolderLayout(splits, _find_types(folder, prefix), prefix)


def _split_files(folder: Path) -> dict[Path, tuple[str, str]]:
    if not folder.is_dir():
        return {}
    found = {path: _split_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    return {path: split for path, split in found.items() if split is not None}


def lay_out_file(path: Path) -> FolderLayout:
    """Treat one file as a data set of one split: the split its name says, else `train`."""
    prefix, split = _split_of(path) or (path.stem, "train")
    return FolderLayout({split: path}, _find_types(path.parent, prefix), prefix)
