"""The versions that setup.py promises: a fresh environment with its floors, and the oldest Python, run the smoke tests.

`make test-versions` runs these; each makes an environment of about a gigabyte. torch is the exception: its floor is
declared, not run, because the CPU builds of older releases are not on the package index.
"""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 10)
# Import, configuration, a saved model, the pipeline, remote code, two steps of training, data, metric, push, exports.
SMOKE = (
    "tests/core/test_configuration.py",
    "tests/core/test_saved_models.py",
    "tests/core/test_pipeline.py",
    "tests/core/test_remote_code.py",
    "tests/training/test_trainer.py::test_training_output_is_a_model_folder_with_scores",
    "tests/evaluation/test_evaluate_module.py",
    "tests/datasets/test_parquet.py",
    "tests/hub/test_folders.py",
)
ONNX = ("tests/onnx/test_files.py", "tests/onnx/test_external_data.py")
# They import neither torch nor transformers.
WITHOUT_TORCH = ("tests/datasets/test_rows.py", "tests/datasets/test_types.py", "tests/datasets/test_demo_corpus.py")
# What the tests themselves need; at the newest release that fits.
TEST_TOOLS = ("pytest>=8", "pytest-timeout", "hypothesis", "packaging", "setuptools")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def read_requirements() -> dict[str, list[Requirement]]:
    """What setup.py requires: "" for everyone, then each extra."""
    tree = ast.parse((ROOT / "setup.py").read_text("utf-8"))
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXTRAS":
            found.update(ast.literal_eval(node.value))
        if isinstance(node, ast.keyword) and node.arg == "install_requires":
            found[""] = ast.literal_eval(node.value)
    return {extra: [Requirement(line) for line in lines] for extra, lines in found.items()}


def floors(*extras: str) -> list[str]:
    """Each requirement at its lowest release, as pip takes it; torch is left out."""
    pins = []
    for requirement in (one for extra in ("", *extras) for one in read_requirements()[extra]):
        (lowest,) = [part.version for part in requirement.specifier if part.operator == ">="]
        if requirement.name != "torch":
            pins.append(f"{requirement.name}=={lowest}")
    return pins


def pinned_torch() -> str:
    return next(
        line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line.startswith("torch==")
    )


def run(*command: object, cwd: Path = ROOT, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "HF_ENDPOINT")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**clean, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def make_environment(folder: Path, interpreter: str | Path, packages: list[str]) -> Path:
    """A fresh environment with these packages; its interpreter."""
    run(interpreter, "-m", "venv", folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    flags = shlex.split(os.environ.get("PIP_FLAGS", ""))
    run(python, "-m", "pip", "install", "--quiet", *flags, *TEST_TOOLS, *packages)
    return python


def run_tests(python: Path, *tests: str, flags: tuple[str, ...] = ()) -> str:
    """Run tests of the checkout there. Older libraries warn of newer ones: their warnings are not errors here."""
    settings = ("-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default", *flags)
    return run(python, "-m", "pytest", *settings, *tests, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")


def find_oldest_python() -> str:
    """The oldest Python that the package promises, or a skip."""
    name = f"python{OLDEST[0]}.{OLDEST[1]}"
    managed = sorted(Path.home().glob(f".pyenv/versions/{OLDEST[0]}.{OLDEST[1]}.*/bin/python"))
    for candidate in (*managed, shutil.which(name)):
        if candidate and subprocess.run([candidate, "--version"], capture_output=True).returncode == 0:
            return str(candidate)
    pytest.skip(f"{name} is not installed")


def test_floors_are_declared_for_every_requirement() -> None:
    declared = read_requirements()
    for extra in ("", "train", "onnx", "plot"):
        assert all(any(part.operator == ">=" for part in one.specifier) for one in declared[extra]), extra


def test_floors_run_the_smoke_tests(tmp_path: Path) -> None:
    python = make_environment(tmp_path / "floors", sys.executable, [pinned_torch(), *floors("train", "onnx", "plot")])
    run(python, "-m", "pip", "check")
    print(run_tests(python, *SMOKE, *ONNX).splitlines()[-1])


def test_oldest_python_compiles_everything_and_reads_data(tmp_path: Path) -> None:
    """Without torch, whose CPU build may not be at hand."""
    packages = [line for line in floors("train") if not line.startswith(("accelerate", "transformers"))]
    python = make_environment(tmp_path / "oldest", find_oldest_python(), packages)
    files = [*(ROOT / "modeling_spert").rglob("*.py"), *(ROOT / "datasets_scripts").rglob("*.py")]
    code = "import sys; [compile(open(f, encoding='utf-8').read(), f, 'exec') for f in sys.argv[1:]]"
    run(python, "-W", "error", "-c", code, *files, ROOT / "train_accelerate.py")
    # Without the settings of conftest.py: drawing the first examples of a new environment may take seconds.
    flags = ("--noconftest", "-k", "not whatever_passes")
    print(run_tests(python, *WITHOUT_TORCH, flags=flags).splitlines()[-1])


def test_oldest_python_runs_the_smoke_tests(tmp_path: Path) -> None:
    """With the newest transformers that takes this Python, and everything else at its newest."""
    interpreter = find_oldest_python()
    run(interpreter, "-m", "venv", tmp_path / "probe")
    python = tmp_path / "probe" / "bin" / "python"
    flags = shlex.split(os.environ.get("PIP_FLAGS", ""))
    report = tmp_path / "report.json"
    command = [python, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--report", report, *flags, "torch"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    address = json.loads(report.read_text("utf-8"))["install"][0]["download_info"]["url"] if not done.returncode else ""
    if sys.platform == "linux" and "cpu" not in address.rpartition("/")[2]:
        pytest.skip(f"no CPU build of torch for Python {OLDEST[0]}.{OLDEST[1]} is at hand: name its index in PIP_FLAGS")
    packages = ["torch", *(one.name for extra in ("", "train") for one in read_requirements()[extra])]
    python = make_environment(tmp_path / "oldest", interpreter, packages)
    print(run_tests(python, *SMOKE).splitlines()[-1])
