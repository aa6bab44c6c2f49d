"""Asking a Prometheus, read-only: what a page needs is asked once, a few questions at a time."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

_AT_ONCE = 4
_PATIENCE = 60.0  # seconds for an answer
_LABEL_VALUES = re.compile(r"label_values\(\s*(?:(?P<source>.+),\s*)?(?P<label>\w+)\s*\)", re.DOTALL)


class Unreachable(Exception):
    """There is no Prometheus at the address; the message is a sentence."""


@dataclass(frozen=True)
class Query:
    """A question: at one moment, or with a step, in seconds, from `start` to `end`; unix times."""

    expr: str
    start: int
    end: int
    step: int = 0


@dataclass(frozen=True)
class Series:
    """Labels, and (unix time, value) in the order of time."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Failure:
    """The answer to a question that cannot be answered."""

    message: str


Answer = Sequence[Series] | Failure
Answers = Mapping[Query, Answer]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None: an address that leads elsewhere must not take the password with it."""


@dataclass(frozen=True)
class Prometheus:
    """A server; `url` carries no password, `authorization` may, and is shown nowhere."""

    url: str
    authorization: str = field(default="", repr=False)

    def ask(self, query: Query) -> Answer:
        """What the server answers. Raises Unreachable."""
        if query.step:
            times = {"start": query.start, "end": query.end, "step": query.step}
            return self._series("query_range", {"query": query.expr, **times})
        return self._series("query", {"query": query.expr, "time": query.end})

    def label_values(self, query: str, start: int, end: int) -> list[str] | Failure:
        """The values that `label_values(selector, label)` gives, in order. Raises Unreachable."""
        if not (found := _LABEL_VALUES.fullmatch(query.strip())):
            return Failure(f"no label_values(selector, label): {query}")
        chosen = {"match[]": found["source"]} if found["source"] else {}
        answer = self._get(f"label/{found['label']}/values", {**chosen, "start": start, "end": end})
        return answer if isinstance(answer, Failure) else sorted(map(str, answer))

    def _series(self, what: str, parameters: Mapping[str, object]) -> Answer:
        answer = self._get(what, parameters)
        if isinstance(answer, Failure):
            return answer
        if answer["resultType"] == "scalar":
            return [Series({}, (_point(answer["result"]),))]
        if answer["resultType"] == "string":
            return Failure("the query gives text, not numbers")
        return [
            Series(one["metric"], [_point(pair) for pair in one.get("values") or [one["value"]]])
            for one in answer["result"]
        ]

    def _get(self, what: str, parameters: Mapping[str, object]) -> Any:  # noqa: ANN401, what JSON holds
        # The address is the operator's own: preview.address takes http and https only.
        request = urllib.request.Request(f"{self.url}/api/v1/{what}?{urlencode(parameters)}")  # noqa: S310
        if self.authorization:
            request.add_unredirected_header("Authorization", self.authorization)
        try:
            with _opener(self.url).open(request, timeout=_PATIENCE) as response:
                return _data(response, self.url)
        except urllib.error.HTTPError as error:
            with error:
                return _refused(error, self.url)
        except (OSError, HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise Unreachable(f"{self.url} does not answer: {reason}") from None


def ask_all(server: Prometheus, queries: Collection[Query], told: Callable[[int, int], None]) -> dict[Query, Answer]:
    """The answers to all of them; `told` hears how many of how many have arrived. Raises Unreachable."""
    different = list(dict.fromkeys(queries))
    answers: dict[Query, Answer] = {}
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        asked = {pool.submit(server.ask, query): query for query in different}
        for done in as_completed(asked):
            answers[asked[done]] = done.result()
            told(len(answers), len(different))
    finally:
        pool.shutdown(cancel_futures=True)
    return answers


def _point(pair: Sequence[Any]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])


def _data(response: IO[bytes], url: str) -> Any:  # noqa: ANN401, what JSON holds
    try:
        return json.load(response)["data"]
    except (ValueError, KeyError, TypeError):
        raise Unreachable(f"{url} answers, but not as a Prometheus does") from None


def _refused(error: urllib.error.HTTPError, url: str) -> Failure:
    """What Prometheus says about a query; anything else that is not 200 is no Prometheus that we may ask."""
    try:
        said = json.load(error)
    except ValueError:
        said = None
    if isinstance(said, dict) and said.get("status") == "error" and error.code in (400, 422, 503):
        return Failure(str(said.get("error", error.reason)))
    raise Unreachable(f"{url} answers with {error.code} {error.reason}") from None


def _opener(url: str) -> urllib.request.OpenerDirector:
    local = (urlsplit(url).hostname or "") in ("localhost", "127.0.0.1", "::1")
    # Loopback needs no proxy, whatever the environment says.
    proxies = [urllib.request.ProxyHandler({})] if local else []
    return urllib.request.build_opener(_Stay, *proxies)
