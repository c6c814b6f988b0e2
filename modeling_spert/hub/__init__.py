"""Pushing models, data sets and the metric to the Hub, each in one commit."""

from modeling_spert.hub.client import PushError
from modeling_spert.hub.folders import missing_files
from modeling_spert.hub.push import push_dataset_folder, push_metric, push_model_folder

__all__ = ["PushError", "missing_files", "push_dataset_folder", "push_metric", "push_model_folder"]
