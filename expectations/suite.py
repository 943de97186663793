"""The Great Expectations suite of a feed, made from its contract and the contract's `suite:`.

Belongs here: which expectation stands for which question, and its limits. Does not: measuring, verdicts, history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.sources.contracts import Contract

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

# Two frames are judged: one row per load, and one row per load and column.
LOADS, COLUMNS = "loads", "columns"


@dataclass(frozen=True)
class Question:
    """One expectation: a measure of a frame lies between two limits. `about` is what is read when it does not."""

    name: str
    frame: str
    measure: str
    low: float | None
    high: float | None
    about: str
    above_low: bool = False


def questions(contract: Contract) -> list[Question]:
    """What is asked of each load of the feed, in the order of the report."""
    suite = contract.suite
    rows_low, rows_high = suite.rows_ratio
    amount_low, amount_high = suite.amount_ratio
    asked = [
        Question(
            "set_aside_share",
            LOADS,
            "set_aside_share",
            0,
            suite.set_aside_share_max,
            "share of rows that broke the contract",
        ),
        Question(
            "excluded_share_as_before",
            LOADS,
            "excluded_shift",
            None,
            suite.share_shift_max,
            "share of rows left out by name, against earlier loads",
        ),
        Question(
            "rows_as_before", LOADS, "rows_ratio", rows_low, rows_high, "rows against the median of earlier loads"
        ),
        Question(
            "columns_as_full_as_before",
            COLUMNS,
            "fill_ratio",
            suite.fill_ratio_min,
            None,
            "filled share of a column against earlier loads",
        ),
        Question(
            "columns_not_suddenly_full",
            COLUMNS,
            "fill_rise",
            None,
            suite.share_shift_max,
            "a column that was blank before",
        ),
        Question(
            "codes_as_before",
            COLUMNS,
            "value_shift",
            None,
            suite.share_shift_max,
            "shares of a column's codes against earlier loads",
        ),
    ]
    if contract.month:
        asked.append(Question("months_as_before", LOADS, "month_shift", -suite.month_shift_max, suite.month_shift_max,
                              "distance of the rows' dates from the file's month, against earlier loads"))  # fmt: skip
    if any(column.type == "usd" for column in contract.columns.values()):
        asked += [
            Question(
                "amounts_as_before",
                COLUMNS,
                "amount_ratio",
                amount_low,
                amount_high,
                "dollars per row against earlier loads",
            ),
            Question(
                "signs_as_before",
                COLUMNS,
                "negative_shift",
                None,
                suite.share_shift_max,
                "share of negative amounts against earlier loads",
            ),
        ]
    if contract.amount and contract.columns[contract.amount].type == "usd":
        asked.append(
            Question(
                "amounts_not_all_zero", LOADS, "nonzero_share", 0, None, "share of rows with an amount", above_low=True
            )
        )
    asked += [
        Question(
            name, LOADS, rule_measure(name), None, rule.broken_share_max, f"share of rows that break the rule {name}"
        )
        for name, rule in contract.suite.rules.items()
    ]
    return asked


def rule_measure(rule: str) -> str:
    return f"broken_share_{rule}"


def build_suite(name: str, asked: list[Question]) -> ExpectationSuite:
    """The suite as Great Expectations knows it; each expectation carries its question's name."""
    import great_expectations as gx
    from great_expectations.expectations import ExpectColumnValuesToBeBetween

    return gx.ExpectationSuite(
        name=name,
        expectations=[
            ExpectColumnValuesToBeBetween(
                column=question.measure,
                min_value=question.low,
                max_value=question.high,
                strict_min=question.above_low,
                meta={"question": question.name},
            )
            for question in asked
        ],
    )
