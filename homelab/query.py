"""A PromQL query as a tree: parsing, its selectors, its constants. The tree is promql-parser's own.

promql-parser accepts some queries that the Prometheus in use rejects and the other way round, so nothing here judges
syntax: promtool does. Matchers are tried with Python's regular expressions, which agree with Prometheus' RE2 on what
matchers consist of; one that Python cannot read is left to promtool.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import promql_parser as promql
from promql_parser import Expr

# The parser is recursive native code: what is nested deeper than this ends the process instead of raising an error.
LONGEST = 5_000  # characters
DEEPEST = 200  # brackets

_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_UNITS = (31_536_000, 604_800, 86_400, 3_600, 60, 1, 0.001)  # seconds


class NotPromQL(ValueError):
    """The text cannot be parsed."""


@dataclass(frozen=True)
class Matcher:
    """`label op value`; op is = != =~ or !~."""

    label: str
    op: str
    value: str

    def __str__(self) -> str:
        return f'{self.label}{self.op}"{self.value}"'

    @property
    def negative(self) -> bool:
        """Whether it excludes what its value says."""
        return self.op.startswith("!")

    def admits(self, value: str) -> bool:
        """Whether a series with this value of the label is selected; "" is a series without the label."""
        return self.names(self.value, value) != self.negative

    def names(self, pattern: str, value: str) -> bool:
        """Whether `pattern`, this matcher's value or a part of it, is or matches `value`."""
        if self.op in ("=", "!="):
            return pattern == value
        compiled = _compiled(pattern)
        return compiled is None or compiled.fullmatch(value) is not None

    @property
    def alternatives(self) -> list[str]:
        """The value, or the parts of a regular expression that is an alternation: a|b, (a|b)."""
        return _split(self.value) if self.op in ("=~", "!~") else [self.value]


@dataclass(frozen=True)
class Selector:
    """A vector selector; `name` is None where the metric is chosen by a pattern or not at all."""

    name: str | None
    matchers: tuple[Matcher, ...]
    range_seconds: float | None = None

    def of(self, label: str) -> list[Matcher]:
        """The matchers on a label."""
        return [m for m in self.matchers if m.label == label]

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.matchers))
        return f"{self.name or ''}{{{inner}}}" if inner else self.name or "{}"


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None


def _split(pattern: str) -> list[str]:
    """The alternatives at the top of a regular expression; the whole of it where they cannot be told apart."""
    if re.fullmatch(r"\((\?:)?[^()\[\]\\]*\)", pattern):
        pattern = pattern.removeprefix("(").removeprefix("?:").removesuffix(")")
    parts, depth, start, skip = [], 0, 0, False
    for place, letter in enumerate(pattern):
        if skip:
            skip = False
        elif letter == "\\":
            skip = True
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "|" and depth == 0:
            parts.append(pattern[start:place])
            start = place + 1
    return [*parts, pattern[start:]] if depth == 0 else [pattern]


def duration(text: str) -> float | None:
    """The seconds of a duration as Prometheus writes it, such as 1h30m; None for any other text."""
    found = _DURATION.fullmatch(text) if text not in ("", "0") else None
    if found is None:
        return 0 if text == "0" else None
    return sum(int(count) * unit for count, unit in zip(found.groups("0"), _UNITS, strict=True))


def parse(text: str) -> Expr:
    """The tree of a query. Raises NotPromQL."""
    depth = deepest = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    if len(text) > LONGEST or deepest > DEEPEST:
        raise NotPromQL(f"longer than {LONGEST} characters or nested deeper than {DEEPEST} brackets")
    try:
        tree: Expr = promql.parse(text)
    except BaseException as error:  # native code panics on durations of astronomic size; a panic is no Exception
        if isinstance(error, ValueError) or type(error).__name__ == "PanicException":
            raise NotPromQL(str(error)) from None
        raise
    return tree


def children(expr: Expr) -> list[Expr]:
    """The nodes right below one; the selector within a range selector is not counted apart."""
    if isinstance(expr, promql.BinaryExpr):
        return [expr.lhs, expr.rhs]
    if isinstance(expr, promql.AggregateExpr):
        return [expr.expr] if expr.param is None else [expr.param, expr.expr]
    if isinstance(expr, promql.Call):
        return list(expr.args)
    if isinstance(expr, (promql.ParenExpr, promql.UnaryExpr, promql.SubqueryExpr)):
        return [expr.expr]
    return []


def walk(expr: Expr) -> Iterator[Expr]:
    """The node and all below it."""
    yield expr
    for child in children(expr):
        yield from walk(child)


def selector(node: promql.VectorSelector | promql.MatrixSelector) -> Selector:
    """A selector node in plain words."""
    vector = node.vector_selector if isinstance(node, promql.MatrixSelector) else node
    range_seconds = node.range.total_seconds() if isinstance(node, promql.MatrixSelector) else None
    groups = [vector.matchers.matchers, *vector.matchers.or_matchers]
    matchers = [Matcher(m.name, _OPERATORS[str(m.op)], m.value) for group in groups for m in group]
    names = [m for m in matchers if m.label == "__name__" and m.op == "="]
    name = vector.name or (names[0].value if names else None)
    return Selector(name, tuple(m for m in matchers if m not in names), range_seconds)


def selectors(expr: Expr) -> list[Selector]:
    """Every vector selector of a query, range selectors with their range."""
    nodes = (promql.VectorSelector, promql.MatrixSelector)
    return [selector(node) for node in walk(expr) if isinstance(node, nodes)]


def bare(expr: Expr) -> Expr:
    """The node within all parentheses around it."""
    while isinstance(expr, promql.ParenExpr):
        expr = expr.expr
    return expr


def is_scalar(expr: Expr) -> bool:
    """Whether the result is one number without labels instead of a vector."""
    expr = bare(expr)
    if isinstance(expr, promql.BinaryExpr):
        return is_scalar(expr.lhs) and is_scalar(expr.rhs)
    if isinstance(expr, promql.UnaryExpr):
        return is_scalar(expr.expr)
    if isinstance(expr, promql.Call):
        return bool(expr.func.return_type == promql.ValueType.Scalar)
    return isinstance(expr, (promql.NumberLiteral, promql.StringLiteral))


def constant(expr: Expr) -> float | None:
    """The value of an expression of numbers, such as 26 * 3600; None for anything else."""
    expr = bare(expr)
    if isinstance(expr, promql.NumberLiteral):
        return expr.val
    if isinstance(expr, promql.UnaryExpr):
        value = constant(expr.expr)
        return None if value is None else -value
    if isinstance(expr, promql.BinaryExpr):
        left, right = constant(expr.lhs), constant(expr.rhs)
        if left is None or right is None:
            return None
        return _calculated(str(expr.op), left, right)
    return None


def _calculated(op: str, left: float, right: float) -> float | None:
    if op in "+-*":
        return {"+": left + right, "-": left - right, "*": left * right}[op]
    if op == "^":
        try:
            return math.pow(left, right)
        except (ValueError, OverflowError):
            return None
    return left / right if op == "/" and right else None


def shown(expr: Expr) -> str:
    """The expression on one line, shortened."""
    text = " ".join(expr.prettify().split()).replace("( ", "(").replace(" )", ")")
    return text if len(text) <= 70 else text[:67] + "..."
