"""Write a data set as a folder of Parquet files with types.json and a data card.

`datasets.load_dataset(folder)` and `load_joint_dataset(folder)` read the same rows back.
"""

from __future__ import annotations

import os
from pathlib import Path

from datasets_scripts.data_card import render_data_card
from datasets_scripts.joint_dataset import JointDataset
from datasets_scripts.row_validation import repeated_relation
from datasets_scripts.staged_folder import staged_folder
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
    ours = {CARD_FILE, _DATA_FOLDER, TYPES_FILE}
    with staged_folder(target, overwrite, lambda names: names == ours) as written:
        _write_files(dataset, written)
    return target


def _write_files(dataset: JointDataset, folder: Path) -> None:
    (folder / _DATA_FOLDER).mkdir()
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
        segmentation=dataset.segmentation,
        allow_repeated_relations=any(
            repeated_relation(relations) is not None
            for rows in dataset.splits.values()
            for relations in rows["relations"]
        ),
    )
    (folder / TYPES_FILE).write_text(render_types(types), encoding="utf-8")
    (folder / CARD_FILE).write_text(render_data_card(dataset, files), encoding="utf-8")
