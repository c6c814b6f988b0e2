"""What OpenAPI says of `/extract`: the forms of a request, its settings, examples, and each status."""

from __future__ import annotations

from typing import Any

from modeling_spert.configuration_spert import PROBABILITIES, SETTING_CHOICES, SETTING_MINIMA
from modeling_spert.extraction_spert import Extractor
from modeling_spert.service.limits import Limits
from modeling_spert.service.reading import CALLER_SETTINGS
from modeling_spert.service.refusals import REASONS

_TEXT = "Ada Lovelace lived in London."
_WORDS = ["Ada", "Lovelace", "lived", "in", "London", "."]
_ENTITY = {
    "type": "object",
    "required": ["start", "end", "label"],
    "properties": {
        "start": {"type": "integer", "minimum": 0},
        "end": {"type": "integer", "minimum": 1},
        "label": {"type": "string"},
    },
}

REQUESTS: dict[str, dict[str, Any]] = {
    "one text": {"text": _TEXT},
    "many texts": {"texts": [_TEXT, "Bela Quist works for Norvane Rail."], "relation_threshold": 0.5},
    "words": {"tokens": _WORDS},
    "a document": {"sentences": [_WORDS, ["She", "wrote", "."]], "overlap": "flat"},
    "given entities": {
        "text": _TEXT,
        "entities": [{"start": 0, "end": 12, "label": "Person"}, {"start": 22, "end": 28, "label": "Location"}],
    },
    "errors recorded": {"texts": [_TEXT, {"tokens": [1]}], "on_error": "record"},
}
ANSWER = {
    "text": _TEXT,
    "entities": [
        {"label": "Person", "score": 0.97, "start": 0, "end": 12, "text": "Ada Lovelace", "words": [0, 2]},
        {"label": "Location", "score": 0.99, "start": 22, "end": 28, "text": "London", "words": [4, 5]},
    ],
    "relations": [{"label": "lives_in", "score": 1.0, "head": 0, "tail": 1}],
}


def describe_extract(limits: Limits, needs_key: bool) -> dict[str, Any]:
    """Arguments of the route, from the limits and from the definitions of the settings."""
    examples = {name: {"value": value} for name, value in REQUESTS.items()}
    content = {"application/json": {"schema": request_schema(limits), "examples": examples}}
    extra: dict[str, Any] = {"requestBody": {"required": True, "content": content}}
    if needs_key:
        key = {"name": "X-API-Key", "in": "header", "required": True, "schema": {"type": "string"}}
        extra["parameters"] = [key]
    answered = {"application/json": {"schema": {"oneOf": [_answer_schema(), _list_of(_answer_schema())]}}}
    answered["application/json"]["examples"] = {"one text": {"value": ANSWER}}  # type: ignore[dict-item]
    refused = {"application/json": {"schema": {"type": "object", "properties": {"detail": {"type": "string"}}}}}
    responses: dict[int, Any] = {status: {"description": text, "content": refused} for status, text in REASONS.values()}
    responses[200] = {"description": "An answer; for texts in a list, a list of them.", "content": answered}
    return {"openapi_extra": extra, "responses": responses}


def request_schema(limits: Limits) -> dict[str, Any]:
    """JSON schema of a request."""
    words = _list_of({"type": "string"})
    form = {
        "text": {"type": "string", "maxLength": limits.max_text_length},
        "tokens": {**words, "description": "One sentence."},
        "sentences": {**_list_of(words), "description": "A document."},
        "entities": {
            **_list_of(_ENTITY),
            "maxItems": limits.max_given_entities,
            "description": "Relations between just these; start and end are characters of a text, words of tokens.",
        },
    }
    text = {"oneOf": [form["text"], {"type": "object", "properties": form, "additionalProperties": False}]}
    texts = {**_list_of(text), "maxItems": limits.max_texts, "description": "Texts or objects, in place of one."}
    settings = {name: setting_schema(name) for name in CALLER_SETTINGS}
    properties = {**form, "texts": texts, **settings}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def setting_schema(name: str) -> dict[str, Any]:
    """JSON schema of a setting."""
    if name in PROBABILITIES:
        return {"type": "number", "minimum": 0, "maximum": 1}
    if name in SETTING_CHOICES:
        return {"type": "string", "enum": list(SETTING_CHOICES[name])}
    if name not in SETTING_MINIMA:  # no range is defined
        return {}
    schema: dict[str, Any] = {"type": "integer", "minimum": SETTING_MINIMA[name]}
    if name == "max_entities_per_sentence":
        schema["maximum"] = Extractor.max_entities_per_sentence
    return schema


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _answer_schema() -> dict[str, Any]:
    text, number, index = {"type": "string"}, {"type": "number"}, {"type": "integer"}
    entity = {"label": text, "score": number, "start": index, "end": index, "text": text, "words": _list_of(index)}
    entity |= {"widened": {"type": "boolean"}}
    relation = {"label": text, "score": number, "head": index, "tail": index}
    return {
        "type": "object",
        "required": ["text", "entities", "relations"],
        "properties": {
            "text": text,
            "entities": _list_of({"type": "object", "properties": entity}),
            "relations": _list_of({"type": "object", "properties": relation}),
            "error": text,
        },
    }
