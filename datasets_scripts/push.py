"""Push a data set to the Hub as Parquet with a card: `python -m datasets_scripts.push conll04 --repo org/name`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import CommitInfo, HfApi

from datasets_scripts.corpora import find_benchmark
from datasets_scripts.download import DownloadError
from datasets_scripts.joint_dataset import JointDataset
from datasets_scripts.loading import DATASET_NAMES, load_joint_dataset
from datasets_scripts.parquet_folder import write_parquet
from modeling_spert.hub.client import PushError, push_files


def push_dataset(
    dataset: JointDataset,
    repo_id: str,
    *,
    public: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
) -> CommitInfo:
    """Push Parquet files, types.json and the card in one commit; `load_dataset(repo_id)` gives the same rows.

    Args:
        dataset: the data.
        repo_id: `org/name`; created if it does not exist, private unless `public`.
        public: create it public, or push to one that is.
        token: of a user who may write; default: the one logged in with.
        endpoint: of another Hub.

    Raises:
        PushError: the Hub refuses or cannot be reached, or the repository is public and `public` is not set.
    """
    with tempfile.TemporaryDirectory() as workplace:
        folder = write_parquet(dataset, Path(workplace) / "data_set")
        files: dict[str, Path | bytes] = {
            path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
        }
        api = HfApi(token=token, endpoint=endpoint)
        message = f"Upload {dataset.name}"
        return push_files(api, files, repo_id, repo_type="dataset", private=not public, message=message)


def licence_warning(dataset: JointDataset, public: bool) -> str | None:
    """What to consider before others can read the data; None for the demo corpus, which is the project's own."""
    benchmark = find_benchmark(dataset.name)
    if benchmark is not None and public:
        return (
            f"{benchmark.title} is third-party data (licence: {benchmark.licence}), and you make a public copy of it: "
            "be sure that its terms, and those of the texts it is made of, allow that"
        )
    if benchmark is not None:
        return (
            f"{benchmark.title} is third-party data (licence: {benchmark.licence}): the copy is private. Check its "
            "terms before you give others access"
        )
    return f"be sure that you may publish {dataset.name}" if public and dataset.name != "demo" else None


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; `None` means `sys.argv`."""
    parser = argparse.ArgumentParser(
        prog="python -m datasets_scripts.push",
        description="Push a data set to the Hub as Parquet files with types.json and a data card.",
        allow_abbrev=False,
    )
    parser.add_argument("dataset", help=f"{', '.join(DATASET_NAMES)}, or a folder or file of your own")
    parser.add_argument("--repo", required=True, metavar="ORG/NAME", help="data set repository to push to")
    parser.add_argument("--public", action="store_true", help="make it public; default: private")
    parser.add_argument("--data_dir", help="folder of the benchmark's files; without it they are downloaded")
    parser.add_argument("--fold", type=int, help="fold of ade, 0 to 9")
    parser.add_argument("--on_bad_row", choices=["raise", "skip"], default="raise", help="what a bad row does")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Push, say what was pushed, and return the exit status."""
    options = parse_arguments(arguments)
    try:
        dataset = load_joint_dataset(options.dataset, options.data_dir, options.fold, options.on_bad_row)
        warning = licence_warning(dataset, options.public)
        if warning:
            print(f"warning: {warning}", file=sys.stderr)
        for row in dataset.skipped:
            print(f"skipped: {row.message}", file=sys.stderr)
        made = push_dataset(dataset, options.repo, public=options.public)
    except (ValueError, OSError, DownloadError, PushError) as error:  # what a user can put right: no traceback
        print(f"error: {error}", file=sys.stderr)
        return 1
    for split, count in dataset.counts().items():
        print(f"{split}: {count.sentences} sentences, {count.entities} entities, {count.relations} relations")
    print(made.commit_url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
