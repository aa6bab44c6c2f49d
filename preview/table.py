"""table: the answers of several queries as one table, merged and arranged as the dashboard says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from preview import fieldconfig, links
from preview.drawn import Asked, Drawn, Scene, nothing
from preview.fields import NO_DATA, Field, Value
from preview.options import Option, Undrawable
from preview.prometheus import Series

Row = Mapping[str, Value]
_TIME = "Time"


@dataclass(frozen=True)
class Frame:
    """Columns by name, and rows that may lack some of them."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def draw(asked: Asked, scene: Scene) -> Drawn:
    """Draw a panel of kind table."""
    option = asked.panel.option
    usual, named = fieldconfig.read(option)
    options = option["options"]
    headed = options["showHeader"].flag(missing=True)
    if options["footer"]["show"].flag():
        raise Undrawable("options.footer.show is true; the preview draws tables without a footer")
    frames = list(_frames(asked))
    for step in option["transformations"].items():
        below = step["options"]
        match step["id"].choice("merge", "organize"):
            case "merge":
                below.read()
                frames = [merge(frames)]
            case _:
                frames = [organize(frame, below) for frame in frames]
    by = [(one["displayName"].text(), one["desc"].flag()) for one in options["sortBy"].items()]
    frame = frames[0] if frames else Frame((), ())
    if not frame.rows:
        return nothing(usual.empty or NO_DATA)
    rows = ordered(frame.rows, by)
    kinds = {column: named.get(column, usual) for column in frame.columns}
    numeric = {column for column in frame.columns if any(isinstance(row.get(column), float) for row in rows)}
    body = "".join(_row(row, kinds, numeric, scene) for row in rows)
    head = "".join(f'<th scope="col" class="{_side(kinds[c], c in numeric)}">{escape(c)}</th>' for c in frame.columns)
    tells = [
        shown.colour
        for row in rows
        for column, field in kinds.items()
        if field.cell != "auto"
        and (shown := field.show(row.get(column), scene.end)).told
        and row.get(column) is not None
    ]
    return Drawn(
        f'<div class="table" tabindex="0"><table>{f"<thead><tr>{head}</tr></thead>" if headed else ""}'
        f"<tbody>{body}</tbody></table></div>",
        tells=tells,
    )


def _frames(asked: Asked) -> Iterator[Frame]:
    """A frame per question: the time, the labels, and the value, named after the question if there are several."""
    several = len(asked.answered) > 1
    for target, series in asked.answered:
        name = f"Value #{target.ref}" if several else "Value"
        labels = list(dict.fromkeys(label for one in series for label in one.labels))
        yield Frame((_TIME, *labels, name), tuple(_of(one, name) for one in series if one.points))


def _of(series: Series, name: str) -> Row:
    time, value = series.points[-1]
    return {_TIME: time, **series.labels, name: value}


def merge(frames: Sequence[Frame]) -> Frame:
    """One frame: rows that agree in all they have in common become one."""
    columns = tuple(dict.fromkeys(column for frame in frames for column in frame.columns))
    shared = [column for column in columns if all(column in frame.columns for frame in frames if frame.rows)]
    found: dict[tuple[Value, ...], list[dict[str, Value]]] = {}
    for frame in frames:
        for row in frame.rows:
            alike = found.setdefault(tuple(row.get(column) for column in shared), [])
            for other in alike:
                if all(other.get(column) is None or other[column] == row[column] for column in row):
                    other.update(row)
                    break
            else:
                alike.append(dict(row))
    return Frame(columns, tuple(row for rows in found.values() for row in rows))


def organize(frame: Frame, option: Option) -> Frame:
    """Leave columns out, put them in order, and give them their headings."""
    out, order, names = (option[key].read() or {} for key in ("excludeByName", "indexByName", "renameByName"))
    kept = [column for column in frame.columns if not out.get(column)]
    kept.sort(key=lambda column: order.get(column, len(order)))
    rows = tuple({names.get(column) or column: row.get(column) for column in kept} for row in frame.rows)
    return Frame(tuple(names.get(column) or column for column in kept), rows)


def ordered(rows: Sequence[Row], by: Sequence[tuple[str, bool]]) -> list[Row]:
    """Sorted by the first key, then by the next; what has no value stands last."""
    found = list(rows)
    for column, falling in reversed(by):
        there = [row for row in found if _there(row.get(column))]
        rest = [row for row in found if not _there(row.get(column))]
        there.sort(key=lambda row: _key(row[column]), reverse=falling)
        found = [*there, *rest]
    return found


def _there(value: Value) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _key(value: Value) -> tuple[int, float, str]:
    return (0, value, "") if isinstance(value, float) else (1, 0.0, str(value).lower())


def _row(row: Row, kinds: Mapping[str, Field], numeric: set[str], scene: Scene) -> str:
    return f"<tr>{''.join(_cell(row.get(c), field, scene, number=c in numeric) for c, field in kinds.items())}</tr>"


def _cell(value: Value, field: Field, scene: Scene, *, number: bool) -> str:
    shown = field.show(value, scene.end)
    look = {"color-background": "filled", "color-text": "coloured"}.get(field.cell, "") if value is not None else ""
    text = escape("" if value is None and not field.empty and not shown.told else shown.text)
    if field.links and (address := links.address(field.links[0][1], scene.pages)):
        text = f'<a href="{escape(address)}">{text}</a>'
    told = f' data-tells="{shown.colour}"' if look and shown.told else ""
    return f'<td class="{_side(field, number)} {look} c-{shown.colour}"{told}>{text}</td>'


def _side(field: Field, number: bool) -> str:  # noqa: FBT001, a table's column is one or is none
    return ("number" if number else "left") if field.align == "auto" else field.align
