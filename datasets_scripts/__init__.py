"""Data sets for joint entity and relation extraction: benchmarks and the user's own files in one validated form."""

from datasets_scripts.data_facts import count_wide_entities
from datasets_scripts.download import DownloadError
from datasets_scripts.joint_dataset import JointDataset, SkippedRow, SplitCounts
from datasets_scripts.loading import DATASET_NAMES, load_joint_dataset
from datasets_scripts.parquet_folder import write_parquet
from datasets_scripts.row_validation import BadRowError
from datasets_scripts.types_json import TypeName

__all__ = [
    "DATASET_NAMES",
    "BadRowError",
    "DownloadError",
    "JointDataset",
    "SkippedRow",
    "SplitCounts",
    "TypeName",
    "count_wide_entities",
    "load_joint_dataset",
    "write_parquet",
]
