"""Tables: the answers of several queries, merged, arranged and sorted."""

import math

from preview.options import Option
from preview.table import Frame, merge, ordered, organize

SIZES = Frame(
    ("Time", "pvc", "Value #A"), ({"Time": 1, "pvc": "a", "Value #A": 1.0}, {"Time": 1, "pvc": "b", "Value #A": 2.0})
)
AGES = Frame(
    ("Time", "pvc", "Value #B"), ({"Time": 1, "pvc": "b", "Value #B": 7.0}, {"Time": 1, "pvc": "c", "Value #B": 8.0})
)


def test_rows_that_agree_become_one_and_the_others_stay() -> None:
    merged = merge([SIZES, AGES])
    assert merged.columns == ("Time", "pvc", "Value #A", "Value #B")
    assert [{k: v for k, v in row.items() if k != "Time"} for row in merged.rows] == [
        {"pvc": "a", "Value #A": 1.0},
        {"pvc": "b", "Value #A": 2.0, "Value #B": 7.0},
        {"pvc": "c", "Value #B": 8.0},
    ]


def test_a_query_without_an_answer_leaves_an_empty_column() -> None:
    merged = merge([SIZES, Frame(("Time", "Value #B"), ())])
    assert merged.columns[-1] == "Value #B"
    assert len(merged.rows) == 2


def test_columns_are_left_out_put_in_order_and_named() -> None:
    option = Option(
        {
            "excludeByName": {"Time": True},
            "indexByName": {"Value #A": 0, "pvc": 1},
            "renameByName": {"pvc": "Claim", "Value #A": "Size"},
        },
        "table.transformations[organize].options",
        set(),
    )
    frame = organize(SIZES, option)
    assert frame.columns == ("Size", "Claim")
    assert frame.rows[0] == {"Size": 1.0, "Claim": "a"}


def test_what_has_no_value_stands_last_whichever_way_it_is_sorted() -> None:
    rows = [{"n": 1.0}, {"n": None}, {"n": 3.0}, {"n": math.nan}, {"n": 2.0}]
    assert [row["n"] for row in ordered(rows, [("n", True)])][:3] == [3.0, 2.0, 1.0]
    assert [row["n"] for row in ordered(rows, [("n", False)])][:3] == [1.0, 2.0, 3.0]


def test_words_are_sorted_as_words() -> None:
    rows = [{"s": "warning"}, {"s": "Critical"}]
    assert [row["s"] for row in ordered(rows, [("s", False)])] == ["Critical", "warning"]
