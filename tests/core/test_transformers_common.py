"""transformers' own common tests of models and configurations, for three encoders.

They are not in its wheel. They come from the source distribution of the installed version, which pip downloads once
into pytest's cache; without a network the tests here are skipped. They run in a process of their own, where warnings
are not errors.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import transformers
from transformers_harness import ENCODERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[2]

# Tests that fail because they do not apply: the encoders, and why. Each must fail, or it has no place here.
NOT_APPLICABLE: dict[str, tuple[tuple[str, ...], str]] = {
    "test_correct_missing_keys": (
        tuple(ENCODERS),
        "loads a bare encoder with SpertModel.from_pretrained, which is refused: from_backbone is for that",
    ),
    "test_can_init_all_missing_weights": (
        ("modernbert",),
        "loads a file without weights, which is refused unless loading information is asked for; for classes outside "
        "transformers it skips modules that have no weight of their own, in which ModernBERT initialises its layers",
    ),
}
# Why the common tests may skip themselves, by their own words. Any other reason is an error: a test fell silent.
SKIPPED: dict[str, str] = {
    r"requires (Flash Attention|MPS|accelerator|deepspeed|multiple accelerators|the kernels library)|test is slow": (
        "needs hardware or a package that is not here"
    ),
    r"sequence-to-sequence|decoder-only language modeling|shift": "a loss over generated tokens",
    r"experts|grouped_mm|output_router_logits": "mixtures of experts",
    r"TP plan": "tensor parallelism, which the heads have no plan for",
    r"non-text modality|does not support SDPA": "models that are not composite, or of several modalities",
    r"position embeddings|sliding window|base_model_class": "position tables and rotary settings, the encoder's own",
    r"No conversion found": "renamed keys of older checkpoints",
    r"_keep_in_fp32_modules": "parts that stay in fp32, of which there are none",
}
# What the tests import of the repository that its source distribution does not hold; nothing of it applies here.
_STUBS = {
    "exporters/test_export.py": "class ExportTesterMixin: pass\n",
    "generation/test_utils.py": "class GenerationTesterMixin: pass\n",
    "utils/test_configuration_utils.py": "config_common_kwargs = {}\n",
}
_TESTS = """
from transformers_harness import define_tests
from transformers_tests.test_configuration_common import ConfigTester
from transformers_tests.test_modeling_common import ModelTesterMixin

globals().update(define_tests(ModelTesterMixin, ConfigTester))
del ModelTesterMixin
"""
_CONFTEST = """
import json, os

outcomes = {}

def pytest_runtest_logreport(report):
    # A test passes if it and all its subtests do.
    _, kind, test = report.nodeid.split("::")
    known, reason = outcomes.get(f"{kind}::{test}", ("passed", ""))
    if report.failed:
        known, reason = "failed", str(report.longrepr)[-1500:]
    elif report.skipped and known == "passed":
        known, reason = "skipped", report.longrepr[2]
    outcomes[f"{kind}::{test}"] = (known, reason)

def pytest_sessionfinish():
    with open(os.environ["OUTCOMES"], "w") as stream:
        json.dump(outcomes, stream)
"""


@dataclass(frozen=True)
class Outcome:
    """How a common test ended: "passed", "skipped" or "failed", and why."""

    result: str
    reason: str


def fetch_tests(cache: Path) -> Path:
    """A folder with the package `transformers_tests`: the common tests of the installed version."""
    version = transformers.__version__
    folder = cache / f"transformers-{version}"
    archive = folder / f"transformers-{version}.tar.gz"
    if not archive.is_file():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
        command += ["--no-binary", ":all:", "--dest", str(folder), f"transformers=={version}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not archive.is_file():
            pytest.skip(f"the source distribution of transformers {version} could not be fetched: {done.stderr[-300:]}")
    package = folder / "transformers_tests"
    package.mkdir(exist_ok=True)
    with tarfile.open(archive) as tar:
        for name in ("test_modeling_common.py", "test_configuration_common.py"):
            member = tar.extractfile(f"transformers-{version}/tests/{name}")
            assert member is not None, name
            (package / name).write_bytes(member.read())
    for name, text in _STUBS.items():
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_text(text, "utf-8")
        (package / name).with_name("__init__.py").touch()
    (package / "__init__.py").touch()
    return folder


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The outcome of every common test, by class and name."""
    tests = fetch_tests(request.config.cache.mkdir("transformers"))
    folder = tmp_path_factory.mktemp("common")
    (folder / "test_common.py").write_text(_TESTS, "utf-8")
    (folder / "conftest.py").write_text(_CONFTEST, "utf-8")
    paths = [ROOT, ROOT / "tests" / "helpers", tests]
    variables = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "OUTCOMES": str(folder / "outcomes.json")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "test_common.py"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "HF_HUB_OFFLINE": "1", **variables}, capture_output=True, text=True
    )
    assert (folder / "outcomes.json").is_file(), done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads((folder / "outcomes.json").read_text("utf-8"))
    return {name: Outcome(*outcome) for name, outcome in found.items()}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_transformers_common_tests_pass(outcomes: dict[str, Outcome], encoder: str):
    own = {name.split("::")[1]: outcome for name, outcome in outcomes.items()
           if name.startswith(f"{encoder.capitalize()}Test::")}  # fmt: skip
    counts = Counter(outcome.result for outcome in own.values())
    print(f"{encoder}: {counts['passed']} passed, {counts['skipped']} skipped, {counts['failed']} not applicable")
    excused = {test for test, (encoders, _) in NOT_APPLICABLE.items() if encoder in encoders}
    failed = {test: outcome.reason for test, outcome in own.items() if outcome.result == "failed"}
    assert set(failed) == excused, "\n\n".join(f"{test}: {failed.get(test)}" for test in set(failed) ^ excused)
    strange = {test: outcome.reason for test, outcome in own.items() if outcome.result == "skipped"
               and not any(re.search(words, outcome.reason) for words in SKIPPED)}  # fmt: skip
    assert not strange
    assert counts["passed"] >= 100 and "test_config" in own
