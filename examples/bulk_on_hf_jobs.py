# /// script
# requires-python = ">=3.10"
# dependencies = ["modeling-spert[bulk] @ git+https://github.com/org/modeling-spert"]
# ///
"""Extract from files of the Hub in a job, and push the rows while they are written. The address above is a placeholder.

    hf jobs uv run --flavor a10g-small --timeout 24h --secrets HF_TOKEN bulk_on_hf_jobs.py \
        org/model hf://datasets/org/texts/data org/rows --id_column id

A job that was cut off is started again by the same command: shards that were pushed are fetched, the others extracted.
The model is pinned by `--revision`, so that a job which resumes days later reads the same one.
"""

import argparse
from pathlib import Path

from huggingface_hub import CommitScheduler, HfApi, snapshot_download

from modeling_spert.bulk import BulkArguments, Columns, Progress, extract_in_bulk

PUSHED = ["part-*", "_spert_plan.json"]


def main() -> None:
    """Fetch what was pushed before, extract, push."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="repository of the model")
    parser.add_argument(
        "input", nargs="+", help="files, folders or globs, such as hf://datasets/org/texts/**/*.parquet"
    )
    parser.add_argument("rows", help="data set on the Hub for the rows; made private if it does not exist")
    parser.add_argument("--revision", help="commit of the model")
    parser.add_argument("--id_column", help="column of the id; default: file and row")
    parser.add_argument("--text_column", default="text", help="column of the text")
    parser.add_argument("--num_processes", type=int, default=1, help="one for each GPU, or for each core")
    parser.add_argument("--shard_size", type=int, default=10_000, help="documents in a file of rows")
    parser.add_argument("--push_every", type=float, default=5, help="minutes between pushes")
    parser.add_argument("--output", type=Path, default=Path("rows"), help="folder for the rows on the job's own disk")
    args = parser.parse_args()
    HfApi().create_repo(args.rows, repo_type="dataset", private=True, exist_ok=True)
    snapshot_download(args.rows, repo_type="dataset", local_dir=args.output, allow_patterns=PUSHED)
    arguments = BulkArguments(
        columns=Columns(args.text_column, args.id_column),
        revision=args.revision,
        num_processes=args.num_processes,
        shard_size=args.shard_size,
    )
    scheduler = CommitScheduler(
        repo_id=args.rows, repo_type="dataset", folder_path=args.output, every=args.push_every, allow_patterns=PUSHED
    )
    with scheduler:  # pushes once more at its end, also where the extraction fails
        summary = extract_in_bulk(args.model, args.input, args.output, arguments, report)
    print(f"{summary.documents} documents, {summary.before} of them from before, {summary.errors} with an error")


def report(progress: Progress) -> None:
    """A line of the job's log for each share."""
    print(f"{progress.step}: {progress.done} of {progress.total or 'unknown'}", flush=True)


if __name__ == "__main__":
    main()
