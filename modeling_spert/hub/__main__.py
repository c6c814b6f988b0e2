"""Push a model folder, or the metric, to the Hub: `python -m modeling_spert.hub FOLDER org/name`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from modeling_spert.hub.client import PushError
from modeling_spert.hub.push import push_metric, push_model_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Push, say where, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m modeling_spert.hub", description="Push a model folder to the Hub.", allow_abbrev=False
    )
    parser.add_argument("folder", type=Path, help="complete model folder; with --metric the metric's")
    parser.add_argument("repo_id", metavar="org/name", help="repository, created if it does not exist")
    parser.add_argument("--private", action="store_true", help="create it private, refuse a public one")
    parser.add_argument("--branch", help="branch to commit to, created if it does not exist")
    parser.add_argument("--tag", help="tag for the commit")
    parser.add_argument("--metric", action="store_true", help="push an evaluate metric, as a Space")
    args = parser.parse_args(argv)
    if args.metric and (args.branch or args.tag):
        parser.error("--branch and --tag go with models")
    try:
        if args.metric:
            made = push_metric(args.folder, args.repo_id, private=args.private)
        else:
            made = push_model_folder(
                args.folder, args.repo_id, private=args.private, branch=args.branch, tag=args.tag
            )  # fmt: skip
    except (PushError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(made.commit_url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
