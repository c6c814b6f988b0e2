"""Convert a data set to a folder of Parquet files: `python -m datasets_scripts.convert conll04 --output DIR`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from datasets_scripts.commands import CommandParser, command
from datasets_scripts.loading import DATASET_NAMES, load_joint_dataset
from datasets_scripts.parquet_folder import write_parquet


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Convert, and print what was written and what was skipped."""
    parser = CommandParser(
        prog="python -m datasets_scripts.convert",
        description="Convert a data set to Parquet files with types.json and a data card.",
    )
    parser.add_argument("dataset", help=f"{', '.join(DATASET_NAMES)}, or a folder or file of your own")
    parser.add_argument("--output", required=True, help="folder to write; it must not exist or be empty")
    parser.add_argument("--data_dir", help="folder of the benchmark's files; without it they are downloaded")
    parser.add_argument("--fold", type=int, help="fold of ade, 0 to 9")
    parser.add_argument(
        "--on_bad_row", choices=["raise", "skip"], default="raise", help="stop at a bad row, or skip it"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a folder written by this command")
    options = parser.parse_args(arguments)
    dataset = load_joint_dataset(options.dataset, options.data_dir, options.fold, options.on_bad_row)
    folder = write_parquet(dataset, options.output, options.overwrite)
    for row in dataset.skipped:
        print(f"skipped: {row.message}", file=sys.stderr)
    unit = dataset.unit
    for split, count in dataset.counts().items():
        print(f"{split}: {count.rows} {unit}s, {count.entities} entities, {count.relations} relations")
    if dataset.skipped:
        print(f"skipped {len(dataset.skipped)} rows")
    print(f"wrote {folder}")


if __name__ == "__main__":
    sys.exit(main())
