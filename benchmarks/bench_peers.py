"""Peers against the bare encoder: what GLiNER and SpanMarker, and this project, cost besides the same encoder.

Method. span-marker and gliner are installed from PyPI into an environment each (`--cache`; made at the first run, with
torch as constraints.txt pins it and the transformers that pip finds for them). All models are on the same encoder with
the same weights, all-MiniLM-L6-v2. In each environment the peer and the bare encoder of that process's transformers
read the same texts in turn, on one thread. A row is the ratio of the medians of their processor time, with the lowest
and highest ratio of a repetition. Ratios of different rows can be compared, seconds cannot: versions differ.

The heads of the peers are random, and made to find nothing: that is the least that decoding can cost them. SpERT finds
as many entities and relations as the gold holds. The peers find entities only; GLiNER reads the labels with every text.

    python -m benchmarks.bench_peers --texts 64 --repetitions 5
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoModel, AutoTokenizer

from benchmarks.environment import describe_environment
from benchmarks.timing import print_table, write_json
from benchmarks.workload import load_workload
from modeling_spert.shared.commands import command
from modeling_spert.training.build_model import bundled_backbone
from modeling_spert.windows_spert import plan_batches

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "modeling_spert" / "peers"
PEERS = ("span-marker", "gliner")


def make_environment(peer: str, cache: Path) -> Path:
    """The interpreter of an environment with the peer; what is there already is kept.

    Raises:
        subprocess.CalledProcessError: If pip cannot install it; its output is in the error.
    """
    folder = cache / peer
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, clear=True, with_pip=True)
        torch = re.search(r"^torch==\S+", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
        assert torch is not None
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", torch[0], peer]
        subprocess.run(install, check=True, capture_output=True, text=True)
        (folder / "ready").touch()
    return python


def save_work(folder: Path, args: argparse.Namespace) -> None:
    """The encoder, the SpERT model on it, and the texts, as files that every environment can read."""
    workload = load_workload(args)
    encoder = bundled_backbone()
    AutoModel.from_pretrained(encoder).save_pretrained(folder / "encoder")
    AutoTokenizer.from_pretrained(encoder).save_pretrained(folder / "encoder")
    workload.model.save_pretrained(folder / "model")
    workload.tokenizer.save_pretrained(folder / "model")
    lengths = [len(ids) for ids in workload.tokenizer(workload.texts)["input_ids"]]
    work = {
        "texts": workload.texts,
        "labels": list(workload.model.config.entity_types),
        "batches": plan_batches(lengths, args.batch_size, 4096),  # of the bare encoder, the same in every row
    }
    (folder / "work.json").write_text(json.dumps(work), "utf-8")


def measure(peer: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The row of a peer, or why there is none."""
    output = folder / f"{peer}.json"
    try:
        python = sys.executable if peer == "spert" else str(make_environment(peer, args.cache))
        worker = [python, str(ROOT / "benchmarks" / "peer_worker.py"), "--peer", peer, "--output", str(output)]
        worker += ["--encoder", str(folder / "encoder"), "--work", str(folder / "work.json")]
        worker += ["--repetitions", str(args.repetitions), "--batch_size", str(args.batch_size)]
        worker += ["--model", str(folder / "model")] if peer == "spert" else []
        settings = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
        environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT) if peer == "spert" else ""}
        subprocess.run(worker, check=True, capture_output=True, text=True, env=environment)
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout or "").strip().splitlines() or [f"exit code {error.returncode}"]
        return {"peer": peer, "measured": False, "reason": lines[-1]}
    return {"peer": peer, "measured": True, **json.loads(output.read_text("utf-8"))}


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """The table, and the peers that could not be measured."""
    header = ["model", "version", "transformers", "parameters", "throughput ÷ encoder", "batch 1 ÷ encoder"]
    cells = []
    for row in (row for row in rows if row["measured"]):
        ratios = [row[mode] for mode in ("throughput", "batch 1")]
        shown = [f"{r['ratio']:.2f} [{r['lowest']:.2f}, {r['highest']:.2f}]" for r in ratios]
        cells.append([row["peer"], row["version"], row["transformers"], f"{row['parameters'] / 1e6:.1f} M", *shown])
    print_table(header, cells)
    for row in (row for row in rows if not row["measured"]):
        print(f"\nnot measured: {row['peer']}: {row['reason']}")


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Install, measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--data_dir", help="folder of CoNLL04; default: the demo corpus")
    parser.add_argument("--texts", type=int, default=64, help="sentences of the split, spread over it; 0: all")
    parser.add_argument("--repetitions", type=int, default=5, help="timed repetitions")
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the environments are made and kept")
    parser.add_argument("--json", nargs="?", const="", help="write JSON here; without a value to benchmarks/results/")
    args = parser.parse_args(argv)
    args.model, args.encoder = None, "bundled"
    with tempfile.TemporaryDirectory() as temporary:
        save_work(Path(temporary), args)
        rows = [measure(peer, Path(temporary), args) for peer in ("spert", *args.peers)]
    print_rows(rows)
    shown = {name: str(value) for name, value in vars(args).items()}
    results = {"benchmark": "peers", "environment": describe_environment("cpu"), "arguments": shown, "rows": rows}
    write_json(args.json, "peers_cpu", results)


if __name__ == "__main__":
    sys.exit(main())
