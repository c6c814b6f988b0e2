"""The distributions: what they hold, and that the wheel works in an empty environment, away from the checkout."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from modeling_spert.version import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("modeling_spert", "datasets_scripts", "spert_cli", "spert_pages")
NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")
TEXT = "Bela Quist, who lives in Norvane, has worked for the Harbour Institute since May."


def run(*command: object, cwd: Path) -> str:
    """Runs a command without the checkout on its path; returns what it printed, or fails with that."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    arguments = [str(part) for part in command]
    result = subprocess.run(arguments, cwd=cwd, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def read_metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def project_name(requirement: str) -> str:
    """The normalised name in a line such as ``PyYAML>=6; extra == "train"``."""
    return canonicalize_name(Requirement(requirement).name)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel built from it.

    Built in a copy: setuptools leaves a build folder behind, and what is stale in it would get into the next wheel.
    """
    source = tmp_path_factory.mktemp("source") / "checkout"
    shutil.copytree(ROOT, source, ignore=NOT_SOURCE)
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source, cwd=out)
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


def test_packaging_wheel_contents(wheel: Path):
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {path.name for path in ROOT.glob("*_accelerate.py")} | {"modeling_spert/model_card.md"}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        card = archive.read("modeling_spert/model_card.md")
    assert names == expected
    assert "train_accelerate.py" in names
    assert card == (ROOT / "model_card.md").read_bytes()


def test_packaging_wheel_metadata(wheel: Path):
    metadata = read_metadata(wheel)
    requirements = metadata.get_all("Requires-Dist", [])
    core = {requirement for requirement in requirements if "extra ==" not in requirement}
    assert (metadata["Name"], metadata["Version"]) == ("modeling-spert", __version__)
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "Apache-2.0"
    libraries = {"huggingface-hub>=1.5", "safetensors>=0.4.3", "torch>=2.4", "transformers>=5.6"}
    assert core == libraries | {"jinja2>=3.1", "numpy>=2.0", "rich>=13.0", "typer>=0.15"}
    assert set(metadata.get_all("Provides-Extra", [])) >= {"train", "demo", "plot", "dev"}


def test_packaging_sdist_holds_what_tests_and_build_need(dist: Path):
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {"LICENSE", "README.md", "constraints.txt", "model_card.md", "pyproject.toml", "setup.py"}
    assert names >= {"tests/conftest.py", "tests/repository/test_packaging.py"}


def test_packaging_constraints_pin_every_direct_dependency(wheel: Path):
    metadata = read_metadata(wheel)
    required = {project_name(line) for line in metadata.get_all("Requires-Dist", [])}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert required <= {project_name(line) for line in lines if "==" in line}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_packaging_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path):
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    constraints = ROOT / "constraints.txt"
    run(python, "-m", "pip", "install", "--quiet", "-c", constraints, f"{wheel}[train,demo]", cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    where = run(python, "-c", "import modeling_spert; print(modeling_spert.__file__)", cwd=elsewhere)
    assert Path(where.strip()).is_relative_to(tmp_path / "venv")

    launch = (python, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1", "-m", "train_accelerate")
    arguments = ("--dataset", "demo", "--backbone", "bundled", "--max_steps", "20", "--output_dir", "run")
    run(*launch, *arguments, cwd=elsewhere)
    code = (
        "import sys; from transformers import pipeline; import modeling_spert; "
        "answer = pipeline('joint-extraction', model='run')(sys.argv[1]); "
        "assert answer['text'] == sys.argv[1], answer; assert set(answer) >= {'entities', 'relations'}, answer"
    )
    run(python, "-c", code, TEXT, cwd=elsewhere)
