"""fieldConfig: the JSON that says how a panel's values look, and for some fields, by name, otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from preview import colours
from preview.fields import Field, Meaning, Threshold
from preview.options import Option, Undrawable


def read(panel: Option) -> tuple[Field, Mapping[str, Field]]:
    """The options of every field of a panel, and those of the fields that are overridden by name."""
    defaults = panel["fieldConfig"]["defaults"]
    usual = Field(
        unit=defaults["unit"].text("none"),
        decimals=_whole(defaults["decimals"]),
        least=defaults["min"].number(),
        most=defaults["max"].number(),
        thresholds=_thresholds(defaults["thresholds"]),
        mappings=_mappings(defaults["mappings"]),
        empty=defaults["noValue"].text(),
        cell=_cell(defaults["custom"]["cellOptions"]),
        align=_align(defaults["custom"]["align"]),
        links=_links(defaults["links"]),
        **_colour(defaults["color"]),
    )
    named: dict[str, Field] = {}
    for override in panel["fieldConfig"]["overrides"].items():
        override["matcher"]["id"].choice("byName")
        name = override["matcher"]["options"].text()
        named[name] = _changed(named.get(name, usual), override["properties"])
    return usual, named


def _changed(usual: Field, properties: Option) -> Field:
    changes: dict[str, Any] = {}
    for one in properties.items():
        name, value = one["id"].text(), one["value"]
        if name == "color":
            changes |= _colour(value)
        elif name in _PROPERTIES:
            changed, reader = _PROPERTIES[name]
            changes[changed] = reader(value)
        else:
            raise Undrawable(f"{one.path} overrides {name}, which the preview does not draw")
    return dataclasses.replace(usual, **changes)


def _colour(option: Option) -> dict[str, str]:
    return {
        "mode": option["mode"].choice("thresholds", "fixed", "palette-classic"),
        "fixed": colours.plain(option["fixedColor"].text("text")),
    }


def _whole(option: Option) -> int | None:
    return None if (number := option.number()) is None else int(number)


def _align(option: Option) -> str:
    return option.choice("auto", "left", "center", "right")


def _cell(option: Option) -> str:
    if option["mode"].there:
        option["mode"].choice("basic")
    return option["type"].choice("auto", "color-background", "color-text")


def _thresholds(option: Option) -> tuple[Threshold, ...]:
    option["mode"].choice("absolute")
    steps = ((one["value"].number(), colours.plain(one["color"].text())) for one in option["steps"].items())
    return tuple(Threshold(value, colour) for value, colour in steps)


def _links(option: Option) -> tuple[tuple[str, str], ...]:
    return tuple((one["title"].text(), one["url"].text()) for one in option.items())


def _mappings(option: Option) -> tuple[Meaning, ...]:
    return tuple(mapping for one in option.items() for mapping in _mapping(one))


def _mapping(one: Option) -> Iterator[Meaning]:
    match one["type"].choice("value", "range", "special"):
        case "value":
            results = sorted(one["options"].read().items(), key=lambda item: item[1].get("index", 0))
            for value, result in results:
                number = _number(value)
                yield Meaning(number, number, *_result(result), word=value if number is None else None)
        case "range":
            whole = one["options"].read()
            yield Meaning(whole.get("from"), whole.get("to"), *_result(whole["result"]))
        case _:
            if (match := one["options"]["match"].text()) not in ("null", "null+nan", "nan", "empty"):
                raise Undrawable(f"{one.path} maps {match}; the preview maps null, nan, null+nan, empty")
            yield Meaning(None, None, *_result(one["options"]["result"].read()), absent=True)


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _result(result: Mapping[str, Any]) -> tuple[str, str]:
    return result.get("text", ""), colours.plain(result["color"]) if result.get("color") else ""


# What an override may change: the option's name, that of Field, and how it is read.
_PROPERTIES: Mapping[str, tuple[str, Callable[[Option], Any]]] = {
    "unit": ("unit", Option.text),
    "decimals": ("decimals", _whole),
    "min": ("least", Option.number),
    "max": ("most", Option.number),
    "noValue": ("empty", Option.text),
    "thresholds": ("thresholds", _thresholds),
    "mappings": ("mappings", _mappings),
    "links": ("links", _links),
    "custom.cellOptions": ("cell", _cell),
    "custom.align": ("align", _align),
}
