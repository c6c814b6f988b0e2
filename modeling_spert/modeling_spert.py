"""The SpERT model: one encoder pass, a span classifier and a relation classifier (SpERT, section 3).

Shape letters: B windows, L subwords, W words, K span widths, S candidate spans, N spans that take part in relations,
P candidate pairs, H hidden, D width embedding, E entity classes (with *none*), Q relation types.

Keys of a saved model: `backbone.*`, `entity_classifier.*`, `relation_classifier.*`, `width_embeddings.weight`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Python looks first in the current folder, where a model folder's copy of this file hides the package of the same name.
if not __package__:
    raise ImportError(f"{__file__} is a saved model's code, not the package modeling_spert: run from another folder")

import torch
from huggingface_hub import HfApi
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import ModelOutput, logging

from .configuration_spert import SpertConfig
from .heads_spert import WordStates, score_candidates, score_pairs
from .integrity_spert import check_cached_files
from .spans_spert import (
    candidate_spans,
    find_survivors,
    list_candidates,
    mark_candidates,
    ordered_pairs,
    surviving_spans,
)

logger = logging.get_logger(__name__)

_HUB_KWARGS = ("cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder", "token")


@dataclass
class SpertOutput(ModelOutput):
    """What `SpertModel.forward` returns.

    Attributes:
        loss: Scalar, when labels were given: span cross-entropy + relation binary cross-entropy.
        entity_logits: (S, E), class 0 is *none*.
        relation_logits: (P, Q), one independent logit per relation type.
        spans: (S, 3) the candidates: window, first word, end.
        pairs: (P, 2) head and tail as indices into `spans`.
    """

    loss: Tensor | None = None
    entity_logits: Tensor | None = None
    relation_logits: Tensor | None = None
    spans: Tensor | None = None
    pairs: Tensor | None = None


class SpertPreTrainedModel(PreTrainedModel):
    """Weight initialisation and the switches that carry dtype, attention and checkpointing to the encoder."""

    config_class = SpertConfig
    config: SpertConfig
    base_model_prefix = "backbone"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True


class SpertModel(SpertPreTrainedModel):
    """Span-based joint entity and relation extraction on any encoder that `AutoModel` loads.

    Use `from_backbone` to start from a pretrained encoder and `from_pretrained` to load a trained SpERT model.

    Args:
        config: The configuration; its `backbone_config` names the encoder, which starts from random weights. An
            unset `max_window_length` is set to what the encoder takes.

    Raises:
        ValueError: If `max_window_length` is more than the encoder has positions for.
    """

    def __init__(self, config: SpertConfig):
        super().__init__(config)
        self.backbone = AutoModel.from_config(config.backbone_config)
        _drop_pooler(self.backbone)
        config.max_window_length = _check_window_length(config.max_window_length, self.backbone)
        H, D = config.backbone_config.hidden_size, config.width_embedding_size
        self.width_embeddings = nn.Embedding(config.width_table_size, D) if D else None
        self.entity_classifier = nn.Linear(2 * H + D, config.num_entity_classes)
        Q = config.num_relation_types
        self.relation_classifier = nn.Linear(3 * H + 2 * D, Q) if Q else None
        self.dropout = nn.Dropout(config.head_dropout)
        self.post_init()

    @classmethod
    def from_backbone(
        cls,
        name_or_folder: str,
        *,
        entity_types: Sequence[str],
        relation_types: Sequence[str] = (),
        pretrained: str = "all",
        backbone_kwargs: dict[str, Any] | None = None,
        **config_kwargs: Any,
    ) -> "SpertModel":
        """Put new SpERT heads on a pretrained encoder.

        Args:
            name_or_folder: The encoder, as `AutoModel.from_pretrained` takes it.
            entity_types: Entity type labels.
            relation_types: Relation type labels; empty for entities only.
            pretrained: "all" encoder weights, its "embeddings" only, or "none" (the paper's ablation, section 4.4).
            backbone_kwargs: Passed on to `AutoModel.from_pretrained` (revision, token, dtype, attn_implementation, …).
            **config_kwargs: Settings of `SpertConfig`.

        Returns:
            The model in eval mode, as `from_pretrained` gives it.

        Raises:
            ValueError: If `pretrained` is unknown, the folder holds a SpERT model, or a setting is out of its range.
        """
        if pretrained not in ("all", "embeddings", "none"):
            raise ValueError(f'pretrained must be "all", "embeddings" or "none", got {pretrained!r}')
        backbone = AutoModel.from_pretrained(name_or_folder, **(backbone_kwargs or {}))
        if backbone.config.model_type == SpertConfig.model_type:
            raise ValueError(
                f"{name_or_folder} holds a SpERT model, not a bare encoder: load it with SpertModel.from_pretrained"
            )
        _drop_pooler(backbone)
        config = SpertConfig(
            backbone_config=backbone.config,
            entity_types=entity_types,
            relation_types=relation_types,
            attn_implementation=backbone.config._attn_implementation,  # else the default would go to the encoder
            **config_kwargs,
        )
        model = cls(config).to(backbone.dtype)
        if pretrained == "all":
            model.backbone = backbone
        elif pretrained == "embeddings":
            # With positions and layer norm where they are one module; some encoders have only the words' table.
            if hasattr(backbone, "embeddings"):
                model.backbone.embeddings.load_state_dict(backbone.embeddings.state_dict())
            else:
                model.backbone.set_input_embeddings(backbone.get_input_embeddings())
        logger.info(f"Loaded pretrained weights ({pretrained}) of {backbone.config.model_type} from {name_or_folder}")
        return model.eval()

    @classmethod
    def from_pretrained(
        cls,
        name_or_folder: str | os.PathLike[str],
        *args: Any,
        new_classifiers: bool = False,
        verify_files: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Load a SpERT model from a folder or the Hub.

        Args:
            name_or_folder: Folder or repository name.
            *args: Passed on.
            new_classifiers: With other `entity_types` or `relation_types` than the saved ones (given as keywords or in
                `config`): keep the encoder and the width embeddings and start those classifiers anew.
            verify_files: Compare files in the Hub's cache with the digests the Hub announced for them.
            **kwargs: As `PreTrainedModel.from_pretrained` takes them; settings of `SpertConfig` override saved ones.

        Returns:
            The model in eval mode; with `output_loading_info`, a pair of it and that.

        Raises:
            ValueError: If there is no SpERT model (a bare encoder would silently stay random), if the labels differ
                and `new_classifiers` is not set, or if other weights than the new classifiers' do not fit.
            OSError: If a file in the Hub's cache is not the one the Hub announced, or there are no safetensors.
        """
        hub_kwargs = {key: kwargs[key] for key in _HUB_KWARGS if key in kwargs}
        saved, _ = PreTrainedConfig.get_config_dict(name_or_folder, **hub_kwargs)
        if saved.get("model_type") != SpertConfig.model_type:
            raise ValueError(
                f"{name_or_folder} holds a {saved.get('model_type')!r} model, not a SpERT model. To put SpERT heads on "
                f"this encoder: SpertModel.from_backbone({name_or_folder!r}, entity_types=[…], relation_types=[…])"
            )
        changed = [name for name in ("entity_types", "relation_types") if _labels_differ(name, saved, kwargs)]
        if changed and not new_classifiers:
            raise ValueError(
                f"{' and '.join(changed)} differ from those saved in {name_or_folder} ({saved[changed[0]]}): pass "
                "new_classifiers=True to keep its encoder and start new classifiers"
            )
        if changed:
            kwargs["ignore_mismatched_sizes"] = True
        with_info = kwargs.pop("output_loading_info", False)
        kwargs.setdefault("use_safetensors", True)  # a SpERT model is never a pickle
        try:
            model, info = super().from_pretrained(name_or_folder, *args, output_loading_info=True, **kwargs)
        finally:  # also after an error: that a file was altered is the better explanation
            if verify_files:
                check_cached_files(name_or_folder, **hub_kwargs)
        model.verify_files = verify_files
        if changed:
            model._start_classifiers(changed, info)
        return (model, info) if with_info else model

    def _start_classifiers(self, changed: Sequence[str], info: Mapping[str, Any]) -> None:
        """New weights for the classifiers of other labels, also where their number is the same."""
        heads = {"entity_types": "entity_classifier", "relation_types": "relation_classifier"}
        strange = [key for key, *_ in info["mismatched_keys"] if key.split(".")[0] not in map(heads.get, changed)]
        if strange:
            raise ValueError(f"the saved weights do not fit the settings given: {', '.join(sorted(strange))}")
        for name in changed:
            head = getattr(self, heads[name])
            if head is not None:
                nn.init.normal_(head.weight, std=self.config.initializer_range)
                nn.init.zeros_(head.bias)

    def extraction_pipeline(self, tokenizer: PreTrainedTokenizerBase, **kwargs: Any) -> Any:
        """The joint-extraction pipeline around this model.

        Args:
            tokenizer: The model's tokenizer.
            **kwargs: Settings of `JointExtractionPipeline`.
        """
        # Imported here, since the pipeline stands on the model; and named here, so that saving the model copies the
        # pipeline's file too: a model that was loaded from the Hub and is saved again would lose it otherwise.
        # The modules that only the pipeline needs are named for another reason: transformers fetches what a file names
        # unless it is there, but not what that one names in turn. A download that broke off within the pipeline's
        # modules would never be completed.
        from .decoding_spert import Extraction  # noqa: F401
        from .extraction_spert import Extractor  # noqa: F401
        from .inputs_spert import Document  # noqa: F401
        from .pipeline_spert import JointExtractionPipeline
        from .precision_spert import PRECISIONS  # noqa: F401
        from .segmentation_rules_spert import SegmentationRules  # noqa: F401
        from .segmentation_spert import segment  # noqa: F401
        from .tokenization_spert import EncodedSentence  # noqa: F401
        from .windows_spert import Window  # noqa: F401

        return JointExtractionPipeline(model=self, tokenizer=tokenizer, task="joint-extraction", **kwargs)

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> Any:
        """Push the model, its code and the tokenizer that lies where the model was loaded from.

        Args:
            repo_id: Repository, as org/name.
            **kwargs: As `PreTrainedModel.push_to_hub` takes them.

        Raises:
            ValueError: If no tokenizer is found there and the repository has none: a model alone serves nobody.
        """
        source = self.name_or_path
        try:
            tokenizer = AutoTokenizer.from_pretrained(source) if source else None
        except (OSError, ValueError):
            tokenizer = None
        if tokenizer is None and not HfApi(token=kwargs.get("token")).file_exists(repo_id, "tokenizer.json"):
            raise ValueError(
                f"no tokenizer lies beside this model ({source or 'it was not loaded from a folder'}): push both with "
                f"model.extraction_pipeline(tokenizer).push_to_hub({repo_id!r})"
            )
        pushed = super().push_to_hub(repo_id, **kwargs)
        if tokenizer is not None:
            tokenizer.push_to_hub(repo_id, **kwargs)
        return pushed

    def get_input_embeddings(self) -> nn.Module:
        """The encoder's word embeddings."""
        return self.backbone.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the encoder's word embeddings."""
        self.backbone.set_input_embeddings(value)

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Resize the encoder's word embeddings and record the new size in the configuration."""
        embeddings = self.backbone.resize_token_embeddings(*args, **kwargs)
        self.config.backbone_config.vocab_size = self.backbone.config.vocab_size
        return embeddings

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        word_index: Tensor | None = None,
        sentence_index: Tensor | None = None,
        spans: Tensor | None = None,
        span_labels: Tensor | None = None,
        pairs: Tensor | None = None,
        pair_labels: Tensor | None = None,
        num_spans: Tensor | int | None = None,
        num_pairs: Tensor | int | None = None,
        entity_threshold: float | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> SpertOutput | tuple[Tensor, ...]:
        """Classify spans, then pairs of spans.

        Args:
            input_ids: (B, L) subwords, special tokens included.
            attention_mask: (B, L).
            word_index: (B, L) word of each subword, -1 on special tokens and padding.
            sentence_index: (B, W) sentence of each word, -1 on padding.
            spans: (S, 3) window, first word, end; default: every span in a sentence up to `max_span_width`.
            span_labels: (S,) 0 is *none*.
            pairs: (P, 2) head and tail as indices into `spans`; default: all ordered pairs, within a sentence, of
                the spans classified an entity.
            pair_labels: (P, Q), multi-hot.
            num_spans: Spans to divide the span loss by, counted over all processes and accumulated batches;
                default: S.
            num_pairs: The same for pairs.
            entity_threshold: Probability that the best entity type of a span must reach for the span to take part
                in pairs; default: the best class must not be *none*.
            token_type_ids: (B, L), for encoders that want them.
            inputs_embeds: (B, L, H) instead of `input_ids`.
            return_dict: False for a tuple.

        Returns:
            `SpertOutput`.

        Raises:
            ValueError: If `word_index` or `sentence_index` is missing.
        """
        if word_index is None or sentence_index is None:
            raise ValueError("forward needs word_index (B, L) and sentence_index (B, W): use collate_windows")
        given = {"token_type_ids": token_type_ids, "inputs_embeds": inputs_embeds, "input_ids": input_ids}
        hidden_BLH = self.backbone(
            attention_mask=attention_mask, **{key: value for key, value in given.items() if value is not None}
        ).last_hidden_state
        states = WordStates.from_hidden(hidden_BLH, word_index, sentence_index, self.config.span_pooling)
        del hidden_BLH  # in eval mode its memory serves the heads
        if spans is None and self.training:
            spans = candidate_spans(sentence_index, self.config.max_span_width)
        pooled_SH, survivors = None, None
        if spans is None:
            spans, entity_logits, survivors = self._classify_candidates(states, entity_threshold)
        else:
            pooled_SH = states.pool_spans(spans)
            whole_SX = self._concat((states.cls_BH[spans[:, 0]], pooled_SH), (self._widths(spans),))
            entity_logits = self.entity_classifier(self.dropout(whole_SX))
        if self.relation_classifier is None:
            pairs, relation_logits = spans.new_zeros(0, 2), entity_logits.new_zeros(0, 0)
        elif pairs is not None:
            pooled_SH = states.pool_spans(spans) if pooled_SH is None else pooled_SH
            relation_logits = self._score_pairs(self.relation_classifier, states, spans, pooled_SH, pairs)
        else:
            members, local_pairs = survivors or _pair_survivors(spans, entity_logits, sentence_index, entity_threshold)
            relation_logits = self._score_survivors(
                self.relation_classifier, states, spans[members], pooled_SH, members, local_pairs
            )
            pairs = members[local_pairs]
        loss = None
        if span_labels is not None:
            loss = _span_loss(entity_logits, span_labels, num_spans)
            if pair_labels is not None and self.relation_classifier is not None:
                loss = loss + _relation_loss(relation_logits, pair_labels, num_pairs)
        output = SpertOutput(loss, entity_logits, relation_logits, spans, pairs)
        return output.to_tuple() if return_dict is False else output

    def _classify_candidates(
        self, states: WordStates, entity_threshold: float | None
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Candidates (S, 3), their logits (S, E), and the survivors (N,) with their pairs (P, 2), without dropout.

        How many there are is for the host to know: fetching it is the one time that a forward pass waits for a GPU
        (but for pairs so many that contexts are shared, in `heads_spert`).
        """
        table = None if self.width_embeddings is None else self.width_embeddings.weight
        logits_BKWE, mask_BKW = score_candidates(states, self.entity_classifier, table, self.config.max_span_width)
        survivors_BKW = find_survivors(logits_BKWE, entity_threshold)
        marks_BKW = mark_candidates(mask_BKW, survivors_BKW, states.sentence_index_BW)
        spans, members, pairs = (found.to(marks_BKW.device) for found in list_candidates(marks_BKW.cpu()))
        row, start, end = spans.unbind(1)
        _, K, W = mask_BKW.shape
        return spans, logits_BKWE.flatten(0, 2)[(row * K + end - start - 1) * W + start], (members, pairs)

    def _score_survivors(
        self,
        classifier: nn.Linear,
        states: WordStates,
        kept_N3: Tensor,
        pooled_SH: Tensor | None,
        members_N: Tensor,
        pairs_P2: Tensor,
    ) -> Tensor:
        """Relation logits (P, Q) of pairs of the spans kept, which are those of these numbers."""
        if len(pairs_P2) == 0 and not self.training:
            return states.cls_BH.new_zeros(0, self.config.num_relation_types)
        pooled_NH = states.pool_spans(kept_N3) if pooled_SH is None else pooled_SH[members_N]
        return self._score_pairs(classifier, states, kept_N3, pooled_NH, pairs_P2)

    def _score_pairs(
        self, classifier: nn.Linear, states: WordStates, spans_N3: Tensor, pooled_NH: Tensor, pairs_P2: Tensor
    ) -> Tensor:
        """Relation logits (P, Q): from whole representations with dropout in training, else as a sum of terms."""
        widths_ND, context = self._widths(spans_N3), self.config.relation_context
        if not self.training:
            return score_pairs(states, classifier, spans_N3, pooled_NH, widths_ND, pairs_P2, context)
        head, tail = pairs_P2.unbind(1)
        context_PH = states.contexts(spans_N3[head], spans_N3[tail], context)
        widths = (None, None) if widths_ND is None else (widths_ND[head], widths_ND[tail])
        return classifier(self.dropout(self._concat((context_PH, pooled_NH[head], pooled_NH[tail]), widths)))

    def _widths(self, spans_N3: Tensor) -> Tensor | None:
        """Width embeddings (N, D); spans wider than the table share its last row."""
        if self.width_embeddings is None:
            return None
        return self.width_embeddings((spans_N3[:, 2] - spans_N3[:, 1]).clamp(max=self.config.width_table_size - 1))

    def _concat(self, vectors: tuple[Tensor, ...], widths: tuple[Tensor | None, ...]) -> Tensor:
        """Vectors ‖ width embeddings, along the last dimension."""
        return torch.cat((*vectors, *(width for width in widths if width is not None)), dim=-1)


def _pair_survivors(
    spans_S3: Tensor, entity_logits: Tensor, sentence_index_BW: Tensor, entity_threshold: float | None
) -> tuple[Tensor, Tensor]:
    """Which of the spans survive (N,), and all ordered pairs of these within a sentence, as indices into them."""
    members = surviving_spans(entity_logits, entity_threshold)
    row, start, _ = spans_S3[members].unbind(1)
    return members, ordered_pairs(row * sentence_index_BW.shape[1] + sentence_index_BW[row, start])


def _span_loss(logits: Tensor, labels: Tensor, count: Tensor | int | None) -> Tensor:
    total = nn.functional.cross_entropy(logits.float(), labels, reduction="sum")
    return total / max(len(labels), 1) if count is None else total / count


def _relation_loss(logits: Tensor, labels: Tensor, count: Tensor | int | None) -> Tensor:
    """Mean over types, then over pairs; zero, but connected to the classifier, where there are no pairs."""
    total = nn.functional.binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction="sum")
    total = total / logits.shape[1]
    return total / max(len(labels), 1) if count is None else total / count


def _drop_pooler(backbone: nn.Module) -> None:
    """SpERT reads the first position itself; an unused pooler would break distributed training."""
    if getattr(backbone, "pooler", None) is not None:
        backbone.register_module("pooler", None)


def _check_window_length(wanted: int | None, backbone: PreTrainedModel) -> int | None:
    """The longest window, in subwords: as wanted, or what the encoder takes."""
    named = getattr(backbone.config, "max_position_embeddings", None)
    limits = [named] if named and named > 0 else []
    rows = _position_rows(backbone)
    limit = min([*limits, rows]) if rows else min(limits, default=None)
    if wanted is None:
        return limit
    # Without a table of positions (rotary, relative) what the encoder names is no hard limit.
    if rows and limit and wanted > limit:
        raise ValueError(f"max_window_length must be at most {limit}, the positions of the encoder, got {wanted}")
    return wanted


def _position_rows(backbone: nn.Module) -> int | None:
    """Positions of a learned table: RoBERTa-like encoders count from behind their padding index."""
    for name, module in backbone.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return None


def _labels_differ(name: str, saved: dict[str, Any], kwargs: dict[str, Any]) -> bool:
    config = kwargs.get("config")
    if isinstance(config, str | os.PathLike):
        config = SpertConfig.from_pretrained(config)
    wanted = kwargs.get(name, getattr(config, name, None) if config is not None else None)
    return wanted is not None and list(wanted) != list(saved.get(name, []))


SpertModel.register_for_auto_class("AutoModel")
