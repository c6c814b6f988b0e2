"""The original's optimizer and schedule, against a plain reading of their definitions."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import build_encoder, build_spert
from torch import Tensor, nn

from modeling_spert.training.optimizer import (
    UncorrectedAdamW,
    build_optimizer,
    clipped_update,
    linear_schedule,
    parameter_groups,
)

BETAS, EPS = (0.9, 0.999), 1e-6


def plain_adam(start: Tensor, gradients: list[Tensor | None], rates: list[float], decay: float) -> Tensor:
    """Adam without bias correction; decoupled decay after the update, as the original's optimizer."""
    weight = start.double().clone()
    first, second = torch.zeros_like(weight), torch.zeros_like(weight)
    for gradient, rate in zip(gradients, rates, strict=True):
        if gradient is None:
            continue
        first = BETAS[0] * first + (1 - BETAS[0]) * gradient
        second = BETAS[1] * second + (1 - BETAS[1]) * gradient**2
        weight -= rate * first / (second.sqrt() + EPS)
        weight -= rate * decay * weight
    return weight


def random_gradients(seed: int, shape: tuple[int, ...], steps: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) * 10 ** (-step % 5) for step in range(steps)]


def run(
    optimizer: torch.optim.Optimizer,
    parameters: list[nn.Parameter],
    gradients: list[list[Tensor | None]],
    schedule: Any,
) -> list[float]:
    rates = []
    for of_step in zip(*gradients, strict=True):
        for parameter, gradient in zip(parameters, of_step, strict=True):
            parameter.grad = None if gradient is None else gradient.clone()
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return rates


def test_optimization_adamw_is_the_originals_for_twenty_steps():
    shapes = [(4, 3), (5,)]
    starts = [torch.randn(shape, generator=torch.Generator().manual_seed(9)) for shape in shapes]
    parameters = [nn.Parameter(start.clone()) for start in starts]
    groups = [
        {"params": parameters[:1], "lr": 1e-3, "weight_decay": 0.01},
        {"params": parameters[1:], "lr": 1e-3, "weight_decay": 0.0},
    ]
    optimizer = build_optimizer(groups)
    assert isinstance(optimizer, UncorrectedAdamW)
    gradients = [random_gradients(seed, shape, 20) for seed, shape in enumerate(shapes)]
    rates = run(optimizer, parameters, gradients, linear_schedule(optimizer, 3, 20))
    assert rates[0] == 0 and max(rates) == 1e-3
    for parameter, start, own, decay in zip(parameters, starts, gradients, (0.01, 0.0), strict=True):
        expected = plain_adam(start, own, rates, decay)
        assert (expected - start).abs().min() > 1e-4
        torch.testing.assert_close(parameter.double(), expected, rtol=0, atol=1e-6)


def test_optimization_adamw_is_exact_for_parameters_that_join_late_or_pause():
    # A head unfrozen after some steps must not take its first step at another scale than the rest.
    starts = [torch.ones(3), torch.ones(3)]
    parameters = [nn.Parameter(start.clone()) for start in starts]
    optimizer = build_optimizer([{"params": parameters, "lr": 1e-3, "weight_decay": 0.01}])
    gradients: list[list[Tensor | None]] = [list(random_gradients(seed, (3,), 20)) for seed in range(2)]
    gradients[0][4] = None
    gradients[1][:9] = [None] * 9
    rates = run(optimizer, parameters, gradients, linear_schedule(optimizer, 0, 40))
    for parameter, start, own in zip(parameters, starts, gradients, strict=True):
        torch.testing.assert_close(parameter.double(), plain_adam(start, own, rates, 0.01), rtol=0, atol=1e-6)


def test_optimization_adamw_goes_on_from_a_saved_state():
    def fresh() -> tuple[nn.Parameter, torch.optim.Optimizer]:
        parameter = nn.Parameter(torch.ones(3))
        return parameter, build_optimizer([{"params": [parameter], "lr": 1e-3, "weight_decay": 0.01}])

    gradients = random_gradients(0, (3,), 12)
    whole, optimizer = fresh()
    run(optimizer, [whole], [gradients], linear_schedule(optimizer, 0, 10**9))
    half, optimizer = fresh()
    run(optimizer, [half], [gradients[:6]], linear_schedule(optimizer, 0, 10**9))
    rest, resumed = fresh()
    resumed.load_state_dict(optimizer.state_dict())
    with torch.no_grad():
        rest.copy_(half)
    run(resumed, [rest], [gradients[6:]], linear_schedule(resumed, 0, 10**9))
    assert torch.equal(rest, whole)


def test_optimization_bias_correction_is_torchs_own():
    parameter, other = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    optimizer = build_optimizer([{"params": [parameter], "lr": 1e-3, "weight_decay": 0.01}], bias_correction=True)
    assert type(optimizer) is torch.optim.AdamW
    reference = torch.optim.AdamW([other], lr=1e-3, weight_decay=0.01, eps=EPS)
    for gradient in random_gradients(0, (3,), 5):
        parameter.grad, other.grad = gradient.clone(), gradient.clone()
        optimizer.step()
        reference.step()
    torch.testing.assert_close(parameter, other)


@pytest.mark.parametrize("bias_correction", [True, False])
@pytest.mark.parametrize("max_norm", [0.05, 1e6])
def test_optimization_clipped_update_is_clipping_then_the_update(bias_correction: bool, max_norm: float) -> None:
    """Where the norm is above and where it is below the one allowed, which no update may enlarge."""
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.randn(7, 5)), nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(2))]
    copies = [nn.Parameter(weight.detach().clone()) for weight in weights]
    optimizers = [build_optimizer([{"params": p, "lr": 0.1}], bias_correction) for p in (weights, copies)]
    for _ in range(5):
        for weight, copy in zip(weights[:2], copies, strict=False):  # the third never has a gradient
            weight.grad = torch.randn_like(weight)
            copy.grad = weight.grad.clone()
        nn.utils.clip_grad_norm_(weights, max_norm)
        optimizers[0].step()
        with clipped_update(optimizers[1], copies, max_norm):
            optimizers[1].step()
    for weight, copy in zip(weights, copies, strict=True):
        torch.testing.assert_close(weight, copy, atol=1e-6, rtol=1e-5)
    for weight, copy in zip(weights[:2], copies, strict=False):
        torch.testing.assert_close(*(o.state[p]["exp_avg"] for o, p in zip(optimizers, (weight, copy), strict=True)))


def test_optimization_clipped_update_leaves_no_scale_behind() -> None:
    weight = nn.Parameter(torch.ones(3))
    optimizer = build_optimizer([{"params": [weight], "lr": 0.1}])
    weight.grad = torch.full((3,), 9.0)
    with pytest.raises(RuntimeError, match="stop"), clipped_update(optimizer, [weight], 1.0):
        raise RuntimeError("stop")
    assert optimizer.grad_scale is None


def test_optimization_schedule_rises_and_falls_linearly():
    def rates(warmup: int, total: int, steps: int) -> list[float]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0)
        schedule = linear_schedule(optimizer, warmup, total)
        found = []
        for _ in range(steps):
            found.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        return found

    assert rates(2, 6, 8) == [0.0, 1.0, 2.0, 1.5, 1.0, 0.5, 0.0, 0.0]
    assert rates(0, 4, 5) == [2.0, 1.5, 1.0, 0.5, 0.0]
    assert rates(3, 3, 5) == pytest.approx([0.0, 2 / 3, 4 / 3, 0.0, 0.0])
    assert rates(0, 0, 2) == [0.0, 0.0]


def named_groups(model: nn.Module, *args: float) -> dict[str, tuple[float, float]]:
    """Learning rate and decay of each parameter, by name."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        names[parameter]: (group["lr"], group["weight_decay"])
        for group in parameter_groups(model, *args)
        for parameter in group["params"]
    }


def test_optimization_no_decay_on_biases_and_layer_norms():
    model = build_spert()
    found = named_groups(model, 5e-5, 0.01)
    assert found.keys() == dict(model.named_parameters()).keys()
    free = {name for name, (_, decay) in found.items() if decay == 0}
    assert free == {name for name in found if name.endswith("bias") or "LayerNorm" in name}
    assert {rate for rate, _ in found.values()} == {5e-5} and {decay for _, decay in found.values()} == {0, 0.01}
    assert found["width_embeddings.weight"] == found["entity_classifier.weight"] == (5e-5, 0.01)


@pytest.mark.parametrize("kind", ["distilbert", "roberta", "albert", "deberta-v2", "modernbert", "eurobert"])
def test_optimization_no_decay_on_norms_of_any_encoder(kind: str):
    encoder = build_encoder(kind, 64)
    free = {name for name, (_, decay) in named_groups(encoder, 1e-3, 0.1).items() if decay == 0}
    one_dimensional = {name for name, parameter in encoder.named_parameters() if parameter.ndim == 1}
    assert free == one_dimensional and len(free) > 2


def test_optimization_head_learning_rate_is_the_heads():
    found = named_groups(build_spert(), 5e-5, 0.01, 1e-3)
    for name, (rate, _) in found.items():
        assert rate == (5e-5 if name.startswith("backbone.") else 1e-3), name
    assert found["entity_classifier.bias"] == (1e-3, 0.0) and found["relation_classifier.weight"] == (1e-3, 0.01)


def test_optimization_leaves_out_what_is_frozen():
    model = build_spert()
    model.backbone.requires_grad_(False)
    names = set(named_groups(model, 5e-5, 0.01))
    assert names == {name for name, _ in model.named_parameters() if not name.startswith("backbone.")}
