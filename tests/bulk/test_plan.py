"""Shards of a plan, ids that come twice, shares, and files that are whole or absent."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from modeling_spert.bulk import writers
from modeling_spert.bulk.inputs import find_inputs
from modeling_spert.bulk.local import SHARE_CHARACTERS, SHARE_DOCUMENTS, make_shares
from modeling_spert.bulk.model_source import ModelSource
from modeling_spert.bulk.plan import Plan, Request, load_counts
from modeling_spert.bulk.readers import Columns, Record
from modeling_spert.bulk.repeats import Digests, find_repeat
from modeling_spert.bulk.rows import failed_table

MODEL = ModelSource("tiny", "/models/tiny", None, "w", "f")


def make_plan(folder: Path, counts: list[int], shard_size: int, **changes: object) -> Plan:
    for number, count in enumerate(counts):
        (folder / f"{number:02d}.txt").write_text("".join(f"{number} {row}\n" for row in range(count)), "utf-8")
    files = tuple(find_inputs([f"{folder}/*.txt"], folder / "rows"))
    request = Request(MODEL, Columns(lines=True), {"overlap": "allow"}, shard_size, "parquet", "local", "1", files)
    return Plan(replace(request, **changes), tuple(counts))  # type: ignore[arg-type]


@given(
    counts=st.lists(st.integers(0, 7), min_size=1, max_size=6),
    shard_size=st.integers(1, 9),
    data=st.data(),
)
def test_plan_reads_each_document_of_its_shards_once_and_in_order(tmp_path_factory, counts, shard_size, data):
    plan = make_plan(tmp_path_factory.mktemp("plan"), counts, shard_size)
    texts = [f"{number} {row}" for number, count in enumerate(counts) for row in range(count)]
    ranges = [plan.shard_range(shard) for shard in range(plan.num_shards)]
    assert [end - first for first, end in ranges[:-1]] == [shard_size] * (len(ranges) - 1)
    assert [k for first, end in ranges for k in range(first, end)] == list(range(len(texts)))
    shards = data.draw(st.sets(st.sampled_from(range(plan.num_shards)))) if texts else set()
    found = [(shard, record.text) for shard, record in plan.read(shards)]
    assert found == [(shard, text) for shard in sorted(shards) for text in texts[slice(*ranges[shard])]]


def test_plan_notices_a_file_that_has_lost_rows(tmp_path):
    plan = make_plan(tmp_path, [5], 2)
    (tmp_path / "00.txt").write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"00.txt held 5 documents when they were counted, now 2"):
        list(plan.read({1, 2}))


@given(sizes=st.lists(st.lists(st.integers(0, SHARE_CHARACTERS), max_size=4), max_size=4))
def test_shares_hold_each_document_once_and_depend_on_their_shard_alone(sizes):
    documents = [
        (shard, Record(f"{shard}-{n}", "x" * size)) for shard, of in enumerate(sizes) for n, size in enumerate(of)
    ]
    shares = list(make_shares(iter(documents)))
    assert [(share.shard, record) for share in shares for record in share.documents] == documents
    assert all(1 <= len(share.documents) <= SHARE_DOCUMENTS for share in shares)
    for shard in range(len(sizes)):
        alone = list(make_shares(iter([pair for pair in documents if pair[0] == shard])))
        assert alone == [share for share in shares if share.shard == shard]


def test_shares_are_bounded_by_documents():
    shares = list(make_shares(iter([(0, Record(str(n), "x")) for n in range(SHARE_DOCUMENTS + 1)])))
    assert [(share.first, len(share.documents)) for share in shares] == [(0, SHARE_DOCUMENTS), (SHARE_DOCUMENTS, 1)]


@given(ids=st.lists(st.text("abc", max_size=3), max_size=40), in_memory=st.integers(1, 8))
def test_digests_find_what_comes_twice_in_memory_and_in_files(tmp_path_factory, ids, in_memory):
    with Digests(tmp_path_factory.mktemp("ids"), in_memory) as digests:
        for identity in ids:
            digests.add(identity)
        found = len(digests.repeated())
    assert found == sum(ids.count(identity) > 1 for identity in set(ids))


def test_find_repeat_names_both_places_and_is_not_misled_by_a_shared_digest(tmp_path, monkeypatch):
    rows = [("a", "row 1"), ("b", "row 2"), ("c", "row 3"), ("b", "row 4")]
    assert find_repeat(lambda: rows, tmp_path) == (4, ("b", "row 2", "row 4"))
    monkeypatch.setattr("modeling_spert.bulk.repeats.digest_of", lambda identity: 7)
    assert find_repeat(lambda: rows[:3], tmp_path) == (3, None)
    assert find_repeat(lambda: rows, tmp_path) == (4, ("b", "row 2", "row 4"))
    assert list(tmp_path.iterdir()) == []


def test_plan_is_refused_where_another_extraction_has_written(tmp_path):
    plan = make_plan(tmp_path, [3, 2], 2)
    output = tmp_path / "rows"
    output.mkdir()
    assert load_counts(plan.request, output) is None
    plan.save(output)
    assert load_counts(plan.request, output) == (3, 2)
    elsewhere = replace(plan.request, model=replace(MODEL, name="same", folder="/elsewhere"))
    assert load_counts(elsewhere, output) == (3, 2)
    changes = {
        "the model was another one": {"model": replace(MODEL, files_sha256="g")},
        "text was text, now body": {"columns": Columns(text="body", lines=True)},
        "overlap was allow, now flat": {"settings": {"overlap": "flat"}},
        "shard_size was 2, now 3": {"shard_size": 3},
        "format was parquet, now jsonl": {"format": "jsonl"},
        "engine was local, now ray": {"engine": "ray"},
        "version was 1, now 2": {"version": "2"},
        "input 01.txt is gone": {"inputs": plan.request.inputs[:1]},
        "the inputs were in another order": {"inputs": plan.request.inputs[::-1]},
        "input 00.txt has changed since": {
            "inputs": (replace(plan.request.inputs[0], stamp="mtime=1"), plan.request.inputs[1])
        },
    }
    for message, change in changes.items():
        with pytest.raises(ValueError) as caught:
            load_counts(replace(plan.request, **change), output)
        assert f"--output {output} holds rows of another extraction: {message}" in str(caught.value)


def test_plan_is_refused_in_a_folder_of_something_else(tmp_path):
    request = make_plan(tmp_path, [1], 2).request
    with pytest.raises(ValueError, match=r"is not empty \(00.txt is in it\): name a new folder"):
        load_counts(request, tmp_path)


def test_writer_writes_a_shard_whole_or_not_at_all(tmp_path, monkeypatch):
    output = tmp_path / "rows"
    output.mkdir()
    plan = make_plan(tmp_path, [3], 2)
    writer = writers.ShardWriter(plan, output)
    table = failed_table([Record("a", "x"), Record("b", None)], "why")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writers.os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            writer.write(0, table)
    assert list(output.iterdir()) == [] and not writer.is_written(0)
    writer.write(0, table)
    assert writer.is_written(0) and not writer.is_written(1)
    assert [path.name for path in output.iterdir()] == ["part-00000-of-00002.parquet"]
    origin = json.loads(parquet.read_schema(writer.path(0)).metadata[b"spert"])
    assert origin["model"] == "tiny" and origin["weights_sha256"] == "w" and origin["shard"] == 0
    with pytest.raises(ValueError, match="was written by another extraction"):
        writers.ShardWriter(make_plan(tmp_path, [3], 2, version="2"), output).is_written(0)
    writer.path(0).write_bytes(b"PAR1 damaged")
    assert not writer.is_written(0)


def test_remove_temporaries_leaves_only_what_is_whole(tmp_path):
    for name in ("part-0.parquet", ".part-1.parquet.tmp", ".ids-x/000", "_spert_plan.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    writers.remove_temporaries(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_spert_plan.json", "part-0.parquet"]
