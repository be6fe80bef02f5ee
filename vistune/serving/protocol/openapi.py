"""The routes as OpenAPI describes them, for tools that read such a description; `docs/serve.md` says the same to people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import vistune

_NOTHING: dict[str, Any] = {"type": "null"}
_TEXT: dict[str, Any] = {"type": "string"}
_WHOLE: dict[str, Any] = {"type": "integer"}
_NUMBER: dict[str, Any] = {"type": "number"}


def described(models: Sequence[str], max_tokens: int) -> dict[str, Any]:
    """The description of a server of these models whose answers take at most `max_tokens`."""
    chat, response, rank = _body("Chat"), _body("Ask"), _body("Choice")
    answered = {"application/json": {"schema": _ref("Completion")}, "text/event-stream": {"schema": _TEXT}}
    responded = {"application/json": {"schema": _ref("Response")}, "text/event-stream": {"schema": _TEXT}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "vistune serve", "version": vistune.__version__},
        "paths": {
            "/v1/chat/completions": {"post": {**chat, "responses": _responses({"200": ("an answer", answered)})}},
            "/v1/responses": {"post": {**response, "responses": _responses({"200": ("an answer", responded)})}},
            "/v1/rank": {"post": {**rank, "responses": _responses({"200": ("options in their order", _json("Ranking"))})}},
            "/v1/models": {"get": {"responses": _responses({"200": ("what is served", _json("Models"))})}},
            "/v1/models/{name}": {
                "get": {
                    "parameters": [{"name": "name", "in": "path", "required": True, "schema": _TEXT}],
                    "responses": _responses({"200": ("a model", _json("Model"))}),
                }
            },
            "/health": {"get": {"responses": {"200": _said("ready", "State"), "503": _said("loading or draining", "State")}}},
        },
        "components": {
            "schemas": _schemas(models, max_tokens),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _schemas(models: Sequence[str], max_tokens: int) -> dict[str, Any]:
    tokens = _maybe({"type": "integer", "minimum": 1, "maximum": max_tokens})
    penalty = _maybe({"type": "number", "minimum": -2, "maximum": 2})
    stop = {"type": "string", "minLength": 1}
    form = {"type": "object", "properties": {"type": {"enum": ["text", "json_object", "json_schema"]}}, "required": ["type"]}
    usage = _object(dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), _WHOLE), closed=False)
    message = _object({"role": {"const": "assistant"}, "content": _TEXT}, closed=False)
    choice = {"index": _WHOLE, "message": message, "finish_reason": {"enum": ["stop", "length"]}}
    head = {"id": _TEXT, "object": _TEXT, "created": _WHOLE, "model": _TEXT}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    ranked = {"index": _WHOLE, "option": _TEXT, "logprob": _NUMBER, "probability": share}
    error = {"message": _TEXT, "type": _TEXT, "param": _maybe(_TEXT), "code": _maybe(_TEXT)}
    sampling = {
        "temperature": _maybe({"type": "number", "minimum": 0, "maximum": 2}),
        "top_p": _maybe({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
        "stream": _maybe({"type": "boolean"}),
        "top_logprobs": _maybe({"type": "integer", "minimum": 0, "maximum": 20}),
    }
    asked = {"model": {"enum": list(models)}, "messages": {"type": "array", "minItems": 1, "items": _ref("Message")}}
    return {
        "Chat": _object(
            asked,
            {
                "max_tokens": tokens,
                "max_completion_tokens": tokens,
                "seed": _maybe({"type": "integer", "minimum": -(1 << 63), "maximum": (1 << 63) - 1}),
                "stop": _maybe({"anyOf": [stop, {"type": "array", "items": stop, "maxItems": 4}]}),
                "n": _maybe({"type": "integer", "minimum": 1, "maximum": 128}),
                "logprobs": _maybe({"type": "boolean"}),
                "stream_options": _maybe({"type": "object"}),
                "response_format": _maybe(form),
                "frequency_penalty": penalty,
                "presence_penalty": penalty,
                **sampling,
            },
        ),
        "Ask": _object(
            {"model": asked["model"], "input": {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": _ref("Item")}]}},
            {
                "instructions": _maybe(_TEXT),
                "max_output_tokens": tokens,
                "text": _maybe(_object({}, {"format": form})),
                "include": _maybe({"type": "array", "items": {"const": "message.output_text.logprobs"}}),
                **sampling,
            },
        ),
        "Item": {
            "type": "object",
            "properties": {
                "type": {"const": "message"},
                "role": {"enum": ["system", "developer", "user", "assistant"]},
                "content": {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": {"type": "object"}}]},
            },
            "required": ["role", "content"],
        },
        "Response": _object(
            {"id": _TEXT, "object": {"const": "response"}, "created_at": _WHOLE, "model": _TEXT}
            | {"status": {"enum": ["completed", "incomplete"]}, "output": {"type": "array", "items": {"type": "object"}}},
            closed=False,
        ),
        "Choice": _object(
            asked | {"options": {"type": "array", "minItems": 1, "maxItems": 256, "items": stop}},
            {"by": {"enum": ["sum", "mean"]}},
        ),
        "Message": {
            "type": "object",
            "properties": {
                "role": {"enum": ["system", "developer", "user", "assistant"]},
                "content": {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": _ref("Content")}]},
            },
            "required": ["role", "content"],
        },
        "Content": {
            "type": "object",
            "properties": {"type": {"enum": ["text", "image_url", "input_audio", "video_url", "vistune"]}},
            "required": ["type"],
        },
        "Completion": _object(head | {"choices": {"type": "array", "items": _object(choice, closed=False)}, "usage": usage}),
        "Ranking": _object(head | {"best": _WHOLE, "choices": {"type": "array", "items": _object(ranked)}, "usage": usage}),
        "Model": _object({"id": _TEXT, "object": {"const": "model"}, "created": _WHOLE, "owned_by": _TEXT}, closed=False),
        "Models": _object({"object": {"const": "list"}, "data": {"type": "array", "items": _ref("Model")}}),
        "State": _object({"status": _TEXT}, {"error": _TEXT}),
        "Error": _object({"error": _object(error)}),
    }


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None, closed: bool = True) -> dict[str, Any]:
    made = {"type": "object", "properties": required | (optional or {}), "required": list(required)}
    return made | ({"additionalProperties": False} if closed else {})


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    """A value that may as well be null, which means what its absence means."""
    return {"anyOf": [schema, _NOTHING]}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": _ref(name)}}


def _said(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": _json(name)}


def _body(name: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": _json(name)}}


def _responses(good: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Answers, and refusals: each in one sentence."""
    made = {status: {"description": description, "content": content} for status, (description, content) in good.items()}
    return made | {"default": _said("a refusal", "Error")}
