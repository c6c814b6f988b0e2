"""The metric's Space: a form to try it in the browser."""

import evaluate
from evaluate.utils import launch_gradio_widget

launch_gradio_widget(evaluate.load("joint_extraction.py"))
