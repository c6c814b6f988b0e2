"""An untrained model may keep every span of a long text: memory stays bounded all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_EVERY_SPAN_SURVIVES = """
import resource, sys
sys.path[:0] = sys.argv[1:3]
import torch
torch.set_num_threads(1)
from modeling_spert.decoding_spert import decode_windows, decoding_rules
from tiny_models import build_batch, build_spert, build_window
model = build_spert(
    max_span_width=10, relation_types=list("qrstu"), backbone={"hidden_size": 64, "max_position_embeddings": 512}
)
with torch.no_grad():
    model.entity_classifier.bias[0] = -100
    logits = model(**build_batch(build_window([1] * 30))).relation_logits
    model.relation_classifier.bias -= logits.flatten().topk(40).values[-1]  # few relations hold
window = build_window([1] * 400)
with torch.inference_mode():
    output = model(**build_batch(window))
((extraction,),) = decode_windows(output, [window], decoding_rules(model.config))
unit = 1 if sys.platform == "darwin" else 1024  # Linux counts in kB
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(len(output.spans), len(output.pairs), len(extraction.entities), len(extraction.relations), peak)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_modeling_every_span_of_a_400_word_sentence_fits_into_2_gb():
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", _EVERY_SPAN_SURVIVES, str(tests / "helpers"), str(tests.parent)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert printed.returncode == 0, printed.stderr[-2000:]
    spans, pairs, entities, relations, peak = map(int, printed.stdout.split())
    assert spans == entities == 3955 and pairs == 3955 * 3954
    assert 0 < relations < 100_000
    assert peak < 2e9
