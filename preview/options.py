"""The generated JSON, read option by option: what is read is drawn, what is neither read nor known is a mistake.

A path names an option whatever dashboard it is in: keys joined by dots, `[]` for every item of a list, `[id]` where the
items have an id, and the kind of panel in front: `table.fieldConfig.overrides[].properties[unit].value`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from preview.ignored import IGNORED

Json = Any  # what json.loads returns


class Undrawable(Exception):
    """The preview does not know an option's value; the message is a sentence."""


@dataclass(frozen=True)
class Option:
    """A value of the JSON and its path; `drawn` collects the paths of everything that was read."""

    value: Json
    path: str
    drawn: set[str]

    def __getitem__(self, key: str) -> Option:
        """What is below a key; where there is nothing, an option whose value is None."""
        return Option(self.value.get(key) if isinstance(self.value, dict) else None, _join(self.path, key), self.drawn)

    @property
    def there(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def read(self) -> Json:
        """The value, whatever it is; everything below it counts as drawn."""
        self.drawn.add(self.path)
        if isinstance(self.value, dict | list):
            self.drawn.add(f"{self.path}.*")
        return self.value

    def text(self, missing: str = "") -> str:
        """The value as text."""
        return missing if (value := self.read()) is None else str(value)

    def number(self) -> float | None:
        """The value as a number, if there is one."""
        return None if (value := self.read()) is None else float(value)

    def flag(self, *, missing: bool = False) -> bool:
        """The value as yes or no."""
        return missing if (value := self.read()) is None else bool(value)

    def choice(self, *known: str) -> str:
        """One of the known words; the first one where there is none. Raises Undrawable for any other."""
        word = self.text(known[0])
        if word not in known:
            raise Undrawable(f"{self.path} is {word}; the preview draws {', '.join(known)}")
        return word

    def items(self) -> Iterator[Option]:
        """The items of a list."""
        self.drawn.add(self.path)
        for item in self.value or ():
            yield Option(item, f"{self.path}[{_index(item)}]", self.drawn)


def undrawn(document: Json, drawn: set[str], path: str) -> Iterator[str]:
    """The paths of the JSON that were neither read nor are known to need no drawing."""
    read = drawn | {place[:end] for place in drawn for end in _ends(place)}
    for place, value in leaves(document, path):
        above = {place, *(f"{place[:end]}.*" for end in _ends(place))}
        if not above & read and not _ignored(place, value):
            yield place


def leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Every value that has nothing below it, and its path."""
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from leaves(below, _join(path, key))
    elif isinstance(value, list) and value:
        for item in value:
            yield from leaves(item, f"{path}[{_index(item)}]")
    else:
        yield path, value


def _ignored(place: str, value: Json) -> bool:
    above = [place, *(f"{place[:end]}.*" for end in _ends(place))]
    return any(
        (not values or value in values) and any(_names(pattern, one) for one in above)
        for pattern, (_, values) in IGNORED.items()
    )


def _names(pattern: str, place: str) -> bool:
    """Whether a pattern of IGNORED is about a path: `*.id` is about an id at any depth."""
    return place.endswith(pattern[1:]) if pattern.startswith("*") else place == pattern


def _ends(place: str) -> list[int]:
    return [number for number, letter in enumerate(place) if letter in ".["]


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _index(item: Json) -> str:
    return item["id"] if isinstance(item, dict) and isinstance(item.get("id"), str) else ""
