"""From brat annotations to a model, its errors and a page, by the command `spert` alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import save_backbone

from spert_cli import main

SENTENCES = ("Ada Lund works for Vikborg Rail .", "Bo Dahl works for Ostmark Bank .", "Eva Holm left Sorby Mills .")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Brat files, converted, and a model trained on them for two steps."""
    folder = tmp_path_factory.mktemp("project")
    brat = folder / "brat"
    brat.mkdir()
    for index in range(10):
        text = SENTENCES[index % 2] + "\n"
        person, place = text.index(" works"), text.index("for ") + 4
        end = text.index(" .")
        rows = [f"T1\tPerson 0 {person}\t{text[:person]}", f"T2\tOrg {place} {end}\t{text[place:end]}"]
        rows.append("R1\tworks_for Arg1:T1 Arg2:T2")
        (brat / f"{index}.txt").write_text(text, encoding="utf-8")
        (brat / f"{index}.ann").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert main(["convert", str(brat), "--from", "brat", "--output", str(folder / "data")]) == 0
    save_backbone("bert", folder / "encoder")
    arguments = ["--output_dir", str(folder / "model"), "--backbone", str(folder / "encoder"), "--max_steps", "2"]
    assert main(["train", str(folder / "data"), *arguments]) == 0
    return folder


def test_convert_writes_splits_and_types(project):
    rows = [
        row for name in ("train", "dev", "test") for row in json.loads((project / "data" / f"{name}.json").read_text())
    ]
    assert len(rows) == 10 and all(len(row["relations"]) == 1 for row in rows)


def test_check_reports_and_sets_the_exit_status(project, capsys):
    status = main(["check", str(project / "data"), "--html", str(project / "check.html")])
    assert status in (0, 1) and (project / "check.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert "works_for" in capsys.readouterr().out
    broken = project / "broken.json"
    broken.write_text('[{"tokens": ["a"], "entities": [{"type": "X", "start": 0, "end": 9}], "relations": []}]')
    assert main(["check", str(broken)]) == 2


def test_evaluate_prints_scores(project, capsys):
    assert main(["evaluate", str(project / "model"), str(project / "data"), "--split", "test", "--json"]) == 0
    assert "rel_strict_f1_micro" in json.loads(capsys.readouterr().out)


def test_analyse_writes_a_report_and_stores_thresholds(project, capsys):
    report = project / "report.html"
    arguments = [str(project / "model"), str(project / "data"), "--split", "test", "--output", str(report)]
    assert main(["analyse", *arguments, "--thresholds", "save"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Best thresholds on ")]
    assert "<html" in report.read_text("utf-8") and line in report.read_text("utf-8")


def test_extract_and_render_make_a_page(project, capsys):
    answers = project / "answers.jsonl"
    assert main(["extract", str(project / "model"), SENTENCES[2], "--output", str(answers)]) == 0
    for name in ("page.html", "page.svg"):
        assert main(["render", str(answers), "--output", str(project / name)]) == 0
        assert "Sorby" in (project / name).read_text("utf-8")
    for form in ("graphml", "csv", "nt"):
        assert main(["render", str(answers), "--to", form, "--output", str(project / f"out.{form}")]) == 0


def test_card_is_made_again(project):
    (project / "model" / "README.md").unlink()
    assert main(["card", str(project / "model"), "--repo", "org/name"]) == 0
    assert "org/name" in (project / "model" / "README.md").read_text("utf-8")


def test_card_of_a_folder_that_does_not_exist_says_so(capsys):
    assert main(["card", "runs/nope"]) == 2
    assert capsys.readouterr().err == "error: runs/nope: no such folder\n"


def test_help_of_train_shows_the_data_first(capsys):
    assert main(["train", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: spert train DATA --output_dir FOLDER [arguments]")


def test_push_refuses_what_is_not_a_folder(tmp_path, capsys):
    assert main(["push", str(tmp_path / "nope"), "org/name"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and "(spert push --help lists the arguments)" in printed


def test_push_without_a_network_gives_up_at_once_and_names_the_command(project, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("modeling_spert.hub.client.sleep", lambda seconds: pytest.fail("tried again"))
    assert main(["push", str(project / "model"), "org/name", "--private"]) == 1
    printed = capsys.readouterr().err.splitlines()[-1]
    assert "OfflineModeIsEnabled" in printed
    assert printed.endswith(f"To push it later: spert push {project / 'model'} org/name --private")


@pytest.mark.parametrize("command", ["evaluate", "analyse"])
def test_command_is_silent_about_loading(command, project):
    """A process of its own: a command in this one could have turned the progress bars off."""
    arguments = [str(project / "model"), str(project / "data"), "--split", "test"]
    arguments += ["--output", str(project / "silent.html")] if command == "analyse" else []
    done = subprocess.run([sys.executable, "-m", "spert_cli", command, *arguments], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
