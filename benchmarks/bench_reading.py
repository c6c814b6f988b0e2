"""Reading in bulk: how fast documents are read, and counted with their ids checked, without any model.

Method. Documents of --characters characters are written to one JSON Lines and one Parquet file. Each is read to its
end, and its ids are checked as `spert extract` does before the first document, --repetitions times in turn. Rates are
documents a second of this process's CPU time: medians, with the lowest and the highest.

    python -m benchmarks.bench_reading --documents 1000000
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.environment import describe_environment
from benchmarks.timing import print_table, write_json
from modeling_spert.bulk.inputs import InputFile, find_inputs
from modeling_spert.bulk.readers import Columns, read_records
from modeling_spert.bulk.repeats import find_repeat
from modeling_spert.shared.commands import command

_COLUMNS = Columns(id="id")


def write_documents(folder: Path, count: int, characters: int) -> list[InputFile]:
    """The same documents as JSON Lines and as Parquet."""
    text = ("Ada Lovelace lived in London. " * (characters // 30 + 1))[:characters]
    rows = [{"id": f"document-{index}", "text": text} for index in range(count)]
    with open(folder / "documents.jsonl", "w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    pq.write_table(pa.Table.from_pylist(rows), folder / "documents.parquet")
    return [find_inputs([str(folder / name)], folder / "rows")[0] for name in ("documents.jsonl", "documents.parquet")]


def read(file: InputFile) -> None:
    """Read all documents."""
    for _ in read_records(file, _COLUMNS):
        pass


def check_ids(file: InputFile, folder: Path) -> None:
    """Count the documents and look for ids that come twice."""
    records = enumerate(read_records(file, _COLUMNS, with_text=False), start=1)
    _, repeat = find_repeat(lambda: ((record.id, f"row {row}") for row, record in records), folder)
    assert repeat is None


def cpu_seconds(work: Callable[[], None]) -> float:
    """Processor time of this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--characters", type=int, default=500, help="of each document")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", nargs="?", const="", help="write JSON here; without a value to benchmarks/results/")
    args = parser.parse_args(argv)
    found: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = write_documents(folder, args.documents, args.characters)
        for _ in range(args.repetitions):
            for file in files:
                kind = Path(file.address).suffix[1:]
                found.setdefault((kind, "read"), []).append(cpu_seconds(lambda file=file: read(file)))
                found.setdefault((kind, "ids checked"), []).append(
                    cpu_seconds(lambda file=file: check_ids(file, folder))
                )
    rows: list[dict[str, Any]] = []
    for (kind, what), seconds in found.items():
        rates = sorted(args.documents / second for second in seconds)
        rows.append({"file": kind, "what": what, "rate": statistics.median(rates), "range": [rates[0], rates[-1]]})
    print(f"{args.documents:,} documents of {args.characters} characters, documents a second of CPU time\n")
    cells = [[r["file"], r["what"], f"{r['rate']:,.0f}", " to ".join(f"{x:,.0f}" for x in r["range"])] for r in rows]
    print_table(["file", "what", "median", "lowest to highest"], cells)
    results = {"environment": describe_environment("cpu"), "arguments": vars(args), "rows": rows}
    write_json(args.json, "reading_cpu", {"benchmark": "reading", **results})


if __name__ == "__main__":
    sys.exit(main())
