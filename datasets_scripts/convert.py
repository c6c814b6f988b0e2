"""Convert a data set to a folder of Parquet files: `python -m datasets_scripts.convert conll04 --output DIR`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from datasets_scripts.download import DownloadError
from datasets_scripts.loading import DATASET_NAMES, load_joint_dataset
from datasets_scripts.parquet_folder import write_parquet


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; `None` means `sys.argv`."""
    parser = argparse.ArgumentParser(
        prog="python -m datasets_scripts.convert",
        description="Convert a data set to Parquet files with types.json and a data card.",
        allow_abbrev=False,
    )
    parser.add_argument("dataset", help=f"{', '.join(DATASET_NAMES)}, or a folder or file of your own")
    parser.add_argument("--output", required=True, help="folder to write; it must not exist or be empty")
    parser.add_argument("--data_dir", help="folder of the benchmark's files; without it they are downloaded")
    parser.add_argument("--fold", type=int, help="fold of ade, 0 to 9")
    parser.add_argument("--on_bad_row", choices=["raise", "skip"], default="raise", help="what a bad row does")
    parser.add_argument("--overwrite", action="store_true", help="replace a folder written by this command")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert, say what was written and what was skipped, and return the exit status."""
    options = parse_arguments(arguments)
    try:
        dataset = load_joint_dataset(options.dataset, options.data_dir, options.fold, options.on_bad_row)
        folder = write_parquet(dataset, options.output, options.overwrite)
    except (ValueError, OSError, DownloadError) as error:  # what a user can put right: the message, no traceback
        print(f"error: {error}", file=sys.stderr)
        return 1
    for row in dataset.skipped:
        print(f"skipped: {row.message}", file=sys.stderr)
    for split, count in dataset.counts().items():
        print(f"{split}: {count.sentences} sentences, {count.entities} entities, {count.relations} relations")
    if dataset.skipped:
        print(f"skipped {len(dataset.skipped)} rows")
    print(f"wrote {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
