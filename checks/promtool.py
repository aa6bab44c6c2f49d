"""promtool, as typed outcomes: what failed, in which file, at which rule, and what was expected instead.

promtool writes its findings for people, and some of them only as a warning: a test whose rule file does not exist runs
without rules and may well pass. Here that is an error, like everything else that makes a proof prove nothing.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import yaml

from checks import tools

Labels = Mapping[str, str]

# Its heap is tiny and its garbage plenty: with Go's default a third of the time goes into collecting it.
_ENVIRONMENT = {"GOGC": "400", "GOMAXPROCS": "1"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml where there is one, ten times faster; `0x60` stays what promtool reads: sixty-one zeros, and not 96."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":int")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+$"), list("-+0123456789"))
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_SAMPLE = re.compile(r'(\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}) ([-+0-9.eEInfNa]+)')
_COMPLAINT = re.compile(
    r"^(?:(?:parsing YAML file )?(?P<file>.+?\.(?:ya?ml|json)): )?"
    r"(?:yaml: )?(?:(?P<line>\d+):\d+: |line (?P<at>\d+): )?"
    r'(?:group "(?P<group>[^"]*)", rule \d+, "(?P<rule>[^"]*)": )?(?P<message>.+)$'
)
_EXPR = re.compile(
    r'^    expr: "(?P<expr>(?:[^"\\]|\\.)*)", time: (?P<time>[0-9a-z.]+), ?\n'
    r"\s+exp: ?(?P<expected>.*)\n\s+got: ?(?P<found>.*)$",
    re.MULTILINE,
)
_ALERT = re.compile(
    r"^(?:    name: [^\n]*,\n)?    alertname: ?(?P<alert>\S+), time: (?P<time>[0-9a-z.]+), ?\n"
    r"\s+exp:(?P<expected>\[.*?\]), ?\n\s+got:(?P<found>\[.*?\])$",
    re.MULTILINE | re.DOTALL,
)
_ERROR = re.compile(r"^    (?:expr|rule|group): .*, err: .*$", re.MULTILINE)
_DURATION = re.compile(r"([0-9.]+)(ms|[ywdhms])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


class PromtoolError(Exception):
    """promtool could not do what it was asked: the message is its own, with the file in front."""


@dataclass(frozen=True)
class Complaint:
    """What `check rules` or `check config` refuses; line, group and rule where promtool tells them."""

    file: str
    message: str
    line: int = 0
    group: str = ""
    rule: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} [{self.rule}]: {self.message}" if self.rule else f"{place}: {self.message}"


@dataclass(frozen=True)
class Sample:
    """One series of a result."""

    labels: Labels
    value: float


@dataclass(frozen=True)
class Failure:
    """One expectation that did not hold: of an alert (its name) or of an expression, at a time of the test."""

    subject: str
    seconds: float
    expected: str
    found: str
    samples: tuple[Sample, ...] = ()  # what an expression gave; () for alerts

    def __str__(self) -> str:
        return f"{self.subject} at {self.seconds:g}s\n  expected {self.expected}\n  found    {self.found}"


def version() -> str:
    """The version that would be used. Raises tools.ToolMissing with the line that installs it."""
    return ".".join(map(str, _tool(os.environ.get("PATH", "")).version))


def check_rules(*files: Path) -> tuple[Complaint, ...]:
    """What promtool refuses in rule files; () is fine."""
    return _complaints("check", "rules", *map(str, files))


def check_config(file: Path) -> tuple[Complaint, ...]:
    """What promtool refuses in a Prometheus configuration, with the rule files that it names; () is fine."""
    return _complaints("check", "config", str(file))


def check_metrics(exposition: str) -> tuple[str, ...]:
    """promtool's lint of a text exposition, one sentence per finding; () is fine."""
    result = _run("check", "metrics", stdin=exposition)
    found = tuple(line for line in result.stderr.splitlines() + result.stdout.splitlines() if line.strip())
    if result.returncode and not found:
        raise PromtoolError(f"check metrics ended with {result.returncode} and said nothing")
    return found if result.returncode else ()


def create_blocks(openmetrics: Path, folder: Path) -> None:
    """Write the samples of an OpenMetrics file as TSDB blocks into `folder`. Raises PromtoolError."""
    result = _run("tsdb", "create-blocks-from", "openmetrics", str(openmetrics), str(folder))
    if result.returncode:
        raise PromtoolError(f"{openmetrics}: {(result.stderr or result.stdout).strip()}")


def test_rules(file: Path) -> tuple[Failure, ...]:
    """Run one promtool test file; () is success. Raises PromtoolError where it could not be run as written."""
    result = _run("test", "rules", file.name, cwd=file.parent)
    said = result.stderr
    failures = tuple(_failures(said))
    if "WARNING: no file match" in said or _ERROR.search(said) or (result.returncode and not failures):
        raise PromtoolError(f"{file}: {said.replace('FAILED:', '').strip() or result.stdout.strip()}")
    if not result.returncode and failures:
        raise PromtoolError(f"{file}: promtool reports success and failures at once:\n{said}")
    return failures


def situations(file: Path) -> dict[str, dict[str, Any]]:
    """The tests of a promtool file by name, each a complete file of its own whose rule files are absolute paths.

    promtool does not say in which test an expression failed; one file per situation does.
    Raises PromtoolError for a test without a name or with one that is there twice, and for what is not YAML.
    """
    try:
        whole = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506, a safe one
    except yaml.YAMLError as error:
        raise PromtoolError(f"{file}: is not YAML: {error}") from None
    head = {key: value for key, value in whole.items() if key != "tests"}
    # As promtool joins paths: word by word, a symbolic link is a folder like any other.
    head["rule_files"] = [os.path.abspath(file.parent / name) for name in whole.get("rule_files", ())]  # noqa: PTH100
    found: dict[str, dict[str, Any]] = {}
    for number, test in enumerate(whole.get("tests", ())):
        name = test.get("name", "")
        if not name or name in found:
            raise PromtoolError(f"{file}: test {number} needs a name of its own, found {name!r}")
        found[name] = {**head, "tests": [test]}
    return found


@lru_cache
def _tool(_path: str) -> tools.Tool:
    """Looked for once, as long as PATH is the same: asking for the version costs as much as a small test."""
    return tools.find("promtool")


def _run(*arguments: str, cwd: Path | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_tool(os.environ.get("PATH", "")).path, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **_ENVIRONMENT},
    )


def _complaints(*arguments: str) -> tuple[Complaint, ...]:
    result = _run(*arguments)
    if not result.returncode:
        return ()
    said = [line.strip().removeprefix("FAILED:").strip() for line in result.stderr.splitlines()]
    found: dict[Complaint, None] = {}  # of a file that cannot be read it complains twice
    file = arguments[-1]
    for line in said:
        if line.startswith("promtool: error: "):
            raise PromtoolError(line.removeprefix("promtool: error: ").removesuffix(", try --help"))
        if not (match := _COMPLAINT.match(line)) or match["message"] == "unmarshal errors:":
            file = match["file"] if match else file
            continue
        file = match["file"] or file  # what follows on lines of its own is about the same file
        number = int(match["line"] or match["at"] or 0)
        found[Complaint(file, match["message"], number, match["group"] or "", match["rule"] or "")] = None
    if not found:
        raise PromtoolError(f"{' '.join(arguments)} ended with {result.returncode}: {result.stdout.strip()}")
    return tuple(found)


def _failures(said: str) -> Iterable[Failure]:
    for found in _EXPR.finditer(said):
        samples = tuple(Sample(labels(text), float(value)) for text, value in _SAMPLE.findall(found["found"]))
        yield Failure(_unquoted(found["expr"]), seconds(found["time"]), found["expected"], found["found"], samples)
    for found in _ALERT.finditer(said):
        yield Failure(found["alert"], seconds(found["time"]), _flat(found["expected"]), _flat(found["found"]))


def labels(text: str) -> Labels:
    """The labels of `{a="b", c="d"}`."""
    return {name: _unquoted(value) for name, value in _LABEL.findall(text)}


def seconds(text: str) -> float:
    """The length of `1h5m30s`."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def _unquoted(text: str) -> str:
    # Go's quotes know the same escapes as Python's, and nearly all texts have none.
    return str(ast.literal_eval(f'"{text}"')) if "\\" in text else text


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)
