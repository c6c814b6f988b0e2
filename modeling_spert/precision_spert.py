"""The precision that a machine multiplies fastest in, where the answers keep their quality."""

from typing import Any

import torch
from torch import nn

PRECISIONS = ("auto", "fp32", "bf16", "fp16")

_NAMED = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# What torch calls the instructions that multiply bf16 matrices: Intel and AMD, Arm.
_CPU_INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "arm_bf16", "bf16")


def resolve_precision(precision: str, device: torch.device | str) -> torch.dtype:
    """The dtype of a named precision.

    Args:
        precision: "fp32", "bf16", "fp16", or "auto": bf16 where the device multiplies bf16 in hardware, else fp32.
        device: Where the model runs.

    Raises:
        ValueError: If the precision is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if precision == "auto":
        return torch.bfloat16 if multiplies_bf16(torch.device(device)) else torch.float32
    return _NAMED[precision]


def set_precision(model: Any, precision: str, device: torch.device | str) -> None:
    """Bring a model's parameters to a precision, in place.

    Buffers stay as they are, as when a model is loaded with a dtype: rotary encoders keep their frequencies in fp32.

    Args:
        model: A module; of anything else, such as `OnnxSpertModel`, the precision cannot be changed.
        precision: As in `resolve_precision`; "auto" leaves what cannot be changed.
        device: Where the model runs.

    Raises:
        ValueError: If the precision is unknown, or not the model's own where that cannot be changed.
    """
    dtype = resolve_precision(precision, device)
    if isinstance(model, nn.Module):
        for parameter in model.parameters():
            parameter.data = parameter.data.to(dtype)
    elif precision != "auto" and dtype != model.dtype:
        raise ValueError(f"{type(model).__name__} computes in {model.dtype}, which cannot be changed to {precision}")


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for products of bf16 matrices; False where torch cannot tell."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    if hasattr(torch.cpu, "get_capabilities"):
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in _CPU_INSTRUCTIONS)
    # Before torch 2.12 or so there is no public name for it.
    asks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(ask() for ask in asks if ask is not None)
