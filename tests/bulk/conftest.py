"""Processes of tests are forked from a server that has imported everything already; users' are spawned."""

import multiprocessing

import pytest

from modeling_spert.bulk import pool


@pytest.fixture
def quick_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    multiprocessing.set_forkserver_preload(["bulk_data", "modeling_spert.bulk.extractor", "transformers.pipelines"])
    monkeypatch.setattr(pool, "_START_METHOD", "forkserver")
