"""On a CUDA device: the same answers as on the CPU. Run with `pytest -m gpu`."""

import warnings
from typing import Any

import pytest
import torch
from tiny_levers import LEVERS
from tiny_models import build_batch, build_spert, build_window

pytestmark = pytest.mark.gpu


@torch.no_grad()
@pytest.mark.parametrize("levers", [{}, {**LEVERS, "overlap": "flat"}], ids=["paper", "levers"])
def test_gpu_logits_equal_those_of_the_cpu(levers: dict[str, Any]) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    model = build_spert(scale=3.0, **levers)
    batch = build_batch(build_window([1, 2, 1], [1, 1]), build_window([3, 1, 1, 1]))
    on_cpu = model(**batch)
    on_gpu = model.to("cuda")(**{name: value.to("cuda") for name, value in batch.items()})
    assert torch.equal(on_cpu.spans, on_gpu.spans.cpu()) and torch.equal(on_cpu.pairs, on_gpu.pairs.cpu())
    assert torch.allclose(on_cpu.entity_logits, on_gpu.entity_logits.cpu(), atol=1e-3)
    assert torch.allclose(on_cpu.relation_logits, on_gpu.relation_logits.cpu(), atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("levers", [{}, {**LEVERS, "overlap": "flat"}], ids=["paper", "levers"])
def test_gpu_is_waited_for_once(levers: dict[str, Any]) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    model = build_spert(scale=3.0, **levers).to("cuda")
    batch = build_batch(build_window([1, 2, 1], [1, 1]))
    batch = {name: value.to("cuda") for name, value in batch.items()}
    model(**batch)  # what is set up once
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as waits:
            warnings.simplefilter("always")
            model.backbone(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
            of_encoder = len(waits)
            assert len(model(**batch).pairs) > 0
    finally:
        torch.cuda.set_sync_debug_mode("default")
    # The marks come; spans, survivors and pairs go. Sending from ordinary memory counts as a wait for torch.
    assert 1 <= len(waits) - 2 * of_encoder <= 4
