"""YAML text -> frozen dataclasses, with every mistake at once and the line it stands on.

The dataclass is the schema: field names are the keys, annotations are the types, a default makes a key optional.
Understood annotations: str, int, float, bool, Literal, X | None, tuple[X, ...], Mapping[str, X] and dataclasses.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

# libyaml where there is one: ten times faster, the same nodes.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in an operator's file: where it stands, what was found and what is allowed."""

    file: str
    line: int
    place: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where} [{self.place}]: {self.message}" if self.place else f"{where}: {self.message}"


class Invalid(Exception):
    """An operator's file cannot be used; `problems` has one entry per mistake, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def alternatives(found: str, allowed: typing.Iterable[str]) -> str:
    """`there is a, b, c`, or with the nearest name first where `found` looks like a misspelling of it."""
    names = sorted(allowed)
    near = difflib.get_close_matches(found, names, n=1, cutoff=0.7)
    if near:
        return f"did you mean {near[0]}? There is {', '.join(names)}"
    return f"there is {', '.join(names)}" if names else "there is none"


class Reader:
    """Walks the node tree of one YAML file and collects problems instead of stopping at the first."""

    def __init__(self, path: Path, name: str = "") -> None:
        self.file = name or path.name
        self.problems: list[Problem] = []
        try:
            self.root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
        except OSError as error:
            raise Invalid([Problem(self.file, 0, "", f"cannot be read: {error.strerror}")]) from None
        except UnicodeDecodeError:
            raise Invalid([Problem(self.file, 0, "", "is not UTF-8 text")]) from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            text = getattr(error, "problem", None) or str(error).splitlines()[0]
            raise Invalid([Problem(self.file, mark.line + 1 if mark else 0, "", f"is not YAML: {text}")]) from None

    def add(self, node: yaml.Node | None, place: str, message: str) -> None:
        """Note a problem at `node`."""
        self.problems.append(Problem(self.file, node.start_mark.line + 1 if node else 0, place, message))

    def items(self, node: yaml.Node, place: str) -> dict[str, yaml.Node]:
        """The keys of a mapping node; keys stay text (`off` is a word here, not false), doubles are problems."""
        if not isinstance(node, yaml.MappingNode):
            self.add(node, place, f"must be a table of keys, found {describe(node)}")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.add(key, place, "a key must be text")
            elif key.value in found:
                self.add(key, place, f"{key.value} is there twice")
            else:
                found[key.value] = value
        return found

    def read(self, node: yaml.Node, kind: Any, place: str) -> Any:  # noqa: ANN401, the annotation decides
        """The value of `node` as `kind`; None with a problem noted where it does not fit."""
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if dataclasses.is_dataclass(kind):
            return self.table(node, typing.cast("type", kind), place)
        if origin in (types.UnionType, typing.Union):
            if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
                return None
            return self.read(node, next(a for a in arguments if a is not type(None)), place)
        if origin is tuple:
            return self.sequence(node, arguments[0], place)
        if origin is Mapping:
            return {
                name: self.read(value, arguments[1], f"{place}.{name}")
                for name, value in self.items(node, place).items()
            }
        if origin is Literal:
            if isinstance(node, yaml.ScalarNode) and node.value in arguments:
                return node.value
            self.add(node, place, f"must be one of {', '.join(arguments)}, found {describe(node)}")
            return None
        return self.scalar(node, kind, place)

    def sequence(self, node: yaml.Node, kind: Any, place: str) -> tuple[Any, ...]:  # noqa: ANN401
        """A tuple of `kind`."""
        if not isinstance(node, yaml.SequenceNode):
            self.add(node, place, f"must be a list, found {describe(node)}")
            return ()
        return tuple(self.read(item, kind, f"{place}[{number}]") for number, item in enumerate(node.value))

    def scalar(self, node: yaml.Node, kind: type, place: str) -> Any:  # noqa: ANN401
        """Text, a number or a truth value."""
        if isinstance(node, yaml.ScalarNode):
            tag = node.tag.rpartition(":")[2]
            if tag == kind.__name__ or (kind is float and tag == "int"):
                with contextlib.suppress(ValueError, TypeError):  # a tag that was written by hand: !!int abc
                    return kind(yaml.safe_load(node.value)) if kind is not str else node.value
        self.add(node, place, f"must be {_SCALARS[kind.__name__]}, found {describe(node)}")
        return None

    def table(self, node: yaml.Node, kind: type, place: str) -> Any:  # noqa: ANN401
        """The dataclass `kind` from a mapping node; None where a key is missing or a value does not fit."""
        fields, hints = {f.name: f for f in dataclasses.fields(kind)}, typing.get_type_hints(kind)
        before = len(self.problems)
        values: dict[str, Any] = {}
        items = self.items(node, place)
        if not isinstance(node, yaml.MappingNode):  # then nothing is missing in it
            return None
        for name, value in items.items():
            if name not in fields:
                self.add(value, place, f"no key named {name}; {alternatives(name, fields)}")
            else:
                values[name] = self.read(value, hints[name], f"{place}.{name}")
        for name, field in fields.items():
            needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if needed and name not in items:
                self.add(node, place, f"{name} is missing")
        return kind(**values) if len(self.problems) == before else None


def describe(node: yaml.Node) -> str:
    """What an operator wrote, shortened: `the text "abc"`, `a list`, `a table`."""
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "a table"
    text = node.value if len(node.value) <= 40 else node.value[:37] + "..."
    return "nothing" if node.tag.endswith(":null") else f'"{text}"'
