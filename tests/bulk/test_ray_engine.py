"""What goes wrong in silence with Ray Data is refused in a sentence; the runs themselves are in test_kills.py."""

from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from bulk_data import load_fragile
from pyarrow import parquet

from modeling_spert.bulk import BulkArguments
from modeling_spert.bulk.readers import Record

ray_engine = pytest.importorskip("modeling_spert.bulk.ray_engine")

# Ray's own: its context warns of its own defaults when it is made.
pytestmark = pytest.mark.filterwarnings("ignore:::ray.data.context")

RAY = BulkArguments(engine="ray", num_processes=2)


def write(path: Path, rows: int) -> None:
    path.parent.mkdir(exist_ok=True)
    parquet.write_table(pa.table({"id": [str(row) for row in range(rows)]}), path)


def test_checkpoint_is_next_to_the_output_or_where_it_is_told(tmp_path):
    output = tmp_path / "rows"
    assert ray_engine.find_checkpoint(None, output) == tmp_path / "rows.checkpoint"
    assert ray_engine.find_checkpoint(str(tmp_path / "c"), output) == tmp_path / "c"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("checkpoint", "--checkpoint must be an absolute path that every machine of the cluster sees, got checkpoint"),
        ("TMP/rows/c", "must not be in one another"),
        ("TMP", "must not be in one another"),
    ],
)
def test_checkpoint_that_is_relative_or_in_the_output_is_refused(tmp_path, given, message):
    with pytest.raises(ValueError, match=message):
        ray_engine.find_checkpoint(given.replace("TMP", str(tmp_path)), tmp_path / "rows")


def test_checkpoint_knows_the_rows_of_its_output_or_is_refused(tmp_path):
    output, checkpoint = tmp_path / "rows", tmp_path / "c"
    output.mkdir()
    assert ray_engine.check_checkpoint(checkpoint, output) == 0
    for name in ("u_w_000000", "u_w_000001.pending"):
        write(checkpoint / f"{name}.parquet", 3)
    for name in ("u_w_000000-0", "u_w_000001-0"):  # Ray removes the second, which may be half-written
        write(output / f"{name}.parquet", 3)
    assert ray_engine.check_checkpoint(checkpoint, output) == 3
    with pytest.raises(ValueError, match="holds rows that the checkpoint .* does not know"):
        ray_engine.check_checkpoint(tmp_path / "lost", output)
    (output / "u_w_000000-0.parquet").unlink()
    with pytest.raises(ValueError, match="knows of rows that --output .* does not hold"):
        ray_engine.check_checkpoint(checkpoint, output)


@pytest.mark.parametrize(
    ("resources", "arguments", "message"),
    [
        (
            {"CPU": 4},
            RAY,
            r"--num_processes 2 with --num_threads 1 needs 5 CPUs \(3 of them to read, filter and write\), .* has 4",
        ),
        ({"CPU": 9}, BulkArguments(engine="ray", num_gpus=0.5), "ask for 0.5 GPUs, the cluster has 0"),
    ],
)
def test_ray_refuses_more_actors_than_the_cluster_can_hold(monkeypatch, resources, arguments, message):
    fake = SimpleNamespace(is_initialized=lambda: True, cluster_resources=lambda: resources)
    monkeypatch.setattr(ray_engine, "ray", fake)
    with pytest.raises(ValueError, match=message):
        ray_engine._connect(arguments)


def test_ray_context_loses_no_block_in_silence_and_is_restored(tmp_path):
    context = ray_engine.DataContext.get_current()
    context.max_errored_blocks = 5
    try:
        with ray_engine._context(tmp_path / "c"):
            assert context.max_errored_blocks == 0
            config = context.checkpoint_config
            assert config.id_column == "id" and config.checkpoint_path == str(tmp_path / "c")
            assert not config.delete_checkpoint_on_success
        assert context.max_errored_blocks == 5 and context.checkpoint_config is None
    finally:
        context.max_errored_blocks = 0


def test_split_shards_gives_every_shard_once():
    assert [list(run) for run in ray_engine.split_shards(7, 3)] == [[0, 1], [2, 3], [4, 5, 6]]
    assert len(ray_engine.split_shards(12, 2000)) == 12  # more blocks than actors, however small the input


@pytest.mark.usefixtures("quick_processes")
def test_actor_gives_a_row_per_document_and_survives_one_that_kills():
    extract = ray_engine.ShardExtractor(load_fragile)
    records = [Record("a", "x"), Record("b", "die"), Record("c", None, "no text"), Record("d", "y")]
    rows = [{**record._asdict(), "shard": number // 2} for number, record in enumerate(records)]
    try:
        table = extract(pa.Table.from_pylist(rows, schema=ray_engine._INPUT))
    finally:
        extract._pool.close()
    assert table["id"].to_pylist() == ["a", "b", "c", "d"]
    assert [error is None for error in table["error"].to_pylist()] == [True, False, True, True]
