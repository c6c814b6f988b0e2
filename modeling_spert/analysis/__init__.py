"""Where a model errs: scores, thresholds, calibration, errors sorted into kinds, two runs compared, an HTML report.

predictions = predict_with_scores(model, tokenizer, examples)
analysis = analyse(examples, predictions, relation_threshold=model.config.relation_threshold)
write_report(analysis, "report.html")
"""

from modeling_spert.analysis.analysis import Analysis, analyse
from modeling_spert.analysis.comparison import Comparison, Difference
from modeling_spert.analysis.confusion import Confusion
from modeling_spert.analysis.errors import ENTITY_KINDS, RELATION_KINDS, Error
from modeling_spert.analysis.filtering import at_thresholds
from modeling_spert.analysis.predictions import predict_with_scores
from modeling_spert.analysis.report import best_thresholds_text, render_report, write_report
from modeling_spert.analysis.saving import save_thresholds
from modeling_spert.analysis.sweeps import Sweep, SweepPoint, Thresholds, best_thresholds

__all__ = [
    "ENTITY_KINDS",
    "RELATION_KINDS",
    "Analysis",
    "Comparison",
    "Confusion",
    "Difference",
    "Error",
    "Sweep",
    "SweepPoint",
    "Thresholds",
    "analyse",
    "at_thresholds",
    "best_thresholds",
    "best_thresholds_text",
    "predict_with_scores",
    "render_report",
    "save_thresholds",
    "write_report",
]
