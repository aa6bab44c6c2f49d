"""Panels where Grafana puts them: on 24 columns, nothing over anything else."""

from itertools import combinations

from preview.board import Board
from preview.drawing import plan
from preview.prometheus import Prometheus
from preview.situation import NOW


def test_no_panel_of_any_dashboard_lies_over_another(everything: dict[str, Board], silent: Prometheus) -> None:
    for name, board in everything.items():
        for row in plan(board, silent, NOW).rows:
            for one, other in combinations([panel.place for panel in row.panels], 2):
                beside = one.x + one.w <= other.x or other.x + other.w <= one.x
                below = one.y + one.h <= other.y or other.y + other.h <= one.y
                assert beside or below, (name, row.title, one, other)


def test_every_panel_is_on_the_page(everything: dict[str, Board], silent: Prometheus) -> None:
    for name, board in everything.items():
        for row in plan(board, silent, NOW).rows:
            for panel in row.panels:
                place = panel.place
                assert place.x >= 0 <= place.y, (name, panel.key)
                assert place.x + place.w <= 24, (name, panel.key)
                assert place.w > 0 < place.h, (name, panel.key)


def test_panels_stand_in_the_order_in_which_they_are_read(everything: dict[str, Board], silent: Prometheus) -> None:
    for board in everything.values():
        for row in plan(board, silent, NOW).rows:
            places = [(panel.place.y, panel.place.x) for panel in row.panels]
            assert places == sorted(places)


def test_a_key_is_that_of_one_panel_only(everything: dict[str, Board], silent: Prometheus) -> None:
    for name, board in everything.items():
        keys = [panel.key for row in plan(board, silent, NOW).rows for panel in row.panels]
        assert len(keys) == len(set(keys)), name


def test_a_row_is_repeated_for_each_value_of_its_variable(everything: dict[str, Board], silent: Prometheus) -> None:
    found = everything["production-cnpg"]
    rows = [row.title for row in plan(found, silent, NOW).rows]
    assert "kube-srv-1" in rows
    assert "kube-srv-2" in rows
    asked = [target.query.expr for targets in plan(found, silent, NOW).targets.values() for target in targets]
    assert any('"kube-srv-1"' in expr for expr in asked)
    assert not any("$cnpg" in expr or "$__" in expr for expr in asked)
