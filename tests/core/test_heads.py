"""Classifiers that are more than a plain linear layer: wrapped, adapted, quantised, offloaded, watched by hooks."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tiny_models import build_batch, build_spert, build_window
from torch import Tensor, nn
from torch.nn.utils import parametrize

from modeling_spert import SpertModel, SpertOutput
from modeling_spert.heads_spert import affine_map

HEADS = ("entity_classifier", "relation_classifier")


class Adapter(nn.Module):
    """A linear layer and a product of low rank, as peft wraps one: the layer's own weight is not all that counts."""

    def __init__(self, base_layer: nn.Linear):
        super().__init__()
        self.base_layer = base_layer
        generator = torch.Generator().manual_seed(3)
        self.down = nn.Parameter(torch.randn(2, base_layer.in_features, generator=generator))
        self.up = nn.Parameter(torch.randn(base_layer.out_features, 2, generator=generator) * 0.3)

    @property
    def weight(self) -> Tensor:
        """What peft forwards too."""
        return self.base_layer.weight

    @property
    def bias(self) -> Tensor:
        return self.base_layer.bias

    def forward(self, x: Tensor) -> Tensor:
        return self.base_layer(x) + x @ self.down.T @ self.up.T

    def merged(self) -> nn.Linear:
        layer = copy.deepcopy(self.base_layer)
        with torch.no_grad():
            layer.weight += self.up @ self.down
        return layer


def batch() -> dict[str, Tensor]:
    return build_batch(build_window([1, 2, 1, 3, 1, 1]), build_window([2, 1, 1], [1, 1], seed=1))


def assert_close(found: SpertOutput, expected: SpertOutput, atol: float = 2e-5) -> None:
    assert torch.equal(found.spans, expected.spans) and torch.equal(found.pairs, expected.pairs)
    torch.testing.assert_close(found.entity_logits, expected.entity_logits, rtol=1e-5, atol=atol)
    torch.testing.assert_close(found.relation_logits, expected.relation_logits, rtol=1e-5, atol=atol)


def set_heads(model: SpertModel, change: Callable[[nn.Module], nn.Module]) -> SpertModel:
    changed = copy.deepcopy(model)
    for name in HEADS:
        setattr(changed, name, change(getattr(changed, name)))
    return changed


@torch.no_grad()
def assert_answers_as(model: SpertModel, merged: SpertModel, atol: float = 2e-5) -> None:
    """The same answers by every way to call it."""
    expected = merged(**batch(), entity_threshold=0.3)
    assert 2 < len(expected.pairs)
    assert_close(model(**batch(), entity_threshold=0.3), expected, atol)
    given = {"spans": expected.spans, "pairs": expected.pairs}
    assert_close(model(**batch(), **given), expected, atol)


def test_heads_with_an_adapter_answer_as_merged():
    plain = build_spert(scale=3.0)
    adapted = set_heads(plain, Adapter)
    merged = set_heads(adapted, lambda head: head.merged())
    assert_answers_as(adapted, merged)
    assert not torch.allclose(plain(**batch()).entity_logits, merged(**batch()).entity_logits, atol=0.1)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_heads_under_peft_answer_as_merged():
    peft = pytest.importorskip("peft", reason="needs peft")
    model = build_spert(scale=3.0)
    config = peft.LoraConfig(target_modules=["entity_classifier", "relation_classifier", "query"], r=2)
    adapted = peft.get_peft_model(copy.deepcopy(model), config).eval()
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        found = adapted(**batch(), entity_threshold=0.3)
        plain = model(**batch(), entity_threshold=0.3)
    assert_answers_as(adapted, copy.deepcopy(adapted).merge_and_unload())
    assert not torch.allclose(found.entity_logits, plain.entity_logits, atol=0.1)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_heads_under_peft_train_and_come_back(tmp_path):
    peft = pytest.importorskip("peft", reason="needs peft")
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = build_spert(scale=3.0, backbone=no_dropout, head_dropout=0.0)
    torch.manual_seed(0)  # of the adapters
    adapted = peft.get_peft_model(copy.deepcopy(model), peft.LoraConfig(target_modules="all-linear", r=2)).train()
    given = {"spans": torch.tensor([[0, 0, 1], [0, 1, 3]]), "pairs": torch.tensor([[0, 1], [1, 0]])}
    labels = {"span_labels": torch.tensor([1, 2]), "pair_labels": torch.ones(2, 2)}
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=0.03)
    losses = []
    for _ in range(30):
        loss = adapted(**batch(), **given, **labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2, losses
    adapted.eval().save_pretrained(tmp_path)
    again = peft.PeftModel.from_pretrained(copy.deepcopy(model), tmp_path).eval()
    with torch.no_grad():
        assert_close(again(**batch()), adapted(**batch()), 0)


# Deprecated for torchao, which gets its own tensors into plain linear layers; both must work as long as they exist.
@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_heads_quantised_answer_nearly_as_before():
    model = build_spert(scale=3.0)
    whole = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model), {nn.Linear}, dtype=torch.qint8)
    heads = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model), set(HEADS), dtype=torch.qint8)
    with torch.no_grad():
        expected, found = model(**batch()), heads(**batch())
        given = heads(**batch(), spans=found.spans, pairs=found.pairs)
        assert (whole(**batch()).entity_logits - expected.entity_logits).abs().mean() < 0.2
    assert type(heads.entity_classifier) is not nn.Linear
    spread = expected.entity_logits.std()
    assert 0 < (found.entity_logits - expected.entity_logits).abs().max() < 0.1 * spread
    # Called on candidates, it also rounds its input.
    assert (given.entity_logits - found.entity_logits).abs().max() < 0.1 * spread


class Int8Weight(Tensor):
    """A weight that is not what it holds, as torchao's: a plain linear layer has it as its parameter."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is nn.functional.linear:
            x, weight, bias = args
            return func(x, weight.as_subclass(Tensor) * 2, bias)
        if func in (Tensor.split, Tensor.tensor_split, torch.split, torch.tensor_split):
            raise NotImplementedError(f"{func} of a quantised weight")
        return super().__torch_function__(func, types, args, kwargs or {})


def test_heads_with_a_weight_of_another_kind_answer_right():
    model = build_spert(scale=3.0)
    strange = copy.deepcopy(model)
    for name in HEADS:
        head = getattr(strange, name)
        head.weight = nn.Parameter((head.weight.data / 2).as_subclass(Int8Weight), requires_grad=False)
        assert type(head) is nn.Linear
    assert_answers_as(strange, model)


def test_heads_with_a_parametrisation_answer_right():
    class Double(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return 2 * weight

    model = build_spert(scale=3.0)
    doubled = copy.deepcopy(model)
    for name in HEADS:
        with torch.no_grad():
            getattr(doubled, name).weight.div_(2)
        parametrize.register_parametrization(getattr(doubled, name), "weight", Double())
    assert_answers_as(doubled, model)


def test_heads_offloaded_to_the_host_answer_as_before():
    accelerate = pytest.importorskip("accelerate", reason="needs accelerate")
    model = build_spert(scale=3.0)
    offloaded = accelerate.cpu_offload(copy.deepcopy(model), execution_device="cpu")
    assert offloaded.entity_classifier.weight.device.type == "meta"
    assert offloaded.width_embeddings.weight.device.type == "meta"
    assert_answers_as(offloaded, model)


def test_heads_offloaded_to_disk_answer_as_before(tmp_path):
    accelerate = pytest.importorskip("accelerate", reason="needs accelerate")
    model = build_spert(scale=3.0)
    model.save_pretrained(tmp_path / "model")
    offloaded = accelerate.disk_offload(copy.deepcopy(model), tmp_path / "weights", execution_device="cpu")
    assert_answers_as(offloaded, model)


@pytest.mark.parametrize("name", [*HEADS, "width_embeddings"])
@pytest.mark.parametrize("given", [False, True])
@torch.no_grad()
def test_heads_hooks_fire_and_may_change_the_answer(name: str, given: bool):
    model = build_spert(scale=3.0)
    expected = model(**batch(), entity_threshold=0.0)
    chosen = {"spans": expected.spans, "pairs": expected.pairs} if given else {"entity_threshold": 0.0}
    calls: list[str] = []
    module = getattr(model, name)
    before = module.register_forward_pre_hook(lambda *_: calls.append("before"))
    after = module.register_forward_hook(lambda *_: calls.append("after"))
    assert_close(model(**batch(), **chosen), expected)
    assert {"before", "after"} == set(calls)
    before.remove()
    after.remove()
    module.register_forward_hook(lambda module, args, output: output * 2)
    found = model(**batch(), **chosen)
    head = "entity_logits" if name == "entity_classifier" else "relation_logits"
    if name != "width_embeddings":
        torch.testing.assert_close(found[head], expected[head] * 2, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found[head], expected[head], atol=0.01)


@pytest.mark.parametrize("name", HEADS)
@torch.no_grad()
def test_heads_hook_before_the_call_may_change_the_answer_alone(name: str):
    """With no other hook, which would have the head called anyway."""
    model = build_spert(scale=3.0)
    expected = model(**batch(), entity_threshold=0.0)
    getattr(model, name).register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    found = model(**batch(), entity_threshold=0.0)
    logits = "entity_logits" if name == "entity_classifier" else "relation_logits"
    assert not torch.allclose(found[logits], expected[logits], atol=0.01)


def test_affine_map_of_a_plain_head_is_its_own_weight():
    """No copy and no call: extraction costs what it did."""
    model = build_spert()
    head = model.entity_classifier
    weight, bias = affine_map(head, head.in_features, torch.zeros(0))
    assert weight is head.weight and bias is head.bias


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_affine_map_of_a_wrapped_head_is_that_of_the_head(dtype: torch.dtype):
    head = nn.Linear(5, 3, dtype=dtype)
    weight, bias = affine_map(nn.Sequential(head), 5, torch.zeros(0, dtype=dtype))
    torch.testing.assert_close((weight, bias), (head.weight, head.bias), rtol=0.02, atol=0.01)
    assert weight.dtype == dtype
