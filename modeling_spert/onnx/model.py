"""`OnnxSpertModel`: the graphs of `export_onnx` in place of a `SpertModel`, for extraction with onnxruntime.

Shape letters: B windows, L subwords, W words, K span widths, S candidate spans, N entities, P pairs, E entity classes
(with *none*), Q relation types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.hf_api import RepoFile
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.hub.client import HTTP_ERROR
from modeling_spert.levers_spert import subword_case
from modeling_spert.modeling_spert import SpertOutput
from modeling_spert.onnx.files import FOLDER, RECORD, RELATIONS, SPANS, SPANS_INT8, check_packages, read_export
from modeling_spert.onnx.graphs import RelationGraph, longest_window
from modeling_spert.pipeline_spert import JointExtractionPipeline
from modeling_spert.spans_spert import candidate_mask, context_ranges, filter_spans, sentence_ranges

# Pairs scored at once: bounds the memory of a text with thousands of entities.
_CHUNK_PAIRS = 1 << 13
_HUB_KWARGS = ("cache_dir", "force_download", "local_files_only", "revision", "token")


class OnnxSpertModel:
    """A SpERT model whose encoder and classifiers run in onnxruntime, on the CPU unless other providers are named.

    It takes the place of a `SpertModel` in the pipeline and in `predict_examples`, and gives the same answers with
    scores that differ by rounding; it cannot be trained.

    Attributes:
        config: The model's `SpertConfig`.
        device: Where inputs and outputs live: always the CPU.
    """

    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, config: SpertConfig, spans: Any, relations: Any | None):
        """Around two `onnxruntime.InferenceSession`; `from_pretrained` makes them."""
        self.config = config
        self._spans, self._relations = spans, relations

    @classmethod
    def from_pretrained(
        cls,
        name_or_folder: str | Path,
        *,
        int8: bool = False,
        num_threads: int | None = None,
        providers: Sequence[str] = ("CPUExecutionProvider",),
        **hub_kwargs: Any,
    ) -> OnnxSpertModel:
        """Load the graphs that `python -m modeling_spert.onnx` wrote into a model folder.

        Args:
            name_or_folder: Model folder, or a repository on the Hub that has one's files; its weights are not fetched.
            int8: Take the quantised span graph. Its activations have one scale per batch, so that a text's scores
                depend a little on the other texts of the batch.
            num_threads: Threads of a session; default: those of torch.
            providers: Of onnxruntime, best first.
            **hub_kwargs: Of `snapshot_download`: revision, token, cache_dir, local_files_only, force_download.

        Raises:
            ImportError: If onnxruntime is missing.
            FileNotFoundError: If there are no such graphs.
            ValueError: If they were made from other weights or settings than those next to them; on the Hub, as far
                as it can be reached.
        """
        check_packages(["onnxruntime"])
        import onnxruntime

        unknown = sorted(set(hub_kwargs) - set(_HUB_KWARGS))
        if unknown:
            raise TypeError(f"unknown keywords {', '.join(unknown)}: known ones are {', '.join(_HUB_KWARGS)}")
        if num_threads is not None and num_threads < 1:
            raise ValueError(f"num_threads must be at least 1, got {num_threads}")
        names = [SPANS_INT8 if int8 else SPANS, RELATIONS]
        folder, name = Path(name_or_folder), str(name_or_folder)
        is_local = folder.is_dir()
        if not is_local:
            patterns = ["config.json", f"{FOLDER}/{RECORD}", *(f"{FOLDER}/{graph}*" for graph in names)]
            folder = Path(snapshot_download(name, allow_patterns=patterns, **hub_kwargs))
        config = SpertConfig.from_pretrained(folder)
        paths = [folder / FOLDER / graph for graph in names[: 2 if config.relation_types else 1]]
        for path in paths:
            if not path.is_file():
                command = f"python -m modeling_spert.onnx {name}{'' if is_local else ' --output FOLDER'}"
                raise FileNotFoundError(f"{name} has no {FOLDER}/{path.name}: {command}{' --int8' if int8 else ''}")
        weights = read_export(folder, config)
        if not is_local and not hub_kwargs.get("local_files_only"):
            _check_weights_on_hub(name, folder, weights, hub_kwargs.get("token"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or torch.get_num_threads()
        options.log_severity_level = 3
        # Its threads would spin while torch's work, between one graph and the next, and take their cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        sessions = [onnxruntime.InferenceSession(str(path), options, providers=list(providers)) for path in paths]
        return cls(config, sessions[0], sessions[1] if config.relation_types else None)

    def extraction_pipeline(self, tokenizer: PreTrainedTokenizerBase, **kwargs: Any) -> JointExtractionPipeline:
        """The joint-extraction pipeline around this model; keywords are its settings."""
        kwargs.setdefault("device", self.device)
        return JointExtractionPipeline(model=self, tokenizer=tokenizer, task="joint-extraction", **kwargs)

    def to(self, device: str | torch.device) -> OnnxSpertModel:
        """Nothing to do for the CPU.

        Raises:
            ValueError: If it is another device.
        """
        if torch.device(device).type != "cpu":
            raise ValueError(f'the graphs take inputs on the CPU, not on {device}: device="cpu", and providers=[…]')
        return self

    def __call__(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        word_index: Tensor,
        sentence_index: Tensor,
        spans: Tensor | None = None,
        pairs: Tensor | None = None,
        entity_threshold: float | None = None,
        max_entities_per_sentence: int | None = None,
        overlap: str | None = None,
        word_case: Tensor | None = None,
    ) -> SpertOutput:
        """As `SpertModel.forward`, without labels.

        Given spans have no entity logits (None), since the graphs score candidates only.

        Raises:
            ValueError: If only one of spans and pairs is given, or a window is longer than the graphs take.
        """
        if (spans is None) != (pairs is None):
            raise ValueError("spans and pairs come together: pass both, or neither")
        longest = longest_window(self.config)
        if input_ids.shape[1] > longest:
            raise ValueError(f"the graphs take windows of up to {longest} subwords, got {input_ids.shape[1]}")
        ranges = word_ranges(word_index, sentence_index.shape[1])
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "word_ranges": ranges}
        if "case" in self.config.word_features:
            if word_case is None:
                raise ValueError("this model reads the letter case of words: pass word_case (B, W) of collate_windows")
            inputs["subword_case"] = subword_case(word_case, word_index)
        answers = _run(self._spans, inputs)
        entity_logits, entities = None, None
        if spans is None or pairs is None:
            spans, entity_logits, entities, pairs = filter_spans(
                answers["entity_logits"].transpose(1, 2),
                candidate_mask(sentence_index, self.config.max_span_width),
                sentence_index,
                entity_threshold,
                max_entities_per_sentence,
                self.config.overlap if overlap is None else overlap,
                temperature=self.config.entity_temperature,
            )
        if self._relations is None:
            pairs, relation_logits = pairs[:0], answers["cls"].new_zeros(0, 0)
        else:
            answers["word_counts"] = ranges[:, :, 1] - ranges[:, :, 0]
            # The graph reads only the spans that pairs point at; the entities are in ascending order.
            members = spans if entities is None else spans[entities]
            local_pairs = pairs if entities is None else torch.searchsorted(entities, pairs)
            relation_logits = self._score_pairs(answers, members, local_pairs, sentence_index)
        return SpertOutput(None, entity_logits, relation_logits, spans, pairs, entities)

    def _score_pairs(
        self, answers: Mapping[str, Tensor], spans_N3: Tensor, pairs_P2: Tensor, sentence_index_BW: Tensor
    ) -> Tensor:
        """Relation logits (P, Q), by chunks of pairs."""
        names = RelationGraph.input_names(self.config)
        inputs = {**{name: answers[name] for name in names if name in answers}, "spans": spans_N3}
        parts = [answers["cls"].new_zeros(0, self.config.num_relation_types)]
        for chunk in pairs_P2.split(_CHUNK_PAIRS) if len(pairs_P2) else ():
            heads, tails = spans_N3[chunk[:, 0]], spans_N3[chunk[:, 1]]
            inputs["pairs"] = chunk
            if self.config.relation_context == "full":
                inputs["contexts"] = sentence_ranges(sentence_index_BW, heads)
            elif self.config.relation_context == "localized":
                inputs["contexts"] = context_ranges(heads, tails)
            parts.append(_run(self._relations, inputs)["relation_logits"])
        return torch.cat(parts)


def _check_weights_on_hub(name: str, snapshot: Path, weights: Mapping[str, str], token: Any) -> None:
    """Refuse graphs that an older push has left next to newer weights; pass where the Hub cannot be reached.

    Args:
        name: The repository.
        snapshot: Its folder in the cache, which is called after the commit.
        weights: SHA-256 of the files that the graphs were made of.
        token: As the client takes it.

    Raises:
        ValueError: If the repository has other weights.
    """
    try:
        found = HfApi(token=token).get_paths_info(name, [*weights, "model.safetensors"], revision=snapshot.name)
    except (HTTP_ERROR, OSError):
        return
    files = (entry for entry in found if isinstance(entry, RepoFile))
    announced = {file.path: file.lfs.sha256 for file in files if file.lfs is not None}
    if announced and announced != weights:
        raise ValueError(
            f"the graphs in {name} were made from other weights than those next to them: export the model again with "
            f"python -m modeling_spert.onnx {name} --output FOLDER"
        )


def word_ranges(word_index_BL: Tensor, num_words: int) -> Tensor:
    """First subword and end of each word, an empty range for padding: (B, W, 2).

    Args:
        word_index_BL: Word of each subword, -1 on special tokens and padding; the subwords of a word are neighbours.
        num_words: W.

    >>> word_ranges(torch.tensor([[-1, 0, 0, 1, -1]]), 3).tolist()
    [[[1, 3], [3, 4], [0, 0]]]
    """
    B, L = word_index_BL.shape
    place_BL = torch.where(word_index_BL < 0, num_words, word_index_BL)
    position_BL = torch.arange(L, device=word_index_BL.device).expand(B, L)
    empty = word_index_BL.new_zeros(B, num_words + 1)
    first = empty.scatter_reduce(1, place_BL, position_BL, "amin", include_self=False)
    end = empty.scatter_reduce(1, place_BL, position_BL + 1, "amax", include_self=False)
    return torch.stack((first, end), dim=2)[:, :num_words]


def _run(session: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    names = [output.name for output in session.get_outputs()]
    arrays = session.run(names, {name: tensor.contiguous().numpy() for name, tensor in inputs.items()})
    return {name: torch.from_numpy(array) for name, array in zip(names, arrays, strict=True)}
