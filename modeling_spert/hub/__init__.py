"""Pushing models and metrics to the Hub in one commit, and verifying what was downloaded."""

from modeling_spert.hub.client import PushError
from modeling_spert.hub.push import missing_files, push_metric, push_model_folder, verify_download

__all__ = ["PushError", "missing_files", "push_metric", "push_model_folder", "verify_download"]
