"""How often a forward pass must know, on the host, what an accelerator has computed: once, and never in training.

Under torch's fake tensors every operation whose result's size or value depends on numbers raises, as it has none; on a
GPU just these operations wait for all work queued before. `tests/test_gpu.py` counts them on a GPU.
"""

from __future__ import annotations

import pytest
import torch
from tiny_levers import LEVERS
from tiny_models import build_batch, build_spert, build_window
from torch import Tensor
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode

import modeling_spert.spans_spert as module
from modeling_spert import SpertModel
from modeling_spert.modeling_spert import SpertOutput


@pytest.fixture
def batch() -> dict[str, Tensor]:
    return build_batch(build_window([1, 2, 1, 3], [1, 1]), build_window([3, 1, 1, 1]))


def run_without_numbers(model: SpertModel, batch: dict[str, Tensor], mode: FakeTensorMode) -> SpertOutput:
    """A forward pass in which no number is known."""
    state = {name: mode.from_tensor(value) for name, value in (*model.named_parameters(), *model.named_buffers())}
    with mode:
        inputs = {name: mode.from_tensor(value) for name, value in batch.items()}
        return torch.func.functional_call(model, state, (), inputs)


def give_labels(model: SpertModel, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    spans, pairs = torch.tensor([[0, 0, 1], [0, 1, 3], [1, 0, 2]]), torch.tensor([[0, 1], [1, 0]])
    labels = {"span_labels": torch.tensor([1, 2, 0]), "pair_labels": torch.zeros(2, model.config.num_relation_types)}
    return {**batch, "spans": spans, "pairs": pairs, **labels}


@torch.no_grad()
@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("context", ["localized", "full", "cls"])
@pytest.mark.parametrize("levers", [{}, {**LEVERS, "overlap": "flat"}], ids=["paper", "levers"])
def test_extraction_asks_for_numbers_once(monkeypatch, batch, pooling, context, levers):
    model = build_spert(scale=3.0, span_pooling=pooling, relation_context=context, **levers)
    wanted = model(**batch)
    assert len(wanted.pairs)
    mode, asked = FakeTensorMode(), []

    def answer(marks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        asked.append(marks)
        sizes = (wanted.spans.shape, (7,), wanted.pairs.shape)
        return tuple(mode.from_tensor(torch.zeros(*size, dtype=torch.long)) for size in sizes)

    monkeypatch.setattr(module, "list_candidates", answer)
    monkeypatch.setattr(module, "drop_overlaps", lambda marks, scores, mode: None)  # as the other, of what it was given
    output = run_without_numbers(model, batch, mode)
    assert len(asked) == 1
    assert output.entity_logits.shape == wanted.entity_logits.shape
    assert output.relation_logits.shape == wanted.relation_logits.shape


@torch.no_grad()
def test_numbers_are_unknown_in_this_test(batch):
    """The test above would see a second question."""
    with pytest.raises(DynamicOutputShapeException):
        run_without_numbers(build_spert(), batch, FakeTensorMode())


@pytest.mark.parametrize("training", [True, False])
def test_given_spans_and_pairs_need_no_numbers(batch, training):
    model = build_spert().train(training)
    output = run_without_numbers(model, give_labels(model, batch), FakeTensorMode())
    assert output.loss.shape == () and output.relation_logits.shape == (2, 2)
