"""onnxruntime, as installed, reads the data of a graph from the graph's own folder only: we rely on it."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnxruntime
import pytest
from onnx import TensorProto, helper


def build_graph(path: Path, location: str) -> None:
    """Write a graph that adds to its input four values from another file."""
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weights.external_data.add(key=key, value=value)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "graph", ends[:1], ends[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())


def open_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.bin").write_bytes(numpy.arange(4, dtype=numpy.float32).tobytes())
    (tmp_path / "model").mkdir()
    return tmp_path / "model"


def test_external_data_next_to_the_graph_are_read(folder: Path) -> None:
    (folder / "own.data").write_bytes((folder.parent / "secret.bin").read_bytes())
    build_graph(folder / "graph.onnx", "own.data")
    (answer,) = open_session(folder / "graph.onnx").run(None, {"x": numpy.zeros(4, numpy.float32)})
    assert answer.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("location", ["../secret.bin", "./../secret.bin", "{outside}", "link.data"])
def test_external_data_elsewhere_are_refused(folder: Path, location: str) -> None:
    outside = folder.parent / "secret.bin"
    (folder / "link.data").symlink_to(outside)
    build_graph(folder / "graph.onnx", location.format(outside=outside))
    with pytest.raises(Exception, match="External data path"):
        open_session(folder / "graph.onnx")
