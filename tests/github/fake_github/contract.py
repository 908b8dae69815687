"""GitHub's own words on its interface (tests/github/contract/), as checks of requests, answers and events."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import jsonschema
from jsonschema.exceptions import best_match
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

FOLDER = Path(__file__).resolve().parents[1] / "contract"
HOST = "https://api.github.com"
TEXTS = {"date-time": "2026-01-01T00:00:00Z", "uri": "https://github.com/x", "email": "a@example.com"}
Operation = tuple[str, str]  # method, path with {names}


class BrokenContractError(AssertionError):
    """A request that GitHub would not take, or an answer that GitHub would not give."""


@cache
def description() -> dict[str, Any]:
    """The extract, mended: null belongs into an enumeration beside `nullable`, a choice forbids nothing, forks go."""
    found = json.loads((FOLDER / "api.json").read_text("utf-8"), object_hook=_mended)
    schemas = found["components"]["schemas"]
    for name in ("pull-request", "pull-request-simple"):  # GitHub gives null there, whatever its description says
        head = schemas[name]["properties"]["head"]["properties"]
        head["repo"] = {**schemas["repository"], "nullable": True}
    return found


def _mended(node: dict[str, Any]) -> dict[str, Any]:
    """Of a choice between schemas each choice says which properties there are, not the choice itself."""
    if node.get("nullable") is True and isinstance(node.get("enum"), list):
        return {**node, "enum": [*node["enum"], None]}
    if isinstance(node.get("oneOf", node.get("anyOf")), list) and "properties" not in node:
        return {**node, "additionalProperties": True}
    return node


@cache
def _checkers() -> tuple[OpenAPI, OpenAPI]:
    """The first takes no property that the description lacks: a misspelt one would be ignored by GitHub in silence."""
    strict = Config(spec_validator_cls=None, additional_properties_default_policy="forbid")
    lenient = Config(spec_validator_cls=None)
    return tuple(OpenAPI.from_dict(copy.deepcopy(description()), config=config) for config in (strict, lenient))


@cache
def operations() -> list[tuple[re.Pattern[str], str, Operation]]:
    """Pattern of the path, method, operation; what is spelled out comes before what has names."""
    found = []
    for path, item in description()["paths"].items():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        pattern = re.sub(r"\(\?P<(path|ref)>\[\^/\]\+\)$", r"(?P<\1>.+)", pattern)
        found += [(re.compile(pattern), method, (method, path)) for method in item if method != "parameters"]
    return sorted(found, key=lambda entry: entry[2][1].count("{"))


def match(method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """The operation that a call means, with what stands for its names. Raises BrokenContractError."""
    for pattern, verb, operation in operations():
        found = pattern.fullmatch(path)
        if found and verb == method.lower():
            return operation, {name: unquote(value) for name, value in found.groupdict().items()}
    raise BrokenContractError(f"{method} {path} is no call of the extract")


def request(method: str, target: str, body: bytes) -> SimpleNamespace:
    """The call as openapi-core wants it; names that may hold a slash are quoted once more, as its paths are strict."""
    parts = urlsplit(target)
    operation, names = match(method, parts.path)
    path = re.sub(r"\{(\w+)\}", lambda name: quote(names[name.group(1)], safe=""), operation[1])
    query = ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True))
    parameters = RequestParameters(query=query, header=Headers(), cookie=ImmutableMultiDict())
    content_type = "application/json" if body else ""
    return SimpleNamespace(
        host_url=HOST,
        path=path,
        method=method.lower(),
        parameters=parameters,
        content_type=content_type,
        body=body or None,
    )


@cache
def check_request(method: str, target: str, body: bytes) -> None:
    """Raises BrokenContractError."""
    call = request(method, target, body)
    operation, _ = match(method, urlsplit(target).path)
    known = {item.get("name") or _named(item) for item in _parameters(operation)}
    unknown = set(call.parameters.query) - known
    if unknown:
        raise BrokenContractError(f"{method} {operation[1]} has no parameter {', '.join(sorted(unknown))}")
    _judge(lambda: _checkers()[0].validate_request(call), f"request {method} {target}")


@cache
def check_answer(method: str, target: str, status: int, content: bytes) -> None:
    """Raises BrokenContractError. Refusals that every call may give (401, 403, 5xx) are not described by GitHub."""
    if status in (401, 403, 429) or status >= 500:
        return
    answer = SimpleNamespace(
        status_code=status, headers=Headers(), content_type="application/json" if content else "", data=content or None
    )
    declared = _operation(match(method, urlsplit(target).path)[0])["responses"]
    if str(status) not in declared and status in (404, 422):
        return
    if str(status) not in declared:
        raise BrokenContractError(f"{method} {target}: GitHub does not answer {status} here, but {', '.join(declared)}")
    call = request(method, target, b"")
    _judge(lambda: _checkers()[1].validate_response(call, answer), f"answer {status} to {method} {target}")


def check_event(name: str, payload: dict[str, Any]) -> None:
    """One webhook payload, for example `pull_request$opened`. Raises BrokenContractError."""
    schema = json.loads((FOLDER / "events.json").read_text("utf-8"))
    wanted = {**schema, "$ref": f"#/definitions/{name}"}
    _judge(lambda: jsonschema.Draft7Validator(wanted).validate(payload), f"event {name}")


def event_sample(name: str) -> dict[str, Any]:
    """The smallest payload of an event."""
    schema = json.loads((FOLDER / "events.json").read_text("utf-8"))
    return sample({"$ref": f"#/definitions/{name}"}, schema)


def document(name: str, /, **fields: Any) -> dict[str, Any]:
    """The smallest document of a schema of GitHub's, with these fields in it."""
    schema = {**description()["components"]["schemas"][name], "nullable": False}
    return {**sample(schema, description()), **fields}


def sample(schema: dict[str, Any], root: dict[str, Any]) -> Any:  # noqa: PLR0911 (one answer per kind)
    """The smallest value that a schema takes."""
    if "$ref" in schema:
        node: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        return sample(node, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "allOf" in schema:
        parts = [sample(part, root) for part in schema["allOf"]]
        return {key: value for part in parts for key, value in part.items()} if isinstance(parts[0], dict) else parts[0]
    for choice in ("oneOf", "anyOf"):
        if choice in schema and "properties" not in schema:
            return sample(schema[choice][0], root)
    if schema.get("nullable"):
        return None
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: sample(properties.get(name, {}), root) for name in schema.get("required", [])}
    simple = {"array": [], "integer": schema.get("minimum", 1), "number": 1.0, "boolean": False, "null": None}
    return simple[kind] if kind in simple else TEXTS.get(schema.get("format", ""), "x")


def _operation(operation: Operation) -> dict[str, Any]:
    return description()["paths"][operation[1]][operation[0]]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    return [*_operation(operation).get("parameters", []), *description()["paths"][operation[1]].get("parameters", [])]


def _named(parameter: dict[str, Any]) -> str:
    return description()["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]["name"]


def _judge(check: Any, what: str) -> None:
    try:
        check()
    except Exception as error:
        raise BrokenContractError(f"{what}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """The innermost cause, as the place in the document and what is wrong there."""
    while error.__cause__ is not None and not getattr(error, "schema_errors", ()):
        error = error.__cause__
    found = best_match(getattr(error, "schema_errors", ())) or error
    return f"{getattr(found, 'json_path', '')}: {str(getattr(found, 'message', found))[:300]}"
