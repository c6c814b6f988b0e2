"""Configuration of a SpERT model: the encoder's own configuration, the label names and every setting of the heads.

SpERT: Eberts and Ulges, "Span-based Joint Entity and Relation Extraction with Transformer Pre-training",
ECAI 2020, arXiv 1909.07755. Defaults are the paper's (section 4). This file travels to the Hub with every model.
"""

import difflib
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import transformers

if int(transformers.__version__.split(".")[0]) < 5:
    raise ImportError(
        f"SpERT models need transformers 5 or newer, this is {transformers.__version__}: pip install -U transformers"
    )

from transformers import AutoConfig, PreTrainedConfig  # noqa: E402  (after the version is known to have them)
from transformers.utils import logging  # noqa: E402

logger = logging.get_logger(__name__)

SPAN_POOLINGS = ("max", "mean", "sum")
RELATION_CONTEXTS = ("localized", "full", "cls")
WINDOW_CONTEXTS = ("none", "document")
OVERLAP_MODES = ("allow", "nested", "flat")
WORD_FEATURES = ("case",)
SPAN_BORDERS = ("none", "inside")

# The one place that says which values a setting may have: configuration, arguments and pipeline check against it.
SETTING_CHOICES: dict[str, tuple[str, ...]] = {
    "span_pooling": SPAN_POOLINGS,
    "relation_context": RELATION_CONTEXTS,
    "context": WINDOW_CONTEXTS,
    "overlap": OVERLAP_MODES,
    "word_features": WORD_FEATURES,  # each of a list
    "span_borders": SPAN_BORDERS,
    "on_error": ("raise", "record"),
}
SETTING_MINIMA = {
    "max_span_width": 1,
    "width_embedding_size": 0,
    "width_table_size": 1,
    "max_window_length": 8,
    "batch_size": 1,
    "max_tokens": 1,
    "max_entities_per_sentence": 1,
    "pair_product": 0,
}
PROBABILITIES = ("head_dropout", "relation_threshold", "entity_threshold")
TEMPERATURES = ("entity_temperature", "relation_temperature")  # finite and above 0
SWITCHES = ("type_pairs",)

# A model's own pipeline entry beats the local registry, so with the package imported it must stay out of sight:
# otherwise `pipeline("joint-extraction", model=folder)` would ask for trust_remote_code. It is always written to disk.
_IS_REMOTE_CODE = __name__.startswith("transformers_modules")


class SpertConfig(PreTrainedConfig):
    """Everything a saved SpERT model needs besides its weights and its tokenizer.

    Args:
        backbone_config: Configuration of the encoder (an object, or a dict with its `model_type`); default BERT base.
        entity_types: Entity type labels; class `i + 1` of the span classifier is `entity_types[i]`, class 0 is *none*.
        relation_types: Relation type labels, in the order of the relation classifier's outputs. May be empty.
        symmetric_relation_types: The relation types whose direction carries no meaning.
        relation_signatures: Triples of head entity type, relation type and tail entity type. A relation of a type named
            here holds between these types only; default: no check (paper).
        max_span_width: Widest candidate span, in words (paper: 10).
        width_embedding_size: Size of the learned span width embedding (paper: 25); 0 leaves it out.
        width_table_size: Rows of the width embedding table; wider (given) spans share the last row.
        span_pooling: How a span's subword vectors are fused: "max" (paper), "mean" or "sum".
        relation_context: Context of a pair of spans: "localized" (between them, paper), "full" (the sentence), "cls".
        head_dropout: Dropout probability on the input of both classifiers.
        relation_threshold: Probability from which a relation type holds (paper: 0.4).
        entity_threshold: Probability that an entity's best type must reach; None: the best class wins (paper).
        entity_temperature: Divides the entity logits before they become probabilities; fitted by `--calibrate`.
        relation_temperature: The same for relation logits. Thresholds are compared with the probabilities that result.
        context: What a window holds: "none", one sentence; "document", as many consecutive sentences as fit.
        max_window_length: Longest window in subwords, special tokens included; default: what the encoder takes.
        segmentation: Settings of the rules that split raw text into sentences and words, as a plain dict.
        label_names: Readable names of labels, for cards and pictures, keyed "entity/<label>" or "relation/<label>".
        initializer_range: Standard deviation of newly initialised classifier weights.
        overlap: Which entities may share words: "allow" (paper), any; "nested", those that contain one another; "flat",
            none. Of two that may not, the one with the better score stays.
        word_features: What the encoder's input says of each word besides its subwords: "case", which of its letters
            are capitals. Empty (paper): nothing.
        span_borders: Whether span scores have a term for the span's first and last word: "inside", or "none" (paper).
        type_pairs: Whether relation scores have a term for the entity types of both spans (paper: no).
        pair_product: Size of the product of both spans that relation scores have a term for; 0 (paper): no such term.
        **kwargs: Settings of `PreTrainedConfig`.

    Raises:
        ValueError: If a setting is out of its range, labels repeat, or a keyword looks like a misspelt setting.

    >>> config = SpertConfig(entity_types=["Peop", "Loc"], relation_types=["Live_In"])
    >>> config.num_entity_classes, config.num_relation_types, config.max_span_width
    (3, 1, 10)
    """

    model_type = "spert"
    sub_configs = {"backbone_config": AutoConfig}  # noqa: RUF012  (the name and form transformers reads)

    def __init__(
        self,
        backbone_config: PreTrainedConfig | dict[str, Any] | None = None,
        entity_types: Sequence[str] = (),
        relation_types: Sequence[str] = (),
        symmetric_relation_types: Sequence[str] = (),
        relation_signatures: Sequence[Sequence[str]] | None = None,
        max_span_width: int = 10,
        width_embedding_size: int = 25,
        width_table_size: int = 100,
        span_pooling: str = "max",
        relation_context: str = "localized",
        head_dropout: float = 0.1,
        relation_threshold: float = 0.4,
        entity_threshold: float | None = None,
        entity_temperature: float = 1.0,
        relation_temperature: float = 1.0,
        context: str = "none",
        max_window_length: int | None = None,
        segmentation: dict[str, Any] | None = None,
        label_names: dict[str, str] | None = None,
        initializer_range: float = 0.02,
        overlap: str = "allow",
        word_features: Sequence[str] = (),
        span_borders: str = "none",
        type_pairs: bool = False,
        pair_product: int = 0,
        **kwargs: Any,
    ):
        _refuse_misspelt(kwargs)
        self.backbone_config = _build_backbone_config(backbone_config)
        self.entity_types = _list_of_labels("entity_types", entity_types)
        self.relation_types = _list_of_labels("relation_types", relation_types)
        self.symmetric_relation_types = _list_of_labels("symmetric_relation_types", symmetric_relation_types)
        self.relation_signatures = (
            None if relation_signatures is None else [list(triple) for triple in relation_signatures]
        )
        self.max_span_width = max_span_width
        self.width_embedding_size = width_embedding_size
        self.width_table_size = width_table_size
        self.span_pooling = span_pooling
        self.relation_context = relation_context
        self.head_dropout = head_dropout
        self.relation_threshold = relation_threshold
        self.entity_threshold = entity_threshold
        self.entity_temperature = entity_temperature
        self.relation_temperature = relation_temperature
        self.context = context
        self.max_window_length = max_window_length
        self.segmentation = _optional_mapping("segmentation", segmentation)
        self.label_names = _optional_mapping("label_names", label_names) or {}
        self.initializer_range = initializer_range
        self.overlap = overlap
        self.word_features = _list_of_labels("word_features", word_features)
        self.span_borders = span_borders
        self.type_pairs = type_pairs
        self.pair_product = pair_product
        self._check()
        kwargs.pop("custom_pipelines", None)
        if _IS_REMOTE_CODE:
            self.custom_pipelines = _custom_pipelines()
        super().__init__(**kwargs)

    def _check(self) -> None:
        unknown = sorted(set(self.symmetric_relation_types) - set(self.relation_types))
        if unknown:
            raise ValueError(
                f"symmetric_relation_types must be among relation_types {self.relation_types}, got {unknown}"
            )
        for triple in self.relation_signatures or ():
            if not _is_signature(triple, self.entity_types, self.relation_types):
                raise ValueError(
                    "relation_signatures must be triples of an entity type, a relation type and an entity type, "
                    f"got {triple}"
                )
        for name in _setting_names():
            if getattr(self, name) is not None or name not in ("max_window_length", "entity_threshold"):
                check_setting(name, getattr(self, name))
        if self.width_embedding_size and self.width_table_size <= self.max_span_width:
            raise ValueError(
                f"width_table_size must exceed max_span_width {self.max_span_width}, got {self.width_table_size}"
            )

    @property
    def num_entity_classes(self) -> int:
        """Outputs of the span classifier: *none* and the entity types."""
        return len(self.entity_types) + 1

    @property
    def num_relation_types(self) -> int:
        """Outputs of the relation classifier."""
        return len(self.relation_types)

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> Any:
        """The encoder's configuration, where libraries look for sizes such as `vocab_size` and `hidden_size`."""
        return self.backbone_config.get_text_config(decoder=decoder, encoder=encoder)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """The configuration of a dict; settings among the keywords replace those of the dict, and are checked.

        A `backbone_config` among the keywords that is a dict changes the settings that it names, unless it names
        another `model_type`. Attention kernels from the Hub are code: they are loaded only if a keyword names them.
        """
        config_dict = _without_kernels(config_dict)
        own = {name: kwargs.pop(name) for name in _setting_names() if name in kwargs}
        if "relation_types" in own:
            symmetric, present = config_dict.get("symmetric_relation_types", ()), set(own["relation_types"])
            own.setdefault("symmetric_relation_types", [label for label in symmetric if label in present])
        saved, changes = config_dict.get("backbone_config"), own.get("backbone_config")
        if isinstance(saved, dict) and isinstance(changes, dict):
            same = changes.get("model_type", saved.get("model_type")) == saved.get("model_type")
            own["backbone_config"] = {**saved, **changes} if same else changes
        if config_dict.get("relation_signatures") and ("entity_types" in own or "relation_types" in own):
            labels = {**config_dict, **own}
            known = [
                triple
                for triple in config_dict["relation_signatures"]
                if _is_signature(triple, labels["entity_types"], labels["relation_types"])
            ]
            own.setdefault("relation_signatures", known)
        return super().from_dict({**config_dict, **own}, **kwargs)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain data, with the pipeline entry that the Hub reads."""
        settings = {**super().to_dict(), "custom_pipelines": _custom_pipelines()}
        backbone = settings.get("backbone_config")
        # A folder of the machine that trained means nothing elsewhere, and is nobody's business.
        if isinstance(backbone, dict) and os.path.isabs(os.path.expanduser(backbone.get("_name_or_path") or "")):
            settings["backbone_config"] = {name: backbone[name] for name in backbone if name != "_name_or_path"}
        return settings


def check_setting(name: str, value: Any) -> None:
    """Check the value of one setting of the model or the pipeline.

    Args:
        name: In `SETTING_CHOICES`, `SETTING_MINIMA`, `PROBABILITIES`, `TEMPERATURES`, `SWITCHES`; others have no range.
        value: The value to check.

    Raises:
        ValueError: If the value is not allowed; the message names the setting, what it may be, and the value.

    >>> check_setting("max_span_width", 0)
    Traceback (most recent call last):
    ValueError: max_span_width must be an integer >= 1, got 0
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    for choice in value if name == "word_features" else [value]:
        if name in SETTING_CHOICES and choice not in SETTING_CHOICES[name]:
            raise ValueError(f"{name} must be one of {', '.join(SETTING_CHOICES[name])}, got {choice!r}")
    if name in SETTING_MINIMA and (type(value) is not int or value < SETTING_MINIMA[name]):
        raise ValueError(f"{name} must be an integer >= {SETTING_MINIMA[name]}, got {value!r}")
    if name in PROBABILITIES and not (is_number and 0 <= value <= 1):
        raise ValueError(f"{name} must be between 0 and 1, got {value!r}")
    if name in TEMPERATURES and not (is_number and 0 < value < math.inf):
        raise ValueError(f"{name} must be finite and more than 0, got {value!r}")
    if name in SWITCHES and not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, got {value!r}")


def _custom_pipelines() -> dict[str, Any]:
    """The pipeline entry of a saved model, new each time: transformers replaces names by classes inside it."""
    return {"joint-extraction": {"impl": "pipeline_spert.JointExtractionPipeline", "pt": ["AutoModel"], "type": "text"}}


def _build_backbone_config(config: PreTrainedConfig | dict[str, Any] | None) -> PreTrainedConfig:
    if config is None:
        return AutoConfig.for_model("bert")
    if isinstance(config, PreTrainedConfig):
        return config
    settings = dict(config)
    if "model_type" not in settings:
        raise ValueError('backbone_config must name its "model_type", such as "bert"')
    return AutoConfig.for_model(settings.pop("model_type"), **settings)


def _list_of_labels(name: str, labels: Sequence[str]) -> list[str]:
    # "Peop" would be read as the labels "P", "e", "o", "p".
    if isinstance(labels, str) or not isinstance(labels, Sequence):
        raise ValueError(f"{name} must be a list of labels, got the {type(labels).__name__} {labels!r}")
    for label in labels:
        if not isinstance(label, str) or not label:
            raise ValueError(f"{name} must be non-empty strings, got {label!r}")
    repeated = sorted(label for label, count in Counter(labels).items() if count > 1)
    if repeated:
        raise ValueError(f"{name} must not repeat a label, got {repeated} more than once")
    return list(labels)


def _optional_mapping(name: str, value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a dict or None, got {value!r}")
    return None if value is None else dict(value)


def _without_kernels(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a file without attention kernels that a repository holds: a configuration is not code."""
    kept: dict[str, Any] = {}
    for name, value in settings.items():
        if "attn_implementation" in name and "/" in str(value):
            logger.warning(f"Ignored {name}={value!r} of the configuration: pass attn_implementation to load a kernel")
        else:
            kept[name] = _without_kernels(value) if name == "backbone_config" and isinstance(value, dict) else value
    return kept


def _is_signature(triple: Sequence[str], entity_types: Sequence[str], relation_types: Sequence[str]) -> bool:
    head, relation, tail = triple if len(triple) == 3 else ("", "", "")
    return head in entity_types and relation in relation_types and tail in entity_types


def _setting_names() -> list[str]:
    return [name for name in SpertConfig.__init__.__annotations__ if name not in ("kwargs", "return")]


def _refuse_misspelt(kwargs: dict[str, Any]) -> None:
    """Unknown keywords reach `PreTrainedConfig`, which takes any: stop those that look like a setting of ours."""
    for name in kwargs:
        close = difflib.get_close_matches(name, _setting_names(), n=1, cutoff=0.85)
        if close:
            raise ValueError(f"SpertConfig has no setting {name!r}; did you mean {close[0]!r}?")


SpertConfig.register_for_auto_class()
