"""Extraction as a service: requests of all callers share batches; limits, backpressure, metrics. The extra `serve`."""

from modeling_spert.service.app import build_app
from modeling_spert.service.limits import Limits
from modeling_spert.service.server import read_api_key, serve

__all__ = ["Limits", "build_app", "read_api_key", "serve"]
