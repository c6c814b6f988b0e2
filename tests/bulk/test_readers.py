"""Documents of files of every kind: the same records whatever the format, from any row, and errors with their place."""

import bz2
import csv
import gzip
import json
import lzma
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from modeling_spert.bulk.inputs import find_inputs
from modeling_spert.bulk.readers import Columns, Record, count_records, read_records

COLUMNS = Columns(text="body", id="key")
ROWS = [("a", "Ada lived in Vik."), ("7", 'She said "no", twice.\nThen left.'), ("c", "Ünïcode — 東京"), ("d", "")]


def write(folder: Path, name: str, rows: list[tuple[str, str]]) -> Path:
    """The rows in the format that the name ends in."""
    path = folder / name
    if name.endswith(".parquet"):
        table = pa.table({"key": [k for k, _ in rows], "extra": [1] * len(rows), "body": [t for _, t in rows]})
        parquet.write_table(table, path, row_group_size=3)
        return path
    if ".jsonl" in name:
        content = "".join(json.dumps({"key": k, "extra": 1, "body": t}) + "\n" for k, t in rows).encode()
    else:
        with open(path, "w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter="\t" if ".tsv" in name else ",").writerows([("key", "body"), *rows])
        content = path.read_bytes()
    packers = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}
    path.write_bytes(packers.get(path.suffix, bytes)(content))
    return path


def zstd(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


def only(path: Path):
    (file,) = find_inputs([str(path)], path.parent / "rows")
    return file


@pytest.mark.parametrize("start", [0, 1, 3, 4])
@pytest.mark.parametrize(
    "name", ["d.jsonl", "d.csv", "d.tsv", "d.parquet", "d.jsonl.gz", "d.csv.bz2", "d.jsonl.xz", "d.jsonl.zst"]
)
def test_readers_give_the_same_records_from_every_format(tmp_path, name, start):
    file = only(write(tmp_path, name, ROWS))
    assert list(read_records(file, COLUMNS, start)) == [Record(k, t) for k, t in ROWS[start:]]
    assert count_records(file, COLUMNS) == len(ROWS)
    named = [record.id for record in read_records(file, Columns(text="body"), start)]
    assert named == [f"{name}:{row + 1}" for row in range(start, len(ROWS))]


@given(
    rows=st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text()), max_size=12),
    kind=st.sampled_from(["jsonl", "csv", "parquet"]),
    data=st.data(),
)
def test_readers_give_back_what_was_written_from_any_row(tmp_path_factory, rows, kind, data):
    clean = [(k, t.encode("utf-8", "replace").decode()) for k, t in rows]
    if kind == "csv":  # a carriage return within a field survives, a NUL does not exist in CSV
        clean = [(k.replace("\0", "0"), t.replace("\0", "0")) for k, t in clean]
    start = data.draw(st.integers(0, len(clean)))
    file = only(write(tmp_path_factory.mktemp("any"), f"d.{kind}", clean))
    assert list(read_records(file, COLUMNS, start)) == [Record(k, t) for k, t in clean[start:]]
    assert count_records(file, COLUMNS) == len(clean)


def test_readers_read_text_files_whole_or_by_line(tmp_path):
    (tmp_path / "n.txt").write_bytes(b"\xef\xbb\xbfAda.\r\n\r\nVik.\n")
    file = only(tmp_path / "n.txt")
    assert list(read_records(file, Columns())) == [Record("n.txt", "Ada.\r\n\r\nVik.\n")]
    lines = Columns(lines=True)
    assert list(read_records(file, lines)) == [Record("n.txt:1", "Ada."), Record("n.txt:2", "Vik.")]
    assert (count_records(file, Columns()), count_records(file, lines)) == (1, 2)


def test_readers_keep_a_text_that_cannot_be_read_as_a_problem_of_its_row(tmp_path):
    lines = [b'{"id": 1, "text": "a"}', b'{"id": 2, "text": null}', b'{"id": 3}', b'{"id": 4, "text": 5}']
    lines += [b'{"id": 5, "text": "\\ud800"}']
    (tmp_path / "d.jsonl").write_bytes(b"\n".join(lines))
    found = list(read_records(only(tmp_path / "d.jsonl"), Columns(id="id")))
    assert [(r.id, r.text) for r in found] == [("1", "a"), *((str(k), None) for k in (2, 3, 4, 5))]
    assert [r.problem for r in found[1:]] == [
        *["no text: column 'text' is null or missing"] * 2,
        "column 'text' must hold text, got int",
        "column 'text' is not valid Unicode",
    ]
    (tmp_path / "n.txt").write_bytes(b"Ada\nV\xffk\n")
    assert "not text in UTF-8" in (list(read_records(only(tmp_path / "n.txt"), Columns(lines=True)))[1].problem or "")


def test_readers_keep_a_line_that_is_not_json_where_ids_are_of_the_file(tmp_path):
    (tmp_path / "d.jsonl").write_text('{"text": "a"}\nnope\n[1]\n', encoding="utf-8")
    found = list(read_records(only(tmp_path / "d.jsonl"), Columns()))
    assert [r.id for r in found] == ["d.jsonl:1", "d.jsonl:2", "d.jsonl:3"]
    assert all(r.text is None and (r.problem or "").startswith("not a JSON object") for r in found[1:])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.jsonl", b'{"id": 1, "text": "a"}\nnope\n', "d.jsonl, row 2 is not a JSON object"),
        ("d.jsonl", b'{"id": null, "text": "a"}\n', "d.jsonl, row 1: the id (column 'id') is null or missing"),
        ("d.jsonl", b'{"id": 1.5, "text": "a"}\n', "d.jsonl, row 1: an id must be text or an integer, got float 1.5"),
        ("d.jsonl", b'{"id": "\\ud800", "text": "a"}\n', "is not valid Unicode"),
        ("d.jsonl", b'{"ID": 1, "text": "a"}\n', "d.jsonl has no column 'id' (--id_column); its columns: ID, text"),
        ("d.jsonl", b'[{"id": 1}]', "d.jsonl is one JSON list, which cannot be streamed"),
        ("d.csv", b"id,text\n1,a\n,b\n", "d.csv, row 2: the id (column 'id') is empty"),
        ("d.csv", b"id,text\n1,a,b\n", "d.csv, row 1 has 3 fields, the header 2"),
        ("d.csv", b'id,text\n1,a\n2,"b\n3,c\n', "d.csv, row 2 (line 4) is not CSV: unexpected end of data"),
        ("d.csv", b"id,id,text\n1,1,a\n", "d.csv has more than one column 'id' (--id_column)"),
        ("d.csv", b"", "d.csv has no column 'text' (--text_column); its columns: none"),
        ("d.parquet", b"PAR1nonsense", "d.parquet cannot be read"),
        ("d.jsonl.gz", gzip.compress(b'{"id": 1, "text": "a"}\n' * 99)[:-12], "d.jsonl.gz cannot be read: EOFError"),
        ("d.jsonl.zst", b"nonsense", "d.jsonl.zst cannot be read"),
        ("d.txt", b"Ada.", "d.txt is plain text, which has no columns: leave --id_column out"),
    ],
)
def test_readers_name_file_and_row_of_what_makes_ids_uncertain(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError) as caught:
        list(read_records(only(tmp_path / name), Columns(id="id")))
    assert message in str(caught.value)


def test_inputs_of_folders_and_globs_are_files_of_known_kinds_in_order(tmp_path):
    for name in ("b.jsonl", "a/2.csv.gz", "a/1.csv", "README.md", "_SUCCESS", ".hidden/x.csv", "_old/x.csv", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    output = tmp_path.parent / "rows"
    assert [f.name for f in find_inputs([str(tmp_path)], output)] == ["a/1.csv", "a/2.csv.gz", "b.jsonl", "c.txt"]
    assert [f.name for f in find_inputs([f"{tmp_path}/a/*.csv*"], output)] == ["1.csv", "2.csv.gz"]
    found = find_inputs([f"{tmp_path}/c.txt", f"file://{tmp_path}/a"], output)
    assert [(f.name, f.kind, f.compression, f.size) for f in found] == [
        ("c.txt", "text", None, 1),
        ("a/1.csv", "csv", None, 1),
        ("a/2.csv.gz", "csv", "gzip", 1),
    ]
    assert all(f.stamp.startswith("mtime=") for f in found)


def test_inputs_at_an_address_of_fsspec_are_read(tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/bulk/one.jsonl.gz", gzip.compress(b'{"text": "Ada."}\n'))
    memory.pipe("/bulk/two.jsonl", b'{"text": "Vik."}\n')
    files = find_inputs(["memory://bulk"], tmp_path)
    assert [r for f in files for r in read_records(f, Columns())] == [
        Record("one.jsonl.gz:1", "Ada."),
        Record("two.jsonl:1", "Vik."),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.jsonl"], "INPUT nope.jsonl: no such file, folder or match"),
        (["*.jsonl"], "INPUT *.jsonl: no file of a known kind"),
        (["empty"], "INPUT empty: no file of a known kind"),
        (["a.pdf"], "a.pdf: its name must end in one of .jsonl"),
        (["t.parquet.gz"], "t.parquet.gz: its name must end in"),
        (["d.csv", "d.csv"], "d.csv is named twice"),
        (["rows"], "INPUT rows has the output folder in it; choose another --output"),
        (["rows/*"], "is in the output folder; choose another --output"),
        (["."], "INPUT . has the output folder in it; choose another --output"),
        (["nosuch://x/y.csv"], "INPUT nosuch://x/y.csv: Protocol not known: nosuch"),
    ],
)
def test_inputs_that_cannot_be_read_are_named(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    for name in ("a.pdf", "d.csv", "t.parquet.gz", "rows/part.parquet", "empty/x.md"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("x", encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        find_inputs(arguments, Path("rows"))
    assert message in str(caught.value)
