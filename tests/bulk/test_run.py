"""Extraction in bulk from beginning to end, with a tiny model: rows, resuming, refusals, the command."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import bulk_data
import pytest
from filelock import FileLock
from pyarrow import parquet
from tiny_pipeline import save_folder, tiny_model, tiny_pipeline

from modeling_spert.bulk import BulkArguments, Columns, Progress, extract_in_bulk
from modeling_spert.bulk.model_source import ModelSource
from spert_cli import main
from spert_cli.bulk import describe_progress

pytestmark = pytest.mark.usefixtures("quick_processes")

DOCUMENTS = bulk_data.make_documents(60)
HOW = BulkArguments(columns=Columns(id="id"), num_processes=2, shard_size=16)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_folder(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture
def source(tmp_path: Path) -> str:
    rows = [*DOCUMENTS, {"id": "bad", "text": None}, {"id": 7, "text": "Ada wrote."}]
    return str(bulk_data.write_json_lines(tmp_path / "d.jsonl", rows))


def test_bulk_rows_are_the_answers_of_the_pipeline(model, source, tmp_path):
    seen: list[Progress] = []
    summary = extract_in_bulk(model, [source], tmp_path / "rows", HOW, seen.append)
    table = bulk_data.read_rows(tmp_path / "rows")
    assert summary.documents == 62 and summary.errors == 1 and summary.before == 0
    rows = {row["id"]: row for row in table.to_pylist()}
    assert len(rows) == 62 and rows["bad"]["entities"] is None and "null" in rows["bad"]["error"]
    answers = tiny_pipeline(tiny_model())([document["text"] for document in DOCUMENTS])
    assert summary.entities == sum(len(row["entities"] or ()) for row in rows.values()) > 60
    assert summary.relations == sum(len(row["relations"] or ()) for row in rows.values()) > 60
    for document, answer in zip(DOCUMENTS, answers, strict=True):
        row = rows[document["id"]]
        assert row["text_sha256"] == hashlib.sha256(document["text"].encode()).hexdigest() and row["error"] is None
        for name in ("entities", "relations"):
            found = [{**item, "score": 0} for item in row[name]]
            assert found == [{**{k: item[k] for k in found[0]}, "score": 0} for item in answer[name]]
            assert [i["score"] for i in row[name]] == pytest.approx([i["score"] for i in answer[name]], abs=1e-5)
    assert seen[-1] == Progress("checking", 62, 62)
    assert max(p.done for p in seen if p.step == "extracting") == 62


def test_bulk_resumes_with_the_same_rows_whatever_the_processes(model, source, tmp_path):
    for name, processes in (("a", 1), ("b", 2)):
        how = BulkArguments(columns=Columns(id="id"), num_processes=processes, shard_size=16)
        extract_in_bulk(model, [source], tmp_path / name, how)
    whole = bulk_data.read_rows(tmp_path / "a")
    assert whole.equals(bulk_data.read_rows(tmp_path / "b"))
    parts = sorted((tmp_path / "b").glob("*.parquet"))
    parts[1].unlink()
    kept = parts[0].stat().st_mtime_ns
    (tmp_path / "b" / ".part-00001-of-00004.parquet.tmp").write_bytes(b"half")
    summary = extract_in_bulk(model, [source], tmp_path / "b", HOW)
    assert (summary.documents, summary.before) == (62, 46)
    assert whole.equals(bulk_data.read_rows(tmp_path / "b")) and parts[0].stat().st_mtime_ns == kept
    assert sorted(path.name for path in (tmp_path / "b").glob(".*")) == [".lock"]


def test_bulk_refuses_ids_that_come_twice_before_any_work(model, tmp_path):
    bulk_data.write_json_lines(tmp_path / "a.jsonl", DOCUMENTS)
    bulk_data.write_json_lines(tmp_path / "b.jsonl", [{"id": "new", "text": "x"}, DOCUMENTS[2]])
    with pytest.raises(ValueError) as caught:
        extract_in_bulk(model, [f"{tmp_path}/*.jsonl"], tmp_path / "rows", HOW)
    identity = DOCUMENTS[2]["id"]
    assert str(caught.value) == f"b.jsonl, row 2: the id {identity!r} comes twice, first in a.jsonl, row 3"
    assert not (tmp_path / "rows").exists()


def test_bulk_that_is_refused_leaves_nothing_behind(model, source, tmp_path, monkeypatch):
    """Neither new folders nor files in a folder that was there; what an earlier run wrote stays."""
    other = BulkArguments(Columns(text="body"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.md").write_text("mine", encoding="utf-8")
    for folder, how in (("a/b/rows", other), ("mine", HOW)):
        with pytest.raises(ValueError):
            extract_in_bulk(model, [source], tmp_path / folder, how)
    assert not (tmp_path / "a").exists() and [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.md"]
    with monkeypatch.context() as patch, pytest.raises(ImportError):  # found only when the plan is written
        patch.setitem(sys.modules, "modeling_spert.bulk.ray_engine", None)
        extract_in_bulk(model, [source], tmp_path / "rows", BulkArguments(HOW.columns, engine="ray"))
    assert not (tmp_path / "rows").exists()
    extract_in_bulk(model, [source], tmp_path / "rows", HOW)
    before = sorted((tmp_path / "rows").iterdir())
    with pytest.raises(ValueError):
        extract_in_bulk(model, [source], tmp_path / "rows", BulkArguments(HOW.columns, shard_size=8))
    assert sorted((tmp_path / "rows").iterdir()) == before


def test_bulk_refuses_another_model_settings_or_inputs_in_the_same_folder(model, source, tmp_path):
    extract_in_bulk(model, [source], tmp_path / "rows", HOW)
    other = BulkArguments(HOW.columns, {"relation_threshold": 0.9}, shard_size=16)
    with pytest.raises(ValueError, match=r"relation_threshold was 0\.4, now 0\.9"):
        extract_in_bulk(model, [source], tmp_path / "rows", other)
    quicker = BulkArguments(HOW.columns, {"batch_size": 1, "relation_threshold": 0.4}, num_threads=2, shard_size=16)
    assert extract_in_bulk(model, [source], tmp_path / "rows", quicker).before == 62
    with pytest.raises(ValueError, match="the model was another one"):
        extract_in_bulk(str(save_folder(tmp_path / "m", entity_threshold=0.1)), [source], tmp_path / "rows", HOW)
    bulk_data.write_json_lines(Path(source), DOCUMENTS)
    with pytest.raises(ValueError, match=r"input d\.jsonl has changed since"):
        extract_in_bulk(model, [source], tmp_path / "rows", HOW)


def test_bulk_notices_rows_that_somebody_added(model, source, tmp_path):
    extract_in_bulk(model, [source], tmp_path / "rows", HOW)
    first = tmp_path / "rows" / "part-00000-of-00004.parquet"
    (tmp_path / "rows" / "copy.parquet").write_bytes(first.read_bytes())
    with pytest.raises(ValueError, match="twice: a file was added, altered or removed"):
        extract_in_bulk(model, [source], tmp_path / "rows", HOW)


def test_bulk_waits_for_nobody_who_writes_into_the_folder(model, source, tmp_path):
    (tmp_path / "rows").mkdir()
    with (
        FileLock(tmp_path / "rows" / ".lock"),
        pytest.raises(ValueError, match="another extraction is writing into it"),
    ):
        extract_in_bulk(model, [source], tmp_path / "rows", HOW)


def test_bulk_writes_json_lines_with_the_same_rows(model, source, tmp_path):
    how = BulkArguments(columns=Columns(id="id"), shard_size=40, format="jsonl")
    assert extract_in_bulk(model, [source], tmp_path / "j", how).documents == 62
    assert extract_in_bulk(model, [source], tmp_path / "j", how).before == 62
    lines = [line for path in (tmp_path / "j").glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    extract_in_bulk(model, [source], tmp_path / "p", BulkArguments(columns=Columns(id="id"), shard_size=40))
    assert bulk_data.read_rows(tmp_path / "p").to_pylist() == sorted(map(json.loads, lines), key=lambda row: row["id"])


def test_bulk_row_that_fails_in_the_model_fails_alone(model, tmp_path, monkeypatch):
    from modeling_spert.bulk.extractor import ExtractorSettings, TableExtractor
    from modeling_spert.bulk.readers import Record

    extract = TableExtractor(ExtractorSettings(model))
    forward = extract._pipe.model.forward

    def fail(input_ids, **inputs):
        if input_ids.shape[0] > 1 or input_ids.shape[1] > 20:
            raise RuntimeError("out of memory")
        return forward(input_ids=input_ids, **inputs)

    monkeypatch.setattr(extract._pipe.model, "forward", fail)
    table, warnings = extract(
        [Record("a", "Ada."), Record("b", "x" * 30), Record("c", None, "no text"), Record("d", "Vik.")]
    )
    assert table["error"].to_pylist() == [None, "RuntimeError: out of memory", "no text", None]
    assert table["entities"].null_count == 2 and not warnings


def test_extractor_of_another_machine_loads_the_model_from_the_hub(model, monkeypatch):
    from modeling_spert.bulk import extractor

    asked = []

    def find(name, revision):
        asked.append((name, revision))
        return ModelSource(name, model, revision, "w", "f")

    monkeypatch.setattr(extractor, "find_model", find)
    extractor.TableExtractor(extractor.ExtractorSettings("/not/here", "org/tiny", "abc"))
    extractor.TableExtractor(extractor.ExtractorSettings(model, "org/tiny", "abc"))
    assert asked == [("org/tiny", "abc")]


def test_bulk_warnings_are_added_up_over_the_run(model, tmp_path):
    rows = [{"id": number, "text": "x" * 100} for number in range(5)]
    source = str(bulk_data.write_json_lines(tmp_path / "d.jsonl", rows))
    summary = extract_in_bulk(model, [source], tmp_path / "rows", BulkArguments(shard_size=2))
    assert summary.warnings == {"words have more subwords than a window: only their first ones are read": 5}


def test_extract_command_in_bulk_says_what_it_did_and_resumes(model, source, tmp_path, capsys):
    """Processes are spawned here, as users' are."""
    arguments = ["extract", model, source, "--output", str(tmp_path / "rows"), "--id_column", "id"]
    arguments += ["--num_processes", "2", "--shard_size", "20", "--relation_threshold", "0.9"]
    command = [sys.executable, "-m", "spert_cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"62 documents in {tmp_path / 'rows'}, each id once: ")
    assert main(arguments) == 0
    again = capsys.readouterr().out
    assert "(62 were there before)" in again and "1 rows with an error" in again
    (path, *_) = sorted((tmp_path / "rows").glob("*.parquet"))
    origin = json.loads(parquet.read_schema(path).metadata[b"spert"])
    assert origin["settings"]["relation_threshold"] == 0.9 and origin["model"] == "tiny"
    assert str(tmp_path) not in json.dumps(origin)
    digest = hashlib.sha256((Path(model) / "model.safetensors").read_bytes()).hexdigest()
    assert origin["weights_sha256"] == digest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to extract from: with --output FOLDER, name files"),
        (["Ada lived in Vik."], "INPUT Ada lived in Vik.: no such file, folder or match (with --output FOLDER"),
        (["d.jsonl", "--file", "d.jsonl"], "--file, --json and --jsonl do not go with --output FOLDER"),
        (["d.jsonl", "--num_processes", "0"], "--num_processes must be an integer >= 1, got 0"),
        (["d.jsonl", "--shard_size", "0"], "--shard_size must be an integer >= 1, got 0"),
        (["d.jsonl", "--precision", "auto"], "--precision auto may differ between processes"),
        (["d.jsonl", "--relation_threshold", "2"], "relation_threshold must be between 0 and 1, got 2.0"),
        (["d.jsonl", "--text_column", "body"], "d.jsonl has no column 'body' (--text_column); its columns: id, text"),
        (["d.jsonl", "--revision", "main"], "--revision main: MODEL"),
        (["d.jsonl", "--num_gpus", "1"], "--num_gpus and --checkpoint belong to --engine ray"),
        (["d.jsonl", "--engine", "ray", "--format", "jsonl"], "--engine ray writes parquet, got --format jsonl"),
        (["empty.jsonl"], "INPUT holds no documents: empty.jsonl"),
    ],
)
def test_extract_command_in_bulk_reports_a_mistake_in_one_line(
    model, source, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").write_text("\n", encoding="utf-8")
    status = main(["extract", model, *arguments, "--output", "rows"])
    printed = capsys.readouterr()
    assert status == 2 and printed.out == ""
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1 and message in printed.err
    assert not Path("rows").exists()


def test_progress_line_of_a_log_has_rate_and_time_left():
    line = describe_progress(Progress("extracting", 3_000, 10_000, before=1_000, errors=2), 100.0)
    assert line == "extracting: 3,000 of 10,000 documents (30.0 %), 20.0 a second, 5 min 50 s left, 2 errors"
    assert describe_progress(Progress("counting", 20_000), 10.0) == "reading ids: 20,000 documents, 2,000.0 a second"


def test_extract_command_refuses_flags_of_bulk_without_a_folder(model, capsys):
    assert main(["extract", model, "Ada.", "--id_column", "id"]) == 2
    assert "--id_column is for extraction in bulk: name a folder with --output" in capsys.readouterr().err
