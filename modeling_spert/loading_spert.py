"""What an encoder must be, and where a model's weights come from and go to: saved folders, the Hub, other labels."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import HfApi
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedConfig, PreTrainedModel

from .configuration_spert import SpertConfig

# The layers that have an input or an output for each label.
_CLASSIFIERS = {
    "entity_types": ("entity_classifier.", "span_borders.", "pair_levers.types."),
    "relation_types": ("relation_classifier.", "pair_levers."),
}
_HUB_KWARGS = ("cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder", "token")


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


class SpertPreTrainedModel(PreTrainedModel):
    """Loading and saving, and the switches that carry dtype, attention and checkpointing to the encoder."""

    config_class = SpertConfig
    config: SpertConfig
    base_model_prefix = "backbone"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True

    @classmethod
    def from_backbone(cls, name_or_folder: str, **settings: Any) -> Any:
        """New SpERT heads on a pretrained encoder; `modeling_spert/training/from_backbone.py` says which settings.

        Raises:
            ImportError: If the package is not installed: a model that was loaded has no use for this.
        """
        try:
            from modeling_spert.training.from_backbone import from_backbone
        except ImportError as error:
            raise ImportError("a new model needs the package: pip install modeling-spert") from error
        return from_backbone(name_or_folder, model_class=cls, **settings)

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str] | None,
        *args: Any,
        new_classifiers: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Load a SpERT model from a folder or the Hub.

        Args:
            pretrained_model_name_or_path: Folder or repository name; None with a `config` and a `state_dict`.
            *args: Passed on.
            new_classifiers: With other `entity_types` or `relation_types` than the saved ones (given as keywords or in
                `config`): keep the encoder and the width embeddings and start those classifiers anew.
            **kwargs: As `PreTrainedModel.from_pretrained` takes them; settings of `SpertConfig` override saved ones.

        Returns:
            The model in eval mode; with `output_loading_info`, a pair of it and that, also where weights are missing.

        Raises:
            ValueError: If there is no SpERT model (a bare encoder would silently stay random), if the labels differ
                and `new_classifiers` is not set, or if other weights than the new classifiers' do not fit or are
                missing.
            OSError: If there are no safetensors.
        """
        name = pretrained_model_name_or_path
        if kwargs.get("use_safetensors") is False:
            raise ValueError(
                "use_safetensors=False: a SpERT model is loaded from safetensors only, never from a pickle"
            )
        kwargs["use_safetensors"] = True
        if name is None:
            return super().from_pretrained(None, *args, **kwargs)
        changed = _changed_labels(name, kwargs)
        if changed and not new_classifiers:
            raise ValueError(
                f"{' and '.join(changed)} differ from those saved in {name} ({next(iter(changed.values()))}): pass "
                "new_classifiers=True to keep its encoder and start new classifiers"
            )
        if changed:
            kwargs["ignore_mismatched_sizes"] = True
        with_info = kwargs.pop("output_loading_info", False)
        model, info = super().from_pretrained(name, *args, output_loading_info=True, **kwargs)
        new = tuple(name for kind in changed for name in _CLASSIFIERS[kind])
        missing = sorted(key for key in info["missing_keys"] if not key.startswith(new))
        if missing and not with_info:
            raise ValueError(
                f"weights are missing from the files of {name}: {_list_some(missing)}. Copy or download them again"
            )
        if changed:
            strange = sorted(key for key, *_ in info["mismatched_keys"] if not key.startswith(new))
            if strange:
                raise ValueError(f"the saved weights do not fit the settings given: {_list_some(strange)}")
            model._start_classifiers(new)
        return (model, info) if with_info else model

    def _start_classifiers(self, names: tuple[str, ...]) -> None:
        """New weights for the classifiers of other labels, also where there are as many labels as before."""
        for name, parameter in self.named_parameters():
            if name.startswith(names):
                if name.endswith(".bias"):
                    nn.init.zeros_(parameter)
                else:
                    nn.init.normal_(parameter, std=self.config.initializer_range)

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> Any:
        """Push the model, its code, and the tokenizer from where the model was loaded.

        Args:
            repo_id: Repository, as org/name.
            **kwargs: As `PreTrainedModel.push_to_hub` takes them.

        Raises:
            ValueError: If no tokenizer is found there and the repository has none: a model alone is of no use.
        """
        source = self.name_or_path
        try:
            tokenizer = AutoTokenizer.from_pretrained(source) if source else None
        except (OSError, ValueError):
            tokenizer = None
        if tokenizer is None and not HfApi(token=kwargs.get("token")).file_exists(repo_id, "tokenizer.json"):
            raise ValueError(
                f"there is no tokenizer next to this model ({source or 'it was not loaded from a folder'}): push both "
                f"with model.extraction_pipeline(tokenizer).push_to_hub({repo_id!r})"
            )
        pushed = super().push_to_hub(repo_id, **kwargs)
        if tokenizer is not None:
            tokenizer.push_to_hub(repo_id, **kwargs)
        return pushed


def _changed_labels(name: str | os.PathLike[str], kwargs: Mapping[str, Any]) -> dict[str, list[str]]:
    """The saved labels of each kind that the keywords of `from_pretrained` replace by others."""
    hub_kwargs = {key: kwargs[key] for key in _HUB_KWARGS if key in kwargs}
    saved, _ = PreTrainedConfig.get_config_dict(name, **hub_kwargs)
    if not saved:
        base = _adapter_base(name)
        if base:
            raise ValueError(
                f"{name} holds an adapter (peft) of {base}, not a model: load both with "
                f"PeftModel.from_pretrained(SpertModel.from_pretrained({base!r}), {str(name)!r})"
            )
    if saved.get("model_type") != SpertConfig.model_type:
        raise ValueError(
            f"{name} holds a {saved.get('model_type')!r} model, not a SpERT model. To put SpERT heads on "
            f"this encoder: SpertModel.from_backbone({str(name)!r}, entity_types=[…], relation_types=[…])"
        )
    config = kwargs.get("config")
    if isinstance(config, str | os.PathLike):
        config = SpertConfig.from_pretrained(config)
    wanted = {kind: kwargs.get(kind, getattr(config, kind, None)) for kind in _CLASSIFIERS}
    labels = {kind: list(saved.get(kind, ())) for kind in _CLASSIFIERS}
    return {kind: labels[kind] for kind, new in wanted.items() if new is not None and list(new) != labels[kind]}


def _adapter_base(folder: str | os.PathLike[str]) -> str | None:
    """The model that the adapter in a folder belongs to; None if there is no adapter."""
    try:
        with open(os.path.join(folder, "adapter_config.json"), encoding="utf-8") as stream:
            return json.load(stream).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError):
        return None


def _list_some(keys: Sequence[str]) -> str:
    """Names of weights, the first few of many."""
    return ", ".join(keys[:6]) + (f" and {len(keys) - 6} more" if len(keys) > 6 else "")
