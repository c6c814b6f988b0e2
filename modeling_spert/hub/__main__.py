"""Push a model folder, a data set or the metric to the Hub: `python -m modeling_spert.hub FOLDER org/name`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import CommitInfo

from modeling_spert.hub.client import PushError
from modeling_spert.hub.folders import is_dataset_folder, licence_warning
from modeling_spert.hub.push import push_dataset_folder, push_metric, push_model_folder
from modeling_spert.shared.commands import CommandParser, command


@command(PushError)
def main(argv: Sequence[str] | None = None, prog: str = "python -m modeling_spert.hub") -> None:
    """Push, and print the commit's address."""
    parser = CommandParser(
        prog=prog,
        description="Push a model folder, a folder of Parquet files (a data set), or the metric to the Hub.",
    )
    parser.add_argument("folder", type=Path, help="complete model folder, data set from datasets_scripts.convert")
    parser.add_argument("repo_id", metavar="org/name", help="repository, created if it does not exist")
    access = parser.add_mutually_exclusive_group()
    access.add_argument("--private", action="store_true", help="create it private, refuse a public one")
    access.add_argument("--public", action="store_true", help="make a data set public; without it, it is private")
    parser.add_argument("--branch", help="branch to commit to, created if it does not exist (models)")
    parser.add_argument("--tag", help="tag for the commit (models)")
    parser.add_argument("--metric", action="store_true", help="push an evaluate metric's folder, as a Space")
    args = parser.parse_args(argv)
    if not args.folder.is_dir():
        parser.error(f"{args.folder} is not a folder")
    is_dataset = not args.metric and is_dataset_folder(args.folder)
    if (args.metric or is_dataset) and (args.branch or args.tag):
        parser.error("--branch and --tag go with models")
    if args.public and not is_dataset:
        parser.error("--public goes with data sets; a model and the metric are public unless --private is given")
    print(_push(args, is_dataset).commit_url)


def _push(args: argparse.Namespace, is_dataset: bool) -> CommitInfo:
    if args.metric:
        return push_metric(args.folder, args.repo_id, private=args.private)
    if not is_dataset:
        return push_model_folder(args.folder, args.repo_id, private=args.private, branch=args.branch, tag=args.tag)
    warning = licence_warning(args.folder, args.public)
    if warning:
        print(f"warning: {warning}", file=sys.stderr)
    return push_dataset_folder(args.folder, args.repo_id, public=args.public)


if __name__ == "__main__":
    sys.exit(main())
