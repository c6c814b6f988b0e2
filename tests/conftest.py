"""What every test gets: one thread, no network, a private cache, and the benchmark data if they are there.

`make test-processors` sets SPERT_TEST_THREADS to run the suite with more threads.
"""

import logging
import os
import re
import tempfile
from collections.abc import Generator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Before torch and the Hugging Face libraries are imported: they read these only then. Subprocesses inherit them.
_CACHE = tempfile.TemporaryDirectory(prefix="spert-tests-", ignore_cleanup_errors=True)
for _name in ("HF_TOKEN", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_MODULES_CACHE", "HF_ASSETS_CACHE"):
    os.environ.pop(_name, None)
os.environ.update(
    HF_HOME=_CACHE.name,
    HF_ENDPOINT="http://127.0.0.1:9",  # nobody listens there: a call of the Hub fails at once on every machine
    HF_HUB_DISABLE_TELEMETRY="1",
    OMP_NUM_THREADS=os.environ.get("SPERT_TEST_THREADS", "1"),
    TOKENIZERS_PARALLELISM="false",
)

import hypothesis  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))  # the order of a sum, and so its last bit, depends on it

hypothesis.settings.register_profile("local", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", parent=hypothesis.settings.get_profile("local"), derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder ../shared beside the repository (benchmark data, reference outputs); the test skips without it."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip("../shared is absent")
    return path


@pytest.fixture
def warnings_shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages of warnings that reach transformers' own logger, and so follow its verbosity."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    monkeypatch.setattr(logging.getLogger("transformers"), "handlers", [handler])
    return messages


_SHARED_ABSENT = re.compile(r"\bshared\b.*\babsent\b", re.DOTALL)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turns a skip for want of ../shared into a failure where SPERT_REQUIRE_SHARED says that the folder is there.

    .ci/run sets the variable. A mistyped path in a test would otherwise look like a machine without the data.
    """
    if not (report.skipped and os.environ.get("SPERT_REQUIRE_SHARED")) or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if _SHARED_ABSENT.search(reason):
        report.outcome = "failed"
        report.longrepr = f"SPERT_REQUIRE_SHARED is set, but {report.nodeid} was skipped. {reason}"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names bytes by their length: compressed bytes may hold the time, and every worker must collect the same names."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Watches the skips of tests."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Watches the skips of whole modules."""
    report = yield
    _refuse_skip(report)
    return report
