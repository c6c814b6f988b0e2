"""Write a data set as a folder of Parquet files with types.json and a data card.

`datasets.load_dataset(folder)` and `load_joint_dataset(folder)` read the same rows back.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from datasets_scripts.data_card import render_data_card
from datasets_scripts.joint_dataset import JointDataset
from datasets_scripts.row_validation import repeated_relation
from datasets_scripts.types_json import DatasetTypes, render_types

CARD_FILE = "README.md"
_DATA_FOLDER = "data"
TYPES_FILE = "types.json"


def write_parquet(dataset: JointDataset, folder: str | os.PathLike[str], overwrite: bool = False) -> Path:
    """Write `data/<split>.parquet`, `types.json` and `README.md` into a new folder, all of them or none.

    Args:
        dataset: The data.
        folder: Where to write; it must not exist or be empty.
        overwrite: Replace a folder that this function has written before.

    Returns:
        The folder.

    Raises:
        FileExistsError: The folder holds something and `overwrite` is not set, or is not one to be replaced.
    """
    target = Path(folder)
    _check_target(target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as workspace:
        # A new folder inside has the usual permissions; the one from tempfile does not.
        written = Path(workspace) / "new"
        _write_files(dataset, written)
        if target.exists():
            os.rename(target, Path(workspace) / "old")  # removed with the workspace
        try:
            os.rename(written, target)
        except OSError:
            if (Path(workspace) / "old").exists():
                os.rename(Path(workspace) / "old", target)
            raise
    return target


def _check_target(target: Path, overwrite: bool) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir() or target.is_symlink():
        raise FileExistsError(f"{target} exists and is not a folder; name another one")
    present = {path.name for path in target.iterdir()}
    if not present:
        return
    if not overwrite:
        raise FileExistsError(f"{target} is not empty; name another folder, or replace it with overwrite (--overwrite)")
    # Replacing removes everything inside: only what looks like our own work.
    if present != {CARD_FILE, _DATA_FOLDER, TYPES_FILE}:
        raise FileExistsError(
            f"{target} is not a folder of converted data (it holds {', '.join(sorted(present)[:5])}), so it is not "
            "replaced; remove it yourself or name another one"
        )


def _write_files(dataset: JointDataset, folder: Path) -> None:
    (folder / _DATA_FOLDER).mkdir(parents=True)
    files = {split: f"{_DATA_FOLDER}/{split}.parquet" for split in dataset.splits}
    for split, path in files.items():
        dataset.splits[split].to_parquet(folder / path)
    types = DatasetTypes(
        entity_types=dataset.entity_types,
        relation_types=dataset.relation_types,
        symmetric_relation_types=dataset.symmetric_relation_types,
        entity_type_names=dataset.entity_type_names,
        relation_type_names=dataset.relation_type_names,
        dataset_name=dataset.name,
        allow_repeated_relations=any(
            repeated_relation(relations) is not None
            for rows in dataset.splits.values()
            for relations in rows["relations"]
        ),
    )
    (folder / TYPES_FILE).write_text(render_types(types), encoding="utf-8")
    (folder / CARD_FILE).write_text(render_data_card(dataset, files), encoding="utf-8")
