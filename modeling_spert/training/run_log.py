"""What a run writes about itself: metrics.jsonl, eval_results.json and the lines for accelerate's trackers.

`metrics.jsonl` gets a line per event ("run", "train", "eval"), `eval_results.json` the last scores and what they are
scores of. The model's card is made from these two.
"""

import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from modeling_spert.version import __version__


class RunLog:
    """The record of one run. Only the main process writes.

    Args:
        folder: OUTPUT_DIR.
        accelerator: Tells which process is the main one; has the trackers.
    """

    def __init__(self, folder: Path, accelerator: Accelerator):
        self.folder, self.accelerator = folder, accelerator

    def write(self, kind: str, step: int, **values: Any) -> None:
        """Add a line to metrics.jsonl and send the numbers to the trackers."""
        if not self.accelerator.is_main_process:
            return
        line = {"kind": kind, "step": step, **values, "time": time.strftime("%Y-%m-%dT%H:%M:%S")}
        with open(self.folder / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
        numbers = {f"{kind}/{name}": value for name, value in values.items() if isinstance(value, int | float)}
        self.accelerator.log(numbers, step=step)

    def forget_after(self, step: int) -> None:
        """Drop the lines of later steps: a killed run had gone further than its last checkpoint.

        Raises:
            ValueError: If a line is damaged, except the last, which a kill may have cut.
        """
        path = self.folder / "metrics.jsonl"
        if not self.accelerator.is_main_process or not path.exists():
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        kept = [line for index, line in enumerate(whole, 1) if _step_of(line, f"{path}, line {index}") <= step]
        _replace_text(path, "".join(kept))

    def write_results(self, **results: Any) -> None:
        """Write eval_results.json."""
        if self.accelerator.is_main_process:
            content = json.dumps({"date": time.strftime("%Y-%m-%d"), **results}, indent=1, ensure_ascii=False)
            _replace_text(self.folder / "eval_results.json", content)


def _step_of(line: str, place: str) -> int:
    """The step of a line of metrics.jsonl.

    >>> _step_of('{"step": 3}', "metrics.jsonl, line 1")
    3
    """
    try:
        step = json.loads(line)["step"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{place} is damaged ({error!r}): remove the line to resume the run") from error
    if type(step) is not int:
        raise ValueError(f"{place} is damaged (step is {step!r}): remove the line to resume the run")
    return step


def _replace_text(path: Path, text: str) -> None:
    """Write a file anew, all or nothing."""
    staged = path.with_name(f".{path.name}.part")
    staged.write_text(text, encoding="utf-8")
    os.replace(staged, path)


def library_versions() -> dict[str, str]:
    """The versions of Python and of the libraries that a training depends on."""
    names = ("modeling-spert", "torch", "transformers", "accelerate")
    return {"Python": platform.python_version(), **{name: _version(name) for name in names}}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a checkout
        return __version__ if name == "modeling-spert" else "unknown"
