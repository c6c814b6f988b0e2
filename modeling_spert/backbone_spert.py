"""What SpERT asks of an encoder: subwords in, a vector for each out, and a first position that stands for the text."""

from torch import Tensor, nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel


def build_backbone(config: PreTrainedConfig) -> PreTrainedModel:
    """An encoder of a configuration, with random weights.

    Raises:
        ValueError: If it is not one that reads subwords.
    """
    return strip_backbone(AutoModel.from_config(config))


def strip_backbone(model: PreTrainedModel) -> PreTrainedModel:
    """The part of a pretrained model that SpERT reads: of an encoder-decoder the encoder, without pooler.

    Raises:
        ValueError: If the model does not read subwords.
    """
    kind = model.config.model_type
    if model.main_input_name != "input_ids":
        raise ValueError(f"SpERT needs an encoder that reads subwords, but {kind} reads {model.main_input_name}")
    for name in ("hidden_size", "vocab_size"):
        if not isinstance(getattr(model.config, name, None), int):
            raise ValueError(f"SpERT needs an encoder with one {name} in its configuration, and {kind} has none")
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    # SpERT reads the first position itself, and unused weights would break distributed training. Some encoders call
    # their pooler without asking whether there is one, so something must be there.
    if getattr(model, "pooler", None) is not None:
        model.register_module("pooler", nn.Identity())
    return model


def check_window_length(wanted: int | None, backbone: PreTrainedModel) -> int | None:
    """The longest window, in subwords: as wanted, or what the encoder takes.

    Raises:
        ValueError: If the encoder has a table of positions, and it is shorter.
    """
    named = getattr(backbone.config, "max_position_embeddings", None)
    limits = [named] if named and named > 0 else []
    rows = _position_rows(backbone)
    limit = min([*limits, rows]) if rows else min(limits, default=None)
    if wanted is None:
        return limit
    # Without a table of positions (rotary, relative) the length that the encoder names is not a hard limit.
    if rows and limit and wanted > limit:
        raise ValueError(f"max_window_length must be at most {limit}, the positions of the encoder, got {wanted}")
    return wanted


def _position_rows(backbone: nn.Module) -> int | None:
    """Positions of a learned table: RoBERTa-like encoders count from after their padding index."""
    for name, module in backbone.named_modules():
        table = getattr(module, "weight", None)
        if name.endswith("position_embeddings") and isinstance(table, Tensor) and table.ndim == 2:
            padding = getattr(module, "padding_idx", None)
            return len(table) - (0 if padding is None else padding + 1)
    return None
