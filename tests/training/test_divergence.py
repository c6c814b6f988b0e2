"""Losses and weights that stop being finite: the training ends with a message, and what was good stays."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_data import build_rows, write_dataset
from tiny_models import save_backbone
from torch import nn

import train_accelerate
from modeling_spert import SpertModel
from modeling_spert.training import Trainer, TrainingDiverged
from modeling_spert.training.checkpoints import read_progress
from modeling_spert.training.negatives import TrainingCollator
from modeling_spert.training.steps import TrainingSteps

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    save_backbone("bert", tmp_path / "bert")
    data = write_dataset(tmp_path / "data", train=8)
    flags = ["--dataset", str(data), "--backbone", str(tmp_path / "bert"), "--output_dir", str(tmp_path / "out")]
    return [*flags, "--num_train_epochs", "3", "--log_every", "1"]


def break_at(monkeypatch: pytest.MonkeyPatch, wanted: int, spoil: Any) -> None:
    """Spoil the training at a step: `spoil` gets the model after the step's gradients were added."""
    add, taken = TrainingSteps._add_gradients, []

    def add_and_spoil(self: TrainingSteps, batches: list[dict[str, torch.Tensor]]) -> torch.Tensor:
        loss = add(self, batches)
        taken.append(1)
        return spoil(self, loss) if len(taken) == wanted else loss

    monkeypatch.setattr(TrainingSteps, "_add_gradients", add_and_spoil)


def run(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        train_accelerate.main(argv)
    assert stopped.value.code == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_loss_that_is_not_finite_stops_the_training(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_at(monkeypatch, 7, lambda steps, loss: loss * torch.nan)
    message = run([*command, "--log_every", "4"], capsys)
    assert message.startswith("error: the loss of step 7 is nan, on rows ") and "lower --learning_rate" in message
    lines = (tmp_path / "out" / "metrics.jsonl").read_text("utf-8").splitlines()
    steps = [json.loads(line, parse_constant=pytest.fail)["step"] for line in lines]
    assert steps == [0, 4]
    # The checkpoint of the first epoch is as it was, and nothing passes for a result.
    saved = SpertModel.from_pretrained(tmp_path / "out" / "last")
    assert all(parameter.isfinite().all() for parameter in saved.parameters())
    assert read_progress(tmp_path / "out" / "last")[0].step == 4
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_diverged_message_names_the_rows_of_the_step(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rows are those that the collator saw at that step, also where the loss is looked at later."""
    seen: list[list[int]] = []
    collate = TrainingCollator.__call__

    def note(self: TrainingCollator, rows: Any) -> Any:
        seen.append(sorted(sentence.row_id for row in rows for sentence in row.sentences))
        return collate(self, rows)

    monkeypatch.setattr(TrainingCollator, "__call__", note)
    break_at(monkeypatch, 6, lambda steps, loss: loss * torch.inf)
    message = run([*command, "--log_every", "50"], capsys)
    first, second = seen[5]  # step 6
    assert f"step 6 is inf, on rows {first} (orig_id '{first}'), {second} (orig_id '{second}') of train" in message


def test_weights_that_are_not_finite_are_never_saved(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last gradient of an epoch is broken: no loss shows it before the checkpoint would be written."""

    def spoil(steps: TrainingSteps, loss: torch.Tensor) -> torch.Tensor:
        next(p for p in steps._model.parameters() if p.grad is not None).grad.fill_(torch.nan)
        return loss

    break_at(monkeypatch, 8, spoil)
    message = run([*command, "--eval_every", "1"], capsys)
    assert "not finite after step 8" in message
    for folder in (tmp_path / "out", tmp_path / "out" / "last"):
        saved = SpertModel.from_pretrained(folder)
        assert all(parameter.isfinite().all() for parameter in saved.parameters()), folder
    assert json.loads((tmp_path / "out" / "eval_results.json").read_text("utf-8"))["step"] == 4


def test_learning_rate_that_is_too_high_stops_the_training(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any help: the attack of a review."""
    message = run([*command, "--learning_rate", "1e30", "--warmup_ratio", "0", "--max_steps", "30"], capsys)
    assert "not finite" in message or "is nan" in message or "is inf" in message
    assert "--learning_rate (it is 1e+30)" in message and not (tmp_path / "out" / "model.safetensors").exists()


def test_weights_that_are_not_finite_before_the_training_are_refused(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = save_backbone("bert", tmp_path / "bert")
    with torch.no_grad():
        next(encoder.parameters())[3] = torch.nan
    encoder.save_pretrained(tmp_path / "bert")
    with pytest.raises(SystemExit) as stopped:
        train_accelerate.main(command)
    message = capsys.readouterr().err.splitlines()[-1]
    assert stopped.value.code == 2 and "is not finite before any training" in message and "--backbone" in message


SPOILED = """
import torch, sys
import train_accelerate
from modeling_spert.training.steps import TrainingSteps
add = TrainingSteps._add_gradients
def spoiled(self, batches):
    loss = add(self, batches)
    self.count = getattr(self, "count", 0) + 1
    bad = self.count == 3 and self.accelerator.process_index == 1
    return loss * torch.nan if bad else loss
TrainingSteps._add_gradients = spoiled
train_accelerate.main(sys.argv[1:])
"""


def test_loss_of_one_process_stops_all(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "spoiled.py").write_text(SPOILED)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    process = subprocess.run(
        [*launcher, str(tmp_path / "spoiled.py"), *command],
        cwd=ROOT,
        env={**os.environ, "ACCELERATE_USE_CPU": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert process.returncode != 0
    lines = [line for line in process.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and "the loss of step 3 is nan" in lines[0]  # the first process says it for both
    assert read_progress(tmp_path / "out" / "last")[0].step == 2  # of the epoch before, as it was


def test_trainer_raises_for_python_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets_scripts import load_joint_dataset
    from modeling_spert.training import TrainingArguments, build_model

    save_backbone("bert", tmp_path / "bert")
    (tmp_path / "train.json").write_text(json.dumps(build_rows(4, 1)))
    args = TrainingArguments(output_dir=str(tmp_path / "out"), backbone=str(tmp_path / "bert"), max_steps=4)
    data = load_joint_dataset(tmp_path / "train.json")
    model, tokenizer = build_model(args, data)
    break_at(monkeypatch, 2, lambda steps, loss: loss * torch.nan)
    with pytest.raises(TrainingDiverged, match="step 2 is nan"):
        Trainer(model, tokenizer, data, args).train()


def test_half_precision_advice_names_bf16(tmp_path: Path) -> None:
    from modeling_spert.training import TrainingArguments
    from modeling_spert.training.divergence import LossWatch

    class Accelerator:
        num_processes = 1

        def reduce(self, value: torch.Tensor, _: str) -> torch.Tensor:
            return value

    args = TrainingArguments(output_dir="x", mixed_precision="fp16")
    watch = LossWatch(Accelerator(), args, [{"orig_id": "a"}])  # type: ignore[arg-type]
    watch.add(torch.tensor(torch.inf))
    with pytest.raises(TrainingDiverged, match="Start again with --mixed_precision bf16"):
        watch.check(nn.Linear(1, 1), 1, lambda step: [0])
