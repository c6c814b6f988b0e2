"""What the project's HTML reports share: the page around them, colours of labels, charts, sentences with marks.

It knows neither models nor data sets, so that `datasets_scripts` and `modeling_spert` can both draw with it. Text is
escaped by jinja2 (autoescape) and markupsafe: a string becomes markup nowhere else.
"""

from spert_pages.charts import Line, Marker, ReliabilityBin, draw_bars, draw_lines, draw_reliability
from spert_pages.page import render_page, write_text
from spert_pages.palette import assign_colors
from spert_pages.sentences import Arrow, Mark, draw_sentence

__all__ = [
    "Arrow",
    "Line",
    "Mark",
    "Marker",
    "ReliabilityBin",
    "assign_colors",
    "draw_bars",
    "draw_lines",
    "draw_reliability",
    "draw_sentence",
    "render_page",
    "write_text",
]
