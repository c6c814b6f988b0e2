"""The record of an export: graphs that were altered, or whose record is malformed, are refused with the remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_models import build_spert

from modeling_spert import SpertConfig
from modeling_spert.onnx.files import RECORD, read_export, write_record


@pytest.fixture
def config() -> SpertConfig:
    return build_spert().config


@pytest.fixture
def folder(tmp_path: Path, config: SpertConfig) -> Path:
    """A folder with files in place of graphs."""
    (tmp_path / "onnx").mkdir()
    for name in ("spans.onnx", "spans.onnx.data", "relations.onnx"):
        (tmp_path / "onnx" / name).write_bytes(name.encode())
    write_record(tmp_path / "onnx", {"model.safetensors": "0" * 64}, config)
    return tmp_path


def test_export_as_written_is_accepted(folder: Path, config: SpertConfig) -> None:
    assert read_export(folder, config) == {"model.safetensors": "0" * 64}
    (folder / "onnx" / "relations.onnx").unlink()  # a file that was not fetched
    read_export(folder, config)


@pytest.mark.parametrize("name", ["spans.onnx", "spans.onnx.data", "relations.onnx"])
def test_export_altered_is_refused(folder: Path, config: SpertConfig, name: str) -> None:
    (folder / "onnx" / name).write_bytes(b"other weights")
    with pytest.raises(ValueError, match=f"^{name} in .* is not the file that was exported: export them again"):
        read_export(folder, config)


def test_export_of_a_file_that_was_added_is_refused(folder: Path, config: SpertConfig) -> None:
    (folder / "onnx" / "spans_int8.onnx").write_bytes(b"from elsewhere")
    with pytest.raises(ValueError, match="spans_int8.onnx in .* is not the file that was exported"):
        read_export(folder, config)


@pytest.mark.parametrize("record", ["[]", "", "[" * 100_000, '{"weights": {}, "settings": null}', '{"weights": {}}'])
def test_export_with_a_malformed_record_is_refused(folder: Path, config: SpertConfig, record: str) -> None:
    (folder / "onnx" / RECORD).write_text(record)
    with pytest.raises(ValueError, match="export them again with python -m modeling_spert.onnx FOLDER"):
        read_export(folder, config)


def test_export_without_digests_is_refused(folder: Path, config: SpertConfig) -> None:
    """As earlier versions wrote them."""
    record = json.loads((folder / "onnx" / RECORD).read_text("utf-8"))
    del record["graphs"]
    (folder / "onnx" / RECORD).write_text(json.dumps(record))
    with pytest.raises(ValueError, match="lacks the weights, the settings or the graphs of an export"):
        read_export(folder, config)
