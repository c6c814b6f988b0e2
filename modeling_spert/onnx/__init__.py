"""ONNX graphs of a trained model: writing them, and running them in the pipeline."""

from modeling_spert.onnx.export import export_onnx
from modeling_spert.onnx.model import OnnxSpertModel

__all__ = ["OnnxSpertModel", "export_onnx"]
