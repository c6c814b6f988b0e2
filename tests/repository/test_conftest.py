"""The guard that makes .ci/run fail when a test that needs ../shared was skipped although the folder is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_fixture(shared_dir):
    pass

def test_own_path():
    pytest.skip("../shared/data/conll04 is absent")

def test_other_reason():
    pytest.skip("no CUDA device")
"""
MODULE = """
import pytest

pytest.skip("../shared/reference is absent", allow_module_level=True)
"""


def run_pytest(tmp_path: Path, **env: str) -> str:
    """Runs the tests above with a copy of our conftest.py where ../shared is absent; returns the closing line."""
    folder = tmp_path / "repository" / "tests"
    folder.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / "conftest.py", folder)
    (folder / "test_some.py").write_text(TESTS)
    (folder / "test_module.py").write_text(MODULE)
    clean = {name: value for name, value in os.environ.items() if name != "SPERT_REQUIRE_SHARED"}
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", "-p", "no:cacheprovider"]
    result = subprocess.run(command, cwd=folder.parent, env=clean | env, capture_output=True, text=True, timeout=120)
    return result.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("env", "summary"),
    [({}, "4 skipped in "), ({"SPERT_REQUIRE_SHARED": "1"}, "1 failed, 1 skipped, 2 errors in ")],
    ids=["allowed", "refused"],
)
def test_conftest_skip_for_want_of_shared(tmp_path: Path, env: dict[str, str], summary: str):
    assert run_pytest(tmp_path, **env).startswith(summary)
