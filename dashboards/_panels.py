"""The kinds of panels, and the only file that knows grafanalib.

grafanalib writes JSON of many ages; what Grafana 11 to 13 read today is added here, and what they do not know is left
out at the end (`json_of`). A query is PromQL as alerts write it; several of them are a mapping, legend -> query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from grafanalib import core

from dashboards._board import Panel
from dashboards._fields import (
    GREY,
    NONE,
    NOTHING,
    ORANGE,
    PALETTE,
    RED,
    Column,
    Limits,
    States,
    field_config,
    mappings,
    override,
)

Queries = str | Mapping[str, str] | list[tuple[str, str]]  # pairs where two queries have one legend
Stack = Literal["none", "normal", "percent"]

PROMETHEUS = {"type": "prometheus", "uid": "$datasource"}
LOKI = {"type": "loki", "uid": "$loki"}
NO_CONDITION = "No condition holds"
WRITTEN_FOR = "11.0.0"  # of Grafana: the shape of options; newer ones migrate from it


def stat(
    title: str,
    queries: Queries,
    *,
    unit: str,
    description: str,
    limits: Limits = NONE,
    states: States | None = None,
    spark: bool = False,
    names: bool = False,
    width: int = 0,
    empty: str = "",
    link: str = "",
) -> Panel:
    """One number, or one per series: what there is to know at a glance.

    With `spark`, its course behind it. With `names`, its legend even where there is only one.
    """
    coloured = bool(limits or states)
    drawn = core.Stat(
        title=title,
        description=description,
        targets=_targets(queries, instant=not spark),
        extraJson=_options(
            colorMode="background" if coloured else "value",
            graphMode="area" if spark else "none",
            justifyMode="auto",
            orientation="auto",
            reduceOptions=_LAST,
            textMode="value_and_name" if names else "auto",
            wideLayout=True,
        )
        | field_config(
            unit, limits, states, color="thresholds" if coloured else GREY, noValue=NOTHING, links=_link(link)
        ),
    )
    return Panel(drawn, width, empty)


def graph(
    title: str,
    queries: Queries,
    *,
    unit: str,
    description: str,
    limits: Limits = NONE,
    stack: Stack = "none",
    least: float | None = None,
    most: float | None = None,
    width: int = 0,
    empty: str = "",
) -> Panel:
    """Lines over time; the limits are dashed lines."""
    custom = {
        "axisPlacement": "auto",
        "drawStyle": "line",
        "fillOpacity": 0 if stack == "none" else 40,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": stack},
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
    }
    drawn = core.TimeSeries(
        title=title,
        description=description,
        targets=_targets(queries),
        extraJson=_options(
            legend={"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True},
            tooltip={"mode": "multi", "sort": "desc"},
        )
        | field_config(unit, limits, None, color=PALETTE, custom=custom, min=least, max=most),
    )
    return Panel(drawn, width, empty)


def bars(
    title: str,
    queries: Queries,
    *,
    unit: str,
    description: str,
    limits: Limits = NONE,
    least: float | None = 0,
    width: int = 0,
    empty: str = "",
) -> Panel:
    """One bar per series, in the order of the query: `sort` it, the worst first."""
    most = 1 if unit == "percentunit" else None  # else the longest bar fills its line
    drawn = core.BarGauge(
        title=title,
        description=description,
        targets=_targets(queries, instant=True),
        extraJson=_options(
            displayMode="basic",
            maxVizHeight=300,
            minVizHeight=16,
            minVizWidth=8,
            namePlacement="auto",
            orientation="horizontal",
            reduceOptions=_LAST,
            showUnfilled=True,
            sizing="auto",
            valueMode="color",
        )
        | field_config(unit, limits, None, color="thresholds", min=least, max=most, noValue=NOTHING),
    )
    return Panel(drawn, width, empty)


def timeline(
    title: str,
    queries: Queries,
    *,
    description: str,
    states: States,
    nothing: str = "",
    width: int = 0,
    empty: str = "",
) -> Panel:
    """Which state something was in, and when; `nothing` is what it says if it was in none."""
    drawn = _timeline(title, description, queries, mappings(states), named=True, nothing=nothing)
    return Panel(drawn, width, empty)


def conditions(
    title: str,
    queries: Mapping[str, str],
    *,
    mild: Mapping[str, str] | None = None,
    description: str,
    empty: str,
    width: int = 0,
) -> Panel:
    """When something was the matter: conditions of alerts, each of which has a series only while it is true.

    Those of critical alerts are red; `mild` ones, of warnings, come below them and are orange.
    """
    # A condition has any value, since that there is one is what it says: whatever it is, to the power of 0 it is 1.
    pairs = [
        *((legend, f"2 * ({query}) ^ 0") for legend, query in queries.items()),
        *((legend, f"({query}) ^ 0") for legend, query in (mild or {}).items()),
    ]
    states = {1: ("warning", ORANGE), 2: ("critical", RED)}
    drawn = _timeline(title, description, pairs, mappings(states), named=False, nothing=NO_CONDITION)
    return Panel(drawn, width, empty)


def _timeline(title: str, description: str, queries: Queries, colours: list[Any], *, named: bool, nothing: str) -> Any:  # noqa: ANN401, grafanalib has no types
    return core.StateTimeline(
        title=title,
        description=description,
        targets=_targets(queries),
        extraJson=_options(
            alignValue="left",
            legend={"displayMode": "list", "placement": "bottom", "showLegend": named},
            mergeValues=True,
            rowHeight=0.8,
            showValue="auto" if named else "never",
            tooltip={"mode": "single", "sort": "none"},
        )
        | field_config(
            "none",
            NONE,
            None,
            color=GREY,  # by thresholds, Grafana would forget the states while it merges equal values
            custom={"fillOpacity": 80, "lineWidth": 0},
            maps=colours,
            noValue=nothing or None,
        ),
    )


def table(
    title: str,
    labels: Mapping[str, str],
    columns: Mapping[str, Column],
    *,
    description: str,
    sort: str,
    descending: bool = True,
    nothing: str = NOTHING,
    width: int = 0,
    empty: str = "",
) -> Panel:
    """A line per combination of `labels` (label -> heading), a column per query (heading -> column).

    `nothing` is what it says in place of a value, or of all lines.
    """
    names = {f"Value #{chr(65 + number)}": heading for number, heading in enumerate(columns)}
    if len(columns) == 1:
        names["Value"] = next(iter(columns))
    order = [*labels, *names]
    drawn = core.Table(
        title=title,
        description=description,
        targets=_targets({heading: c.expr for heading, c in columns.items()}, instant=True, form="table"),
        transformations=[
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": {name: number for number, name in enumerate(order)},
                    "renameByName": {**labels, **names},
                },
            },
        ],
        extraJson=_options(
            cellHeight="sm",
            footer={"show": False, "reducer": ["sum"], "countRows": False, "fields": ""},
            showHeader=True,
            sortBy=[{"displayName": sort, "desc": descending}],
        )
        | field_config(
            "none",
            NONE,
            None,
            color="thresholds",
            custom={"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False, "inspect": False},
            noValue=nothing,
            overrides=[override(heading, column) for heading, column in columns.items()],
        ),
    )
    return Panel(drawn, width, empty)


def logs(title: str, query: str, *, description: str, width: int = 0) -> Panel:
    """Lines of Loki that fit a LogQL query, the newest first."""
    target = core.Target(expr=query, refId="A", datasource=LOKI)
    drawn = core.Logs(
        title=title,
        description=description,
        targets=[target],
        dataSource=LOKI,
        extraJson=_options(
            dedupStrategy="none",
            enableLogDetails=True,
            prettifyLogMessage=False,
            showCommonLabels=False,
            showLabels=False,
            showTime=True,
            sortOrder="Descending",
            wrapLogMessage=True,
        ),
    )
    return Panel(drawn, width)


def text(title: str, content: str, *, description: str, width: int = 0) -> Panel:
    """A few sentences, in Markdown."""
    drawn = core.Text(title=title, description=description, content=content, mode="markdown")
    return Panel(drawn, width)


_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def _targets(queries: Queries, *, instant: bool = False, form: str = "time_series") -> list[Any]:
    many = {"__auto": queries} if isinstance(queries, str) else queries
    pairs = many.items() if isinstance(many, Mapping) else many
    return [
        core.Target(expr=expr, legendFormat=legend, refId=chr(65 + n), instant=instant, format=form)
        for n, (legend, expr) in enumerate(pairs)
    ]


def _options(**options: object) -> dict[str, Any]:
    return {"options": options}


def _link(url: str) -> list[dict[str, Any]] | None:
    return [{"title": "Open", "url": url}] if url else None


# What Grafana reads today of what grafanalib writes, and what of a target.
_PANEL = ("datasource", "description", "options", "targets", "title", "transformations", "type")
_TARGET = ("expr", "format", "instant", "legendFormat", "refId")


def json_of(panel: Panel) -> dict[str, Any]:
    """The panel as Grafana itself would save it, without its place and number."""
    whole = panel.drawn.to_json_data()
    # What is said above stands alone: grafanalib's own defaults are of Grafana 6, 7 and 8.
    found = {name: whole[name] for name in _PANEL if whole.get(name)} | (panel.drawn.extraJson or {})
    if found["type"] == "text":
        return found
    source = found.setdefault("datasource", PROMETHEUS)
    found["targets"] = [_target(one.to_json_data(), source) for one in found["targets"]]
    return {**found, "pluginVersion": WRITTEN_FOR}


def _target(written: Mapping[str, Any], source: Mapping[str, str]) -> dict[str, Any]:
    if source is LOKI:
        return {"datasource": LOKI, "expr": written["expr"], "queryType": "range", "refId": written["refId"]}
    return {"datasource": source, "range": not written["instant"], **{name: written[name] for name in _TARGET}}
