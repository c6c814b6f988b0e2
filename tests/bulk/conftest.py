"""Processes of tests are forked from a server that has imported everything already; users' are spawned."""

import logging
import multiprocessing

import pytest

from modeling_spert.bulk import pool


@pytest.fixture(autouse=True)
def own_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `TableExtractor` made in the test's own process counts warnings instead of printing them."""
    root = logging.getLogger("transformers")
    monkeypatch.setattr(root, "handlers", list(root.handlers))


@pytest.fixture
def quick_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    multiprocessing.set_forkserver_preload(["bulk_data", "modeling_spert.bulk.extractor", "transformers.pipelines"])
    monkeypatch.setattr(pool, "_START_METHOD", "forkserver")
