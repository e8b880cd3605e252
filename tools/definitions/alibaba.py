"""Read the definitions of Alibaba Cloud's actions from the source of its SDK packages.

The packages are generated: a client has one method for each action, a model one class for each object. Their source is
read as text and not imported. A comment of a model says which parameters are required.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

_TYPES = {"str": "string", "int": "integer", "bool": "boolean", "float": "number", "bytes": "string"}
_REQUIRED = "This parameter is required."
_COMMENT = re.compile(r"^[ \t]*# ?", re.MULTILINE)
_CLASS = re.compile(r"^class ", re.MULTILINE)
_CALL = re.compile(r"Params\((.*?)\n\s*\)", re.DOTALL)
_SENT = re.compile(r"\b(query|body)\['([^']+)'\] =")
_KEY = re.compile(
    r"if self\.(\w+) is not None:\n\s*result\['([^']+)'\]|result\['([^']+)'\] = (?:(?:\[\]|{})\n\s*if )?self\.(\w+)"
)
_PATH_PARAMETER = re.compile(r"{(?:DaraURL\.percent_encode\()?(\w+)\)?}")


@dataclass(frozen=True)
class _Field:
    key: str
    type: str
    document: str = ""

    @property
    def is_required(self) -> bool:
        return _REQUIRED in self.document


class Package:
    """One package of the vendor.

    Args:
        folder: The folder of its source.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._client = (folder / "client.py").read_text()

    @cached_property
    def _models(self) -> dict[str, str]:
        """The source of each model."""
        files = sorted([*self._folder.glob("models.py"), *self._folder.glob("models/*.py")])
        classes = (each for file in files for each in _CLASS.split(file.read_text())[1:])
        return {each[: each.index("(")]: f"class {each}" for each in classes}

    def definition(self, actions: Iterable[str]) -> dict[str, Any]:
        """Return the definition of the service.

        Args:
            actions: The names of the actions.

        Raises:
            KeyError: The client has no such action.
        """
        return {**self._hosts(), "actions": {action: self._action(action) for action in sorted(actions)}}

    def document(self, action: str, path: str, of: Literal["input", "output"] = "output") -> str:
        """Return what the vendor says of a field of an answer, or of a request.

        Args:
            action: The name of the action.
            path: The path of the field; an index in it is left out.
            of: ``output`` for the answer, ``input`` for the request.

        Raises:
            StopIteration: There is no such field.
        """
        fields = self._fields(self._answer_model(action)) if of == "output" else self._request_fields(action)
        text = ""
        for key in (key for key in path.split(".") if not key.isdecimal()):
            field = next(field for field in fields if field.key == key)
            text = field.document
            fields = self._fields(field.type.removeprefix("List[").rstrip("]").removeprefix("main_models."))
        return text

    def _request_fields(self, action: str) -> list[_Field]:
        """Return the fields of a request, those of its headers, and those of its whole body."""
        fields = self._fields(f"{action}Request") + self._fields(f"{action}Headers")
        return fields + [each for field in fields if field.key == "body" for each in self._body_fields(field)]

    def _body_fields(self, whole: _Field) -> list[_Field]:
        return self._fields(whole.type.removeprefix("main_models."))

    def _hosts(self) -> dict[str, Any]:
        named = re.search(r"get_endpoint\('([^']+)'", self._client)
        rule = re.search(r"_endpoint_rule = '(\w*)'", self._client)
        own = re.search(r"_endpoint_map = ({.*?\n\s*})", self._client, re.DOTALL)
        regions: dict[str, str] = ast.literal_eval(own[1]) if own else {}
        return {
            "host": {
                "product": named[1] if named else "",
                "rule": rule[1] if rule else "",
                # One package has a tab behind a host.
                "regions": {region: host.strip() for region, host in sorted(regions.items())},
            }
        }

    def _action(self, name: str) -> dict[str, Any]:
        named = re.search(rf"action ?= ?'{name}',", self._client)
        if named is None:
            raise KeyError(name)
        at = named.start()
        begin = self._client.rfind("    def ", 0, at)
        body = self._client[begin : self._client.find("    async def ", at)]
        call = dict(re.findall(r"(\w+) ?= ?f?'([^']*)'", _CALL.findall(body)[-1]))
        path = call["pathname"]
        found: dict[str, Any] = {"style": call["style"], "method": call["method"]}
        found["path"] = _PATH_PARAMETER.sub(lambda match: f"{{{self._spelled(match[1])}}}", path)
        found["parameters"] = self._parameters(name, body, found["path"])
        answer = self._answer(self._answer_model(name), ())
        if isinstance(answer, dict):
            answer.pop("RequestId", None)
            answer.pop("requestId", None)
        found["answer"] = answer
        return found

    def _parameters(self, action: str, body: str, path: str) -> dict[str, Any]:
        places = {key: place for place, key in _SENT.findall(body)}
        shrunk = set(re.findall(r"specified_style\(\w+\.\w+, '([^']+)', 'json'\)", body))
        found: dict[str, Any] = {
            name: {"type": "string", "in": "path", "required": True} for name in re.findall(r"{(\w+)}", path)
        }
        members: list[_Field] = []
        if "parse_to_map(request.body)" in body:
            [whole] = (field for field in self._fields(f"{action}Request") if field.key == "body")
            members = self._body_fields(whole)
            places |= {field.key: "body" for field in members}
        for model in (f"{action}Request", f"{action}Headers"):
            for field in (*self._fields(model), *(members if model.endswith("Request") else ())):
                if field.key == "commonHeaders" or (members and field.key == "body"):
                    continue
                parameter = self._typed(field.type, ())
                parameter["in"] = "header" if model.endswith("Headers") else places.get(field.key, "query")
                if field.key == "body" and "stream = request.body" in body:
                    parameter["in"] = "raw"
                if field.key in shrunk:
                    parameter["json"] = True
                if field.is_required:
                    parameter["required"] = True
                found[field.key] = parameter
        return dict(sorted(found.items()))

    def _answer_model(self, action: str) -> str:
        """Return the model of an action's answer, which may be one that several actions share."""
        types = {field.key: field.type for field in self._fields(f"{action}Response")}
        return types.get("body", f"{action}ResponseBody").removeprefix("main_models.")

    def _spelled(self, name: str) -> str:
        """Return a parameter of the path as the vendor's models spell such a field: ``job_run_id`` is ``jobRunId``."""
        plain = name.replace("_", "").lower()
        return next((key for key, _ in self._keys.most_common() if key.lower() == plain), _camel(name))

    @cached_property
    def _keys(self) -> Counter[str]:
        return Counter(key for source in self._models.values() for key in re.findall(r"result\['(\w+)'\]", source))

    def _fields(self, model: str) -> list[_Field]:
        if model not in self._models:
            return []
        source = self._models[model]
        [node] = (each for each in ast.parse(source).body if isinstance(each, ast.ClassDef))
        keys = {}
        for first, key, other, attribute in _KEY.findall(source):
            keys[first or attribute] = key or other
        init = next(each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__")
        found = []
        for argument in init.args.args[1:]:
            if argument.annotation is None or argument.arg not in keys:
                continue
            comment = re.search(rf"((?:\n\s*#[^\n]*)*)\n\s*self\.{argument.arg} = {argument.arg}\b", source)
            document = _COMMENT.sub("", comment[1]).strip() if comment else ""
            found.append(_Field(keys[argument.arg], ast.unparse(argument.annotation), document))
        return found

    def _typed(self, annotation: str, above: tuple[str, ...]) -> dict[str, Any]:
        annotation = annotation.removeprefix("main_models.")
        if annotation in _TYPES:
            return {"type": _TYPES[annotation]}
        if match := re.fullmatch(r"List\[(.*)\]", annotation):
            inner = self._typed(match[1], above)
            found = {"type": "array", "items": inner["type"]}
            return found | ({"members": inner["members"]} if "members" in inner else {})
        if annotation in self._models and annotation not in above:
            members = {
                field.key: self._typed(field.type, (*above, annotation))
                | ({"required": True} if field.is_required else {})
                for field in self._fields(annotation)
            }
            return {"type": "object", "members": dict(sorted(members.items()))} if members else {"type": "object"}
        return {"type": "any" if annotation in ("Any", "BinaryIO") else "object"}

    def _answer(self, model: str, above: tuple[str, ...]) -> Any:
        model = model.removeprefix("main_models.")
        if model in _TYPES:
            return _TYPES[model]
        if match := re.fullmatch(r"List\[(.*)\]", model):
            return [self._answer(match[1], above)]
        if model in self._models and model not in above:
            fields = sorted(self._fields(model), key=lambda field: field.key)
            return {field.key: self._answer(field.type, (*above, model)) for field in fields}
        return "any"


def _camel(name: str) -> str:
    """Return a name of the client's source without underscores: ``job_run_id`` is ``jobRunId``."""
    first, *others = name.strip("_").split("_")
    return first + "".join(map(str.title, others))
