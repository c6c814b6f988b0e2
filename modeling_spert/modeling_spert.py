"""The SpERT model: one encoder pass, a span classifier and a relation classifier (SpERT, section 3).

Shape letters: B windows, L subwords, W words, K span widths, S candidate spans, N entities, P candidate pairs,
H hidden, D width embedding, E entity classes (with *none*), Q relation types.

Keys of a saved model: `backbone.*`, `entity_classifier.*`, `relation_classifier.*`, `width_embeddings.weight`.
"""

from dataclasses import dataclass
from typing import Any

# Python looks first in the current folder, where a model folder's copy of this file hides the package of the same name.
if not __package__:
    raise ImportError(f"{__file__} is a saved model's code, not the package modeling_spert: run from another folder")

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import AutoModel, PreTrainedTokenizerBase
from transformers.utils import ModelOutput

from .configuration_spert import SpertConfig
from .heads_spert import FastHeads, Heads, TrainingHeads, WordStates
from .loading_spert import SpertPreTrainedModel, check_window_length, drop_pooler
from .spans_spert import filter_spans


@dataclass
class SpertOutput(ModelOutput):
    """What `SpertModel.forward` returns.

    Attributes:
        loss: Scalar, when labels were given: span cross-entropy + relation binary cross-entropy.
        entity_logits: (S, E), class 0 is *none*.
        relation_logits: (P, Q), one independent logit per relation type.
        spans: (S, 3) the candidates: window, first word, end.
        pairs: (P, 2) head and tail as indices into `spans`.
        entities: (N,) indices into `spans` of those classified an entity; None where spans were given.
    """

    loss: Tensor | None = None
    entity_logits: Tensor | None = None
    relation_logits: Tensor | None = None
    spans: Tensor | None = None
    pairs: Tensor | None = None
    entities: Tensor | None = None


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
        drop_pooler(self.backbone)
        config.max_window_length = check_window_length(config.max_window_length, self.backbone)
        H, D = config.backbone_config.hidden_size, config.width_embedding_size
        self.width_embeddings = nn.Embedding(config.width_table_size, D) if D else None
        self.entity_classifier = nn.Linear(2 * H + D, config.num_entity_classes)
        Q = config.num_relation_types
        self.relation_classifier = nn.Linear(3 * H + 2 * D, Q) if Q else None
        self.dropout = nn.Dropout(config.head_dropout)
        self.post_init()

<<<<<<< ours
=======
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
        from .answer_spert import Answer  # noqa: F401
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

>>>>>>> theirs
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

        There are three ways to call it. Nothing given: every span of a sentence up to `max_span_width` is classified,
        and every ordered pair of the spans found. Spans and pairs given: these are classified. With labels too, which
        training gives: also the loss. In training mode, given spans and pairs are read with dropout.

        Args:
            input_ids: (B, L) subwords, special tokens included.
            attention_mask: (B, L).
            word_index: (B, L) word of each subword, -1 on special tokens and padding.
            sentence_index: (B, W) sentence of each word, -1 on padding.
            spans: (S, 3) window, first word, end.
            span_labels: (S,) 0 is *none*.
            pairs: (P, 2) head and tail as indices into `spans`.
            pair_labels: (P, Q), multi-hot.
            num_spans: Spans to divide the span loss by, counted over all processes and accumulated batches;
                default: S.
            num_pairs: The same for pairs.
            entity_threshold: Probability that the best entity type of a span must reach for the span to be an entity;
                default: the best class must not be *none*.
            token_type_ids: (B, L), for encoders that want them.
            inputs_embeds: (B, L, H) instead of `input_ids`.
            return_dict: False for a tuple.

        Returns:
            `SpertOutput`.

        Raises:
            ValueError: If `word_index` or `sentence_index` is missing, or spans come without pairs, pairs without
                spans, or labels without both.
        """
        if word_index is None or sentence_index is None:
            raise ValueError("forward needs word_index (B, L) and sentence_index (B, W): use collate_windows")
        if (spans is None) != (pairs is None) or (spans is None and span_labels is not None):
            raise ValueError("spans and pairs come together, and labels come with them: pass both, or neither")
        # Encoding (section 3): each window is read once, however many spans and pairs it has.
        given = {"input_ids": input_ids, "token_type_ids": token_type_ids, "inputs_embeds": inputs_embeds}
        states = self._encode(word_index, sentence_index, attention_mask=attention_mask, **given)
        heads: Heads = (TrainingHeads if self.training and spans is not None else FastHeads)(self, states)
        entities = None
        if spans is None or pairs is None:
            # Span classification (section 3.1), of every span.
            logits_BKWE, mask_BKW = heads.classify_candidates()
            # Span filtering (section 3.2): spans of the class *none* are dropped, the others paired.
            spans, entity_logits, entities, pairs = filter_spans(
                logits_BKWE, mask_BKW, sentence_index, entity_threshold
            )
        else:
            # Span classification (section 3.1), of the given spans, which are not filtered.
            entity_logits = heads.classify_spans(spans)
        # Relation classification (section 3.3).
        if self.relation_classifier is None:
            pairs, relation_logits = pairs[:0], entity_logits.new_zeros(0, 0)
        else:
            relation_logits = heads.classify_pairs(spans, pairs, entities)
        # Joint loss (section 3.4).
        loss = None
        if span_labels is not None:
            loss = span_loss(entity_logits, span_labels, num_spans)
            if pair_labels is not None and self.relation_classifier is not None:
                loss = loss + relation_loss(relation_logits, pair_labels, num_pairs)
        output = SpertOutput(loss, entity_logits, relation_logits, spans, pairs, entities)
        return output.to_tuple() if return_dict is False else output

    def _encode(self, word_index: Tensor, sentence_index: Tensor, **inputs: Tensor | None) -> WordStates:
        """The encoder's output, fused to words; only inputs that are there are passed to the encoder."""
        encoded = self.backbone(**{name: value for name, value in inputs.items() if value is not None})
        return WordStates.from_hidden(encoded.last_hidden_state, word_index, sentence_index, self.config.span_pooling)

    def extraction_pipeline(self, tokenizer: PreTrainedTokenizerBase, **kwargs: Any) -> Any:
        """The joint-extraction pipeline around this model.

        Args:
            tokenizer: The model's tokenizer.
            **kwargs: Settings of `JointExtractionPipeline`.
        """
        # Imported here, because the pipeline needs the model. All modules that travel are named in this file, because
        # transformers copies only files that it reaches from here, and completes an interrupted download only for
        # files that this file itself imports.
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


def span_loss(logits_SE: Tensor, labels_S: Tensor, count: Tensor | int | None) -> Tensor:
    """Cross-entropy over the classes, averaged over spans."""
    total = cross_entropy(logits_SE.float(), labels_S, reduction="sum")
    return total / max(len(labels_S), 1) if count is None else total / count


def relation_loss(logits_PQ: Tensor, labels_PQ: Tensor, count: Tensor | int | None) -> Tensor:
    """Binary cross-entropy, averaged over types, then over pairs; without pairs zero, but with a gradient."""
    total = binary_cross_entropy_with_logits(logits_PQ.float(), labels_PQ.float(), reduction="sum")
    total = total / logits_PQ.shape[1]
    return total / max(len(labels_PQ), 1) if count is None else total / count


SpertModel.register_for_auto_class("AutoModel")
