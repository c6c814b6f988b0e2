"""Predictions for examples, and their scores in every convention."""

from modeling_spert.evaluation.conventions import CONVENTIONS, Convention
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.evaluation.predict import extraction_to_example, predict_examples
from modeling_spert.evaluation.report import format_report

__all__ = ["CONVENTIONS", "Convention", "extraction_to_example", "format_report", "predict_examples", "score_examples"]
