"""From the body of a request to documents and settings, checked as the pipeline checks them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modeling_spert.configuration_spert import check_setting
from modeling_spert.extraction_spert import EXTRACTION_SETTINGS, Extractor, check_settings
from modeling_spert.inputs_spert import Document, read_form, shorten
from modeling_spert.service.limits import Limits
from modeling_spert.service.refusals import refuse
from modeling_spert.streams_spert import check_inputs, name_input, read_documents

INPUT_KEYS = ("text", "tokens", "sentences", "entities")
# How the model computes is the service's affair; what it answers is the caller's.
CALLER_SETTINGS = tuple(n for n in EXTRACTION_SETTINGS if n not in ("batch_size", "max_tokens")) + ("on_error",)
_BYTES_PER_TOKEN = 4  # about, in the vocabularies of BERT-like encoders


@dataclass(frozen=True)
class Call:
    """A request as it was sent, checked: inputs of the pipeline, and settings."""

    inputs: Sequence[Any]
    is_single: bool
    extraction: dict[str, Any]  # settings of the extraction: requests with the same ones share batches
    on_error: str

    @property
    def tokens(self) -> list[int]:
        """Estimate for each input."""
        return [estimate_tokens(item) for item in self.inputs]


def read_call(body: bytes, config: Any, limits: Limits, defaults: Mapping[str, Any]) -> Call:
    """The call that a body holds.

    Args:
        body: JSON: an input of the pipeline, or `{"texts": [inputs]}`, with settings next to it.
        config: Configuration of the model.
        limits: Of the service.
        defaults: Settings where the request has none.

    Raises:
        Refusal: If it is not of this form, or exceeds a limit.
    """
    try:
        return _read_call(_parse(body), config, limits, defaults)
    except ValueError as error:
        raise refuse("invalid", str(error)) from error


def read_call_documents(call: Call, read: Callable[[Any], Document]) -> list[Document]:
    """The documents of a call.

    Args:
        call: Checked.
        read: From an input to its document: the pipeline's `preprocess`.

    Raises:
        Refusal: If an input cannot be read and the call does not ask for errors to be recorded.
    """
    documents: list[Document] = []
    for chunk, failure in read_documents(call.inputs, read, call.on_error, call.is_single, is_list=True):
        documents += chunk
        if isinstance(failure, ValueError):
            raise refuse("invalid", str(failure)) from failure
        if failure is not None:
            raise failure
    return documents


def estimate_tokens(item: Any) -> int:
    """Subwords of an input of the pipeline, estimated from its bytes.

    >>> estimate_tokens("Ada Lund was born in Vik."), estimate_tokens({"tokens": ["Ada", "."]}), estimate_tokens("")
    (7, 2, 1)
    """
    return max(1, sum(max(1, -(-len(part.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)) for part in _strings(item)))


def _strings(item: Any) -> list[str]:
    """The text of an input, or its words; none of an input without a known form."""
    if isinstance(item, Mapping):
        item = item.get("text", item.get("tokens", item.get("sentences")))
    if isinstance(item, str):
        return [item]
    if not isinstance(item, list):
        return []
    return [string for part in item for string in ([part] if isinstance(part, str) else _words(part))]


def _words(sentence: Any) -> list[str]:
    return [word for word in sentence if isinstance(word, str)] if isinstance(sentence, list) else []


def _parse(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except RecursionError:
        raise ValueError("the body must be JSON: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"the body must be JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(
            f'the body must be an object such as {{"text": "…"}} or {{"texts": […]}}, got {shorten(found)}'
        )
    return found


def _read_call(found: dict[str, Any], config: Any, limits: Limits, defaults: Mapping[str, Any]) -> Call:
    for name in found:
        if name not in (*INPUT_KEYS, "texts", *CALLER_SETTINGS):
            close = " or ".join(difflib.get_close_matches(name, (*INPUT_KEYS, "texts", *CALLER_SETTINGS), n=2))
            hint = f"did you mean {close}?" if close else f"the settings are {', '.join(CALLER_SETTINGS)}"
            raise ValueError(f"unknown key {shorten(name)}; {hint}")
    inputs, is_single = _inputs(found)
    settings = {name: found[name] for name in CALLER_SETTINGS if found.get(name) is not None}
    settings = check_settings(config, **{"on_error": "raise", **defaults, **settings})
    _check_entity_limit(settings)
    if len(inputs) > limits.max_texts:
        raise ValueError(f"texts must hold at most {limits.max_texts} texts, got {len(inputs)}: send them in parts")
    if is_single or settings["on_error"] == "raise":
        _check_forms(inputs, is_single)
    for index, item in enumerate(inputs):
        try:
            _check_size(item, limits)
        except ValueError as error:
            raise error if is_single else name_input(index, error) from None
    on_error = settings.pop("on_error")
    return Call(inputs, is_single, settings, on_error)


def _inputs(found: Mapping[str, Any]) -> tuple[list[Any], bool]:
    """The inputs, and whether there is one that is not in a list."""
    own = {key: found[key] for key in INPUT_KEYS if key in found}
    if "texts" not in found:
        return [own], True
    if own:
        raise ValueError(f'"texts" excludes {", ".join(own)}: put what belongs to a text into "texts"')
    texts = found["texts"]
    if not isinstance(texts, list):
        raise ValueError(f'"texts" must be a list of texts or of objects such as {{"text": "…"}}, got {shorten(texts)}')
    return texts, False


def _check_forms(inputs: Sequence[Any], is_single: bool) -> None:
    if is_single:
        read_form(inputs[0])
    else:
        check_inputs(inputs)


def _check_entity_limit(settings: Mapping[str, Any]) -> None:
    """A larger limit than usual takes memory by its square."""
    most, wanted = Extractor.max_entities_per_sentence, settings.get("max_entities_per_sentence", 0)
    if wanted > most:
        raise ValueError(f"max_entities_per_sentence must be at most {most} in a service, got {wanted}")


def _check_size(item: Any, limits: Limits) -> None:
    length = sum(map(len, _strings(item)))
    if length > limits.max_text_length:
        raise ValueError(f"a text must have at most {limits.max_text_length} characters, got {length}: send its parts")
    given = item.get("entities") if isinstance(item, Mapping) else None
    if isinstance(given, list) and len(given) > limits.max_given_entities:
        raise ValueError(f'"entities" must hold at most {limits.max_given_entities} entities, got {len(given)}')


def check_defaults(config: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The service's own settings, checked, before the first request.

    Raises:
        ValueError: If one is out of its range, or none that a service has.
    """
    for name in settings:
        if name not in EXTRACTION_SETTINGS:
            raise ValueError(f"a service has no setting {name!r}; it has {', '.join(EXTRACTION_SETTINGS)}")
        if settings[name] is not None:
            check_setting(name, settings[name])
    return check_settings(config, **settings)
