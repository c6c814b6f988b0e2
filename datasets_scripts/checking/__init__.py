"""Checks a data set before anyone trains on it: what it holds, and what in it will hurt a model or a score.

`check_dataset` finds, as plain data; `render_check_text` shows it in a terminal, `render_check_page` and `write_check`
as one HTML page. `DataCheck.exit_status` is for scripts: 0 nothing worse than notes, 1 warnings, 2 errors.
"""

from datasets_scripts.checking.check import check_dataset
from datasets_scripts.checking.facts import (
    DataCheck,
    DuplicateGroup,
    Finding,
    LabelCounts,
    Place,
    Signature,
    SplitFacts,
    SubwordFacts,
)
from datasets_scripts.checking.page import render_check_page, write_check
from datasets_scripts.checking.terminal import render_check_text

__all__ = [
    "DataCheck",
    "DuplicateGroup",
    "Finding",
    "LabelCounts",
    "Place",
    "Signature",
    "SplitFacts",
    "SubwordFacts",
    "check_dataset",
    "render_check_page",
    "render_check_text",
    "write_check",
]
