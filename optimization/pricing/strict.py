"""Input that a person writes: unknown keys are refused with the nearest known one, and YAML holds no surprises.

Belongs here: the base of every model that reads such a file, and the reader. Does not: what any file means.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, model_validator


class Strict(BaseModel):
    """A misspelt key must not be silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            unknown = [key for key in data if key not in known and key not in cls.model_fields]
            if unknown:
                raise ValueError("; ".join(f"unknown key {str(key)!r}{nearest(str(key), known)}" for key in unknown))
        return data


def nearest(name: str, known: Iterable[Any]) -> str:
    """`; did you mean 'savings_target'?`, or nothing."""
    found = difflib.get_close_matches(name, [str(item) for item in known], n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


class _Loader(yaml.CSafeLoader):
    """Only true and false are booleans (a tier may be called NO), 010 is text (procedures have leading zeros), and a key that
    stands twice is an error, not a silent second thought."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice[0]!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":int"))]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))


def read_yaml(text: str) -> Any:
    """The document's value. Raises yaml.YAMLError."""
    return yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
