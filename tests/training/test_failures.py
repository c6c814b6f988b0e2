"""One rule for every command: a mistake of the user's is exit code 2, a failure outside is 1, and one line says it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_data import write_dataset
from tiny_models import save_backbone

import train_accelerate
from modeling_spert.shared.commands import exit_code
from modeling_spert.training import failures
from spert_cli import main

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the benchmarks' server nor the Hub can be reached, and nothing is cached."""
    monkeypatch.setenv("MODELING_SPERT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELING_SPERT_DATASETS_URL", NOBODY)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # else every try waits for the next
    monkeypatch.chdir(tmp_path)


def train_script(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        train_accelerate.main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


COMMANDS = {
    "train_accelerate.py": lambda *arguments: train_script("--dataset", *arguments),
    "spert train": lambda *arguments: main(["train", *arguments]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_failed_download_of_data_is_exit_code_1(
    name: str, unreachable: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert COMMANDS[name]("conll04", "--output_dir", "out") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ") and NOBODY in last


@pytest.mark.parametrize("name", COMMANDS)
def test_failed_download_of_an_encoder_is_exit_code_1(
    name: str, unreachable: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_dataset(tmp_path / "data", train=4, dev=1)
    assert COMMANDS[name](str(data), "--backbone", "org/encoder", "--output_dir", "out") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: --backbone org/encoder: no such folder here, and not loaded from the Hub")


@pytest.mark.parametrize("name", COMMANDS)
def test_folder_that_is_not_there_is_exit_code_2(
    name: str, unreachable: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert COMMANDS[name]("./nope", "--output_dir", "out") == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize("command", [["check", "conll04"], ["extract", "org/model", "Ada."]])
def test_failed_download_of_any_command_is_exit_code_1(
    command: list[str], unreachable: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize(("status", "code"), [(401, 2), (404, 2), (429, 1), (500, 1), (503, 1)])
def test_exit_code_depends_on_what_the_hub_answered(status: int, code: int) -> None:
    """A repository that is not there is the user's mistake, a Hub that is overloaded is not."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    answer = httpx2.Response(status, request=httpx2.Request("GET", NOBODY))
    error = OSError("org/model cannot be loaded")
    error.__cause__ = HfHubHTTPError("no", response=answer)
    assert exit_code(error) == code


def test_error_of_one_process_alone_is_said_by_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setenv("RANK", "3")
    assert failures.report_once(OSError("disk full"), ArithmeticError) == 2
    assert capsys.readouterr().err == "error: disk full (process 3)\n" and waits == [failures._WAIT]
    monkeypatch.setenv("RANK", "0")
    assert failures.report_once(ArithmeticError("nan"), ArithmeticError) == 1
    assert capsys.readouterr().err == "error: nan\n" and len(waits) == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mistake", ["argument", "row"])
def test_mistake_is_said_once_by_two_processes(mistake: str, tmp_path: Path) -> None:
    """A real launch. The launcher adds its own report, which names the exit code of each process."""
    data = write_dataset(tmp_path / "data", train=4, dev=1)
    save_backbone("bert", tmp_path / "bert")
    arguments = ["--dataset", str(data), "--backbone", str(tmp_path / "bert"), "--output_dir", str(tmp_path / "out")]
    if mistake == "argument":
        arguments += ["--seeed", "3"]
    else:
        rows = json.loads((data / "train.json").read_text("utf-8"))
        rows[2]["entities"][0]["end"] = 99
        (data / "train.json").write_text(json.dumps(rows), "utf-8")
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--multi_gpu", "-m", "train_accelerate"]
    begin = time.monotonic()
    done = subprocess.run(
        [*launch, *arguments],
        cwd=ROOT,
        env={**os.environ, "ACCELERATE_USE_CPU": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(said) == 1 and ("--seed" if mistake == "argument" else "train.json") in said[0], done.stderr
    assert "exitcode  : 2" in done.stderr and "process 1)" not in said[0]
    assert time.monotonic() - begin < 240
