"""5,000 documents, the process tree killed three times: every id once, and the rows of a run that was not killed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import bulk_data
import psutil
import pyarrow as pa
import pytest
from pyarrow import parquet
from tiny_pipeline import save_folder

DOCUMENTS = 5_000
SHARD = 100
SEED = 13

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and documents in two files, one of them compressed."""
    folder = tmp_path_factory.mktemp("kills")
    save_folder(folder / "tiny")
    documents = bulk_data.make_documents(DOCUMENTS)
    bulk_data.write_json_lines(folder / "a.jsonl", documents[:2_950])
    table = pa.Table.from_pylist(documents[2_950:])
    parquet.write_table(table, folder / "b.parquet", row_group_size=300)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> pa.Table:
    """The rows of a run that was not killed."""
    done = subprocess.run(command_of(folder, "whole"), capture_output=True, text=True, check=False)
    assert done.returncode == 0 and f"{DOCUMENTS:,} documents" in done.stdout, done.stderr
    rows = bulk_data.read_rows(folder / "whole")
    assert rows["error"].null_count == rows.num_rows == DOCUMENTS
    return rows


def command_of(folder: Path, output: str, *flags: str) -> list[str]:
    inputs = [str(folder / name) for name in ("a.jsonl", "b.parquet")]
    command = [sys.executable, "-m", "spert_cli", "extract", str(folder / "tiny"), *inputs]
    command += ["--output", str(folder / output), "--id_column", "id", "--shard_size", str(SHARD)]
    return [*command, "--num_processes", "2", "--entity_threshold", "0.95", "--relation_threshold", "0.9", *flags]


def kill_and_resume(command: list[str], output: Path) -> str:
    """Kill the command at three random points, counted in shards; what it says when it is left to finish."""
    generator = random.Random(SEED)
    points = sorted(generator.sample(range(1, DOCUMENTS // SHARD * 3 // 5), 3))
    for point in points:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(list(output.glob("*.parquet"))) < point:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.02)
        time.sleep(generator.random() / 5)
        kill_tree(process)
        assert len(list(output.glob("*.parquet"))) < DOCUMENTS // SHARD, "it was done before it was killed"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def kill_tree(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL for a process and all that descend from it, stopped first so that none can start another."""
    family = [psutil.Process(process.pid)]
    family += family[0].children(recursive=True)
    for member in family:
        try:
            member.suspend()
        except psutil.NoSuchProcess:
            continue
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
    psutil.wait_procs(family, timeout=60)


def test_kills_on_one_machine_lose_and_double_nothing(folder, whole):
    said = kill_and_resume(command_of(folder, "killed"), folder / "killed")
    assert "were there before" in said
    found = bulk_data.read_rows(folder / "killed")
    assert found["id"].to_pylist() == sorted(f"doc-{number}" for number in range(DOCUMENTS))
    assert found.equals(whole)
    assert sorted(path.name for path in (folder / "killed").glob(".*")) == [".lock"]


def test_kills_on_ray_lose_and_double_nothing(folder, whole):
    pytest.importorskip("ray")
    said = kill_and_resume(command_of(folder, "ray", "--engine", "ray"), folder / "ray")
    assert "were there before" in said
    found = bulk_data.read_rows(folder / "ray")
    assert found["id"].to_pylist() == sorted(f"doc-{number}" for number in range(DOCUMENTS))
    assert found.equals(whole)  # the other engine's rows, to the last bit
