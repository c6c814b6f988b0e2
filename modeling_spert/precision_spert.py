"""The precision that a machine multiplies fastest in, found by measuring."""

import time
from functools import lru_cache
from typing import Any

import torch
from torch import nn

_NAMED = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
PRECISIONS = ("auto", *_NAMED)
_ROWS, _TRIALS = 256, 5  # a few milliseconds of products for an encoder of hidden size 384
# The share of fp32's time that a product in bf16 may take: norms and softmax gain nothing, conversions cost.
_CLEARLY_FASTER = 0.7


def resolve_precision(precision: str, device: torch.device | str, shape: tuple[int, int] = (768, 3072)) -> torch.dtype:
    """The dtype of a named precision.

    Args:
        precision: "fp32", "bf16", "fp16", or "auto": bf16 if products of the encoder's shape are clearly faster in it
            than in fp32, else fp32. (Some processors have instructions for bf16 that are slower than those for fp32.)
            Measured once per process, device, number of threads and shape.
        device: Where the model runs; "auto" measures CPUs and CUDA devices, and takes fp32 on others.
        shape: Hidden and intermediate size of the encoder.

    Raises:
        ValueError: If the precision is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if precision != "auto":
        return _NAMED[precision]
    if torch.device(device).type not in ("cpu", "cuda"):
        return torch.float32
    share = bf16_share(str(device), torch.get_num_threads(), shape)
    return torch.bfloat16 if share <= _CLEARLY_FASTER else torch.float32


@lru_cache
def bf16_share(device: str, num_threads: int, shape: tuple[int, int]) -> float:
    """Time of a product in bf16, as a share of its time in fp32: the best of several trials each, by turns.

    The number of threads is torch's at this moment: a key of what was measured before.
    """
    trials = [[time_product(dtype, device, shape) for dtype in (torch.bfloat16, torch.float32)] for _ in range(_TRIALS)]
    half, full = map(min, zip(*trials[1:], strict=True))  # the first is a warm-up
    return half / full


def time_product(dtype: torch.dtype, device: str, shape: tuple[int, int]) -> float:
    """Seconds for one product of the encoder's widest layer."""
    hidden, intermediate = shape
    inputs = torch.ones(_ROWS, hidden, dtype=dtype, device=device)
    weight = torch.ones(intermediate, hidden, dtype=dtype, device=device)
    wait = torch.cuda.synchronize if inputs.is_cuda else lambda: None
    wait()
    start = time.perf_counter()
    nn.functional.linear(inputs, weight)
    wait()
    return time.perf_counter() - start


def set_precision(model: Any, precision: str, device: torch.device | str) -> None:
    """Convert a model's parameters to a precision, in place.

    Buffers stay as they are, as when a model is loaded with a dtype: rotary encoders keep their frequencies in fp32.

    Args:
        model: A module; the precision of anything else, such as `OnnxSpertModel`, cannot be changed.
        precision: As in `resolve_precision`; "auto" leaves what cannot be changed.
        device: Where the model runs.

    Raises:
        ValueError: If the precision is unknown, or not the model's own where that cannot be changed.
    """
    if isinstance(model, nn.Module):
        config: Any = getattr(model.config, "backbone_config", model.config)
        shape = config.hidden_size, getattr(config, "intermediate_size", None) or 4 * config.hidden_size
        dtype = resolve_precision(precision, device, shape)
        for parameter in model.parameters():
            parameter.data = parameter.data.to(dtype)
    elif precision != "auto" and resolve_precision(precision, device) != model.dtype:
        raise ValueError(f"{type(model).__name__} computes in {model.dtype}, which cannot be changed to {precision}")
