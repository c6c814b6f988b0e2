"""`spert extract`: texts, files and pipes in; a table, JSON or JSON Lines out; mistakes end in one line."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_pipeline import TEXT, assert_same_answers, save_folder, tiny_model, tiny_pipeline, tiny_tokenizer

from spert_cli import main
from spert_cli.models import format_answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def expected() -> dict:
    return tiny_pipeline(tiny_model())(TEXT)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_extract_prints_entities_and_relations_of_a_text(folder, expected, capsys):
    status, out, _ = run(capsys, "extract", str(folder), TEXT)
    assert status == 0 and out.startswith(TEXT)
    assert out.count("→") == len(expected["relations"]) > 0
    assert all(f"{e['text']}  [{e['label']} {e['score']:.2f}]" in out for e in expected["entities"])


def test_extract_prints_json_lines_that_the_pipeline_would_answer(folder, expected, capsys):
    _, out, _ = run(capsys, "extract", str(folder), TEXT, "Ada.", "--jsonl")
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == 2
    assert_same_answers(answers[:1], [expected])


def test_extract_keeps_overlaps_as_the_model_says(tmp_path, capsys):
    from transformers import pipeline

    model = tiny_model(overlap="flat")
    model.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    flat = pipeline("joint-extraction", model=str(tmp_path))(TEXT)["entities"]
    _, out, _ = run(capsys, "extract", str(tmp_path), TEXT, "--json")
    _, wide, _ = run(capsys, "extract", str(tmp_path), TEXT, "--json", "--overlap", "allow")
    assert [e["words"] for e in json.loads(out)[0]["entities"]] == [e["words"] for e in flat]
    assert len(json.loads(wide)[0]["entities"]) > len(flat)


def test_extract_prints_one_json_list(folder, capsys):
    _, out, _ = run(capsys, "extract", str(folder), "Ada.", "Vik.", "--json")
    assert [answer["text"] for answer in json.loads(out)] == ["Ada.", "Vik."]


def test_extract_reads_a_file_as_one_text_or_by_line(folder, tmp_path, capsys):
    file = tmp_path / "notes.txt"
    file.write_text("Ada Lund was born\nin Vik.\n\nShe wrote.\n", encoding="utf-8")
    _, whole, _ = run(capsys, "extract", str(folder), "--file", str(file), "--jsonl")
    assert [json.loads(line)["text"] for line in whole.splitlines()] == ["Ada Lund was born\nin Vik.\n\nShe wrote."]
    _, lines, _ = run(capsys, "extract", str(folder), "--file", str(file), "--lines", "--jsonl")
    assert [json.loads(line)["text"] for line in lines.splitlines()] == ["Ada Lund was born", "in Vik.", "She wrote."]


@pytest.mark.parametrize("content", ['{"text": "Ada."}\n{"tokens": ["Vik", "."]}\n', '[{"text": "Ada."},\n "Vik ."]'])
def test_extract_reads_json_and_json_lines(folder, tmp_path, capsys, content):
    file = tmp_path / "inputs.jsonl"
    file.write_text(content, encoding="utf-8")
    _, out, _ = run(capsys, "extract", str(folder), "--file", str(file), "--jsonl")
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["Ada.", "Vik ."]


def test_extract_reads_a_pipe(folder):
    command = [sys.executable, "-m", "spert_cli", "extract", str(folder), "-", "--lines", "--jsonl"]
    done = subprocess.run(command, input="Ada.\nVik.\n", capture_output=True, text=True, check=True)
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["Ada.", "Vik."]


def test_extract_without_arguments_reads_a_pipe(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("Ada Lund.\n"))
    assert run(capsys, "extract", str(folder))[1].startswith("Ada Lund.")


def test_extract_writes_a_file_whole_or_not_at_all(folder, tmp_path, capsys):
    output = tmp_path / "answers.jsonl"
    status, out, _ = run(capsys, "extract", str(folder), "Ada.", "--output", str(output))
    assert status == 0 and out == "" and json.loads(output.read_text("utf-8"))["text"] == "Ada."
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": 3}', encoding="utf-8")
    before = output.read_bytes()
    status, _, err = run(capsys, "extract", str(folder), "--file", str(bad), "--output", str(output))
    assert status == 2 and err.startswith("error: ") and output.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.jsonl", "bad.jsonl"]


def test_format_answer_keeps_each_entity_on_one_line():
    entities = [{"text": "Ada\nLund", "label": "P", "score": 0.9}, {"text": "Vik\n Bank", "label": "O", "score": 0.8}]
    relations = [{"label": "runs", "score": 0.7, "head": 0, "tail": 1}]
    lines = format_answer({"text": "Text.", "entities": entities, "relations": relations}).splitlines()
    assert lines[1:] == ["    Ada Lund  [P 0.90]", "    Vik Bank  [O 0.80]", "    Ada Lund —runs 0.70→ Vik Bank"]


def test_extract_warns_of_an_empty_text(folder, capsys):
    status, out, err = run(capsys, "extract", str(folder), "Ada.", " ", "--jsonl")
    assert status == 0 and len(out.splitlines()) == 2 and err == "warning: text 2 is empty\n"


def test_extract_names_file_and_place_of_an_input_it_cannot_read(folder, tmp_path, capsys):
    """Of the form and of what is in it; also after so many rows that not all places are remembered."""
    (tmp_path / "good.txt").write_text("Ada.\n" * 1500, encoding="utf-8")
    lines, rows = tmp_path / "answers.jsonl", tmp_path / "rows.json"
    lines.write_text('{"text": "Ada."}\n\n{"text": "Vik.", "entities": [], "relations": []}\n', encoding="utf-8")
    rows.write_text('["Ada.", {"tokens": ["Ada"], "entities": [{"start": 0, "end": 9, "label": "P"}]}]', "utf-8")
    for file, place in ((lines, "line 3: unknown keys ['relations']"), (rows, 'row 1: "entities"[0]: end is 9')):
        files = ["--file", str(tmp_path / "good.txt"), "--file", str(file)]
        status, _, err = run(capsys, "extract", str(folder), *files, "--lines", "--output", str(tmp_path / "out.jsonl"))
        assert status == 2 and err.startswith(f"error: {file}, {place}") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tests/nope", "Ada."], "MODEL tests/nope: no such folder"),
        (["./nope", "Ada."], "MODEL ./nope: no such folder"),
        (["FOLDER", "--file", "nope.txt"], "--file nope.txt: no such file"),
        (["FOLDER", "--file", "."], "--file .: this is a folder"),
        (["FOLDER", "setup.py"], "setup.py is a file: write --file setup.py to read it"),
        (["FOLDER", "Ada.", "--json", "--jsonl"], "--json and --jsonl exclude each other"),
        (["FOLDER", "Ada.", "--relation_treshold", "0.2"], "--relation_threshold"),
        (["FOLDER", "Ada.", "--relation_threshold", "2"], "relation_threshold must be between 0 and 1, got 2.0"),
        (["FOLDER", "Ada.", "--batch_size", "0"], "batch_size"),
        (["FOLDER", "Ada.", "--overlap", "none"], "overlap"),
    ],
)
def test_extract_reports_a_mistake_in_one_line(folder, capsys, arguments, message):
    status, out, err = run(capsys, "extract", *(str(folder) if a == "FOLDER" else a for a in arguments))
    assert status == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err


def test_mistake_in_json_names_its_line_once(folder, tmp_path, capsys):
    file = tmp_path / "bad.jsonl"
    file.write_text('\n{"text": "Ada."}\n{"text": Ada}\n', encoding="utf-8")
    status, _, err = run(capsys, "extract", str(folder), "--file", str(file))
    assert status == 2 and err == f"error: {file}, line 3, column 10 is not valid JSON: Expecting value\n"
    file.write_text('[{"text": "Ada."},\n {"text": Ada}]', encoding="utf-8")
    status, _, err = run(capsys, "extract", str(folder), "--file", str(file))
    assert status == 2 and err == f"error: {file}, line 2, column 11 is not valid JSON: Expecting value\n"
    file.write_text("[" * 100_000, encoding="utf-8")
    status, _, err = run(capsys, "extract", str(folder), "--file", str(file))
    assert status == 2 and err == f"error: {file}, line 1 is nested too deep\n"


def test_render_says_what_is_not_an_answer(tmp_path, capsys):
    cases = (("none.json", "[]", "holds no answers"), ("a.txt", "Ada.", "holds text, not answers"))
    for name, content, message in cases:
        (tmp_path / name).write_text(content, encoding="utf-8")
        status, _, err = run(capsys, "render", str(tmp_path / name), "--output", str(tmp_path / "a.html"))
        assert status == 2 and message in err and not (tmp_path / "a.html").exists()


def test_render_names_the_argument_that_it_has(tmp_path, capsys):
    status, _, err = run(capsys, "render", str(tmp_path / "nofile"))
    assert status == 2 and err == f"error: FILE {tmp_path / 'nofile'}: no such file\n"


def test_convert_names_the_flag_of_an_unknown_format(tmp_path, capsys):
    status, _, err = run(capsys, "convert", str(tmp_path), "--from", "bart", "--output", str(tmp_path / "out"))
    assert status == 2 and err.startswith("error: --from must be auto or one of brat, ") and "got 'bart'" in err


def test_unknown_split_is_named_once(folder, capsys):
    status, _, err = run(capsys, "evaluate", str(folder), "demo", "--split", "tset")
    assert status == 2 and err.count("tset") == 1 and "it has: train, dev, test" in err


def test_extract_refuses_a_folder_without_a_model(tmp_path, capsys):
    status, _, err = run(capsys, "extract", str(tmp_path), "Ada.")
    assert status == 2 and "holds no model: there is no config.json in it" in err


@pytest.mark.parametrize(
    "command", ["check", "convert", "train", "evaluate", "extract", "serve", "analyse", "render", "demo"]
)
def test_help_of_every_command_has_an_example(command, capsys):
    status, out, _ = run(capsys, command, "--help")
    assert status == 0 and "spert" in out


def test_mistyped_command_names_the_nearest(capsys):
    status, _, err = run(capsys, "extrct")
    assert status == 2 and err.count("\n") == 1 and "extract" in err
