"""Asking a Prometheus: what it answers, what it refuses, and what nobody may read on the screen."""

import json
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import pytest

from demo.servers import free_port
from demo.web import Answer, Request, serving
from preview import address
from preview.prometheus import Failure, Prometheus, Query, Unreachable, ask_all

QUERY = Query("up", 0, 60, 60)


def answering(status: HTTPStatus, body: object) -> object:
    def answer(_: Request) -> Answer:
        return Answer(body if isinstance(body, str) else json.dumps(body), status=status)

    return answer


def ask(status: HTTPStatus, body: object) -> object:
    with serving(answering(status, body)) as port:
        return Prometheus(f"http://127.0.0.1:{port}").ask(QUERY)


def matrix(*series: dict) -> dict:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(series)}}


def test_series_come_with_their_labels_and_points() -> None:
    found = ask(HTTPStatus.OK, matrix({"metric": {"job": "x"}, "values": [[0, "1"], [60, "NaN"]]}))
    assert found[0].labels == {"job": "x"}
    assert found[0].points[0] == (0.0, 1.0)


def test_a_query_that_is_none_is_a_failure_in_prometheus_own_words() -> None:
    said = {"status": "error", "errorType": "bad_data", "error": 'parse error: unexpected "}"'}
    assert ask(HTTPStatus.BAD_REQUEST, said) == Failure('parse error: unexpected "}"')


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (HTTPStatus.UNAUTHORIZED, "no", "answers with 401 Unauthorized"),
        (HTTPStatus.FOUND, "elsewhere", "answers with 302"),
        (HTTPStatus.OK, "<html>", "not as a Prometheus does"),
        (HTTPStatus.OK, [], "not as a Prometheus does"),
    ],
)
def test_what_is_no_prometheus_is_told_in_a_sentence(status: HTTPStatus, body: object, words: str) -> None:
    with pytest.raises(Unreachable, match=words):
        ask(status, body)


def test_nobody_there() -> None:
    with pytest.raises(Unreachable, match="does not answer"):
        Prometheus(f"http://127.0.0.1:{free_port()}").ask(QUERY)


def test_a_question_is_asked_once_and_only_by_reading() -> None:
    seen: list[str] = []

    def answer(request: Request) -> Answer:
        seen.append(request.path)
        assert request.body == b""
        return Answer(json.dumps(matrix()))

    told: list[tuple[int, int]] = []
    with serving(answer) as port:
        found = ask_all(Prometheus(f"http://127.0.0.1:{port}"), [QUERY, QUERY], lambda *parts: told.append(parts))
    assert seen == ["/api/v1/query_range"]
    assert (list(found), told) == ([QUERY], [(1, 1)])


@pytest.mark.parametrize(
    ("written", "shown", "sent"),
    [
        ("http://localhost:9090/", "http://localhost:9090", ""),
        ("https://me:s%40cret@prom.example/base", "https://prom.example/base", "Basic bWU6c0BjcmV0"),
        ("https://token123@prom.example", "https://prom.example", "Bearer token123"),
        ("http://[::1]:9090", "http://[::1]:9090", ""),
    ],
)
def test_an_address_keeps_its_password_to_itself(written: str, shown: str, sent: str) -> None:
    server = address.at(written)
    assert (server.url, server.authorization) == (shown, sent)
    assert not sent or sent.split()[1] not in repr(server)


@pytest.mark.parametrize("written", ["", "localhost:9090", "file:///etc/passwd", "http://", "http://a:b@c:port"])
def test_what_is_no_address(written: str) -> None:
    with pytest.raises(Unreachable, match="must be an address such as") as raised:
        address.at(written)
    assert "a:b" not in str(raised.value)


def test_the_password_is_sent() -> None:
    """And nothing of it is in the address that is asked."""
    server = address.at("http://me:secret@localhost:1")
    assert "secret" not in server.url
    assert not urlsplit(server.url).username
    assert parse_qs(urlsplit(server.url).query) == {}
