"""Trainings in processes of their own, to kill, stop, starve of disk space and compare."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
RESUME = ("--resume_from_checkpoint", "last")


@dataclass(frozen=True)
class TrainingRun:
    """One output folder, with the arguments that make it.

    Attributes:
        folder: The output folder.
        arguments: Of `train_accelerate.py`, the output folder excepted.
    """

    folder: Path
    arguments: tuple[str, ...]

    @property
    def command(self) -> list[str]:
        """All arguments of `train_accelerate.py`."""
        return [*self.arguments, "--output_dir", str(self.folder), "--log_every", "1"]

    def start(self, *flags: str, launcher: Sequence[str] = ("train_accelerate.py",)) -> "subprocess.Popen[str]":
        """Start it; standard output and error come together."""
        return subprocess.Popen(
            [sys.executable, *launcher, *self.command, *flags],
            cwd=ROOT,
            env={**os.environ, "ACCELERATE_USE_CPU": "1", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, *flags: str, launcher: Sequence[str] = ("train_accelerate.py",), seconds: int = 600) -> str:
        """Run it to its end, and return what it printed."""
        process = self.start(*flags, launcher=launcher)
        printed, _ = process.communicate(timeout=seconds)
        assert process.returncode == 0, printed
        return printed

    def losses(self) -> list[float]:
        """The loss of every step, as far as whole lines were written."""
        path = self.folder / "metrics.jsonl"
        lines = path.read_text("utf-8").split("\n")[:-1] if path.exists() else []
        return [line["loss"] for line in map(json.loads, lines) if line["kind"] == "train"]

    def weights(self) -> dict[str, torch.Tensor]:
        """The weights that the finished run saved."""
        return load_file(self.folder / "model.safetensors")


def wait_until(is_so: Callable[[], bool], process: "subprocess.Popen[str]", seconds: float = 600) -> bool:
    """Whether it became so while the process ran; a process that fails meanwhile is an error."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if process.poll() is not None:
            assert process.returncode == 0, process.communicate()[0]
            return is_so()
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)
    return True


def assert_same_run(ours: TrainingRun, theirs: TrainingRun) -> None:
    """The same losses and final weights, bit for bit."""
    assert ours.losses() == theirs.losses()
    one, two = ours.weights(), theirs.weights()
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in two)
