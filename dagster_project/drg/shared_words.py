"""Sentences that both pages say: what a page does not say, how far expectations can be trusted, what is not known.

Belongs here: templates filled from published figures. Does not: queries, what one page alone says.
"""

from __future__ import annotations

from dagster_project.drg.blocks import Block, Grid, Heading, Points, Words
from dagster_project.drg.figures import count, many, percent, percent_between, ratio, usd, usd_between
from dagster_project.drg.numbers import Period, Row, Trust

NOTICE = "Nothing here says that billing was improper."
WHAT_A_GAP_IS = (
    "A gap is a difference between averages. Wages, teaching, case mix, outliers and chance make gaps; only a record can "
    "tell whether a stay was coded as it was documented."
)
YARDSTICKS = {
    "national_mean": "the national mean",
    "national_share": "the national share",
    "attributes": "hospitals of like attributes",
    "standardized": "the weight and the hospital's own level",
}
QUALITY = {
    "poor": "poor by the house's rule (at most two stars, or readmissions 5 % or more above what is expected)",
    "not_poor": "not poor by the house's rule",
    "unknown": "unknown: neither stars nor readmission ratios are published",
}
MEASURES = {
    "mcc_of_all": "MCC, of all stays",
    "cc_of_others": "CC, of those without MCC",
    "cc_or_mcc_of_all": "CC or MCC, of all stays",
}


def opening(title: str) -> list[Block]:
    return [Heading(title, 1), Words(f"{NOTICE} {WHAT_A_GAP_IS}", is_notice=True)]


def against_nothing(low: object, high: object, amount: object) -> str:
    """Whether an interval lies to one side of zero, in words."""
    if low is None or high is None or amount is None:
        return "cannot be told"
    if float(str(low)) > 0:
        return "below what is expected, chance aside"
    if float(str(high)) < 0:
        return "above what is expected, chance aside"
    return "not to be told from nothing"


def places(row: Row, whose: str) -> str:
    """Where payments lie against attributes alone; by chance one in forty lies at each end."""
    if not row["cell_count"]:
        return f"No interval by attributes alone is at hand for {whose}."
    return (
        f"By attributes alone (size, case mix, place, ownership, patients), the hospital itself not having been looked at, "
        f"{count(row['below_count'])} of {many(row['cell_count'], 'payment')} lie below the 95 % interval and "
        f"{count(row['above_count'])} above it; chance would put {count(round(row['cell_count'] / 40))} at each end. "
        f"Expected less paid over all of them: {usd(row['modelled_gap_amount'])} USD."
    )


def cell_grid(rows: list[Row], first: tuple[str, str], name: str, key: str) -> Grid:
    """A table of cells: `first` titles the two leading columns, whose values are row[key] and row[name]."""
    columns = (*first, "stays", "paid", "expected", "gap USD", "95 % interval", "q", "plain gap", "index",
               "= gap + volume + sure + severity")  # fmt: skip
    return Grid(
        columns,
        tuple(
            (
                str(row[key]), short(str(row[name])), count(row["discharges_count"]), usd(row["average_medicare_payment_amount"]),
                usd(row["expected_average_amount"]), usd(row["standardized_gap_amount"]),
                usd_between(row["standardized_gap_low_amount"], row["standardized_gap_high_amount"]),
                ratio(row["q_value"], 3), usd(row["plain_gap_amount"]),
                ratio(row["opportunity_index"], 0),
                " + ".join(ratio(row[f"{part}_points"], 0) for part in ("gap", "volume", "confidence", "severity")),
            )
            for row in rows
        ),
        left=2,
    )  # fmt: skip


def family_grid(rows: list[Row], first: tuple[str, str], name: str, key: str) -> Grid:
    columns = (*first, "question", "stays", "share", "95 % interval", "peers' median", "80th percentile", "case mix index",
               "USD to median", "95 % interval")  # fmt: skip
    return Grid(
        columns,
        tuple(
            (
                str(row[key]), short(str(row[name])), MEASURES[row["severity_measure"]],
                count(row["family_discharge_count"]), percent(row["shrunk_share_rate"]),
                percent_between(row["share_low_rate"], row["share_high_rate"]), percent(row["reference_median_rate"]),
                percent(row["reference_p80_rate"]), ratio(row["case_mix_index_change"], 4), usd(row["to_median_amount"]),
                usd_between(row["to_median_low_amount"], row["to_median_high_amount"]),
            )
            for row in rows
        ),
        left=3,
    )  # fmt: skip


def short(text: str, length: int = 46) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def trust_in(trust: Trust, period: Period) -> list[Block]:
    """How near expectations by attributes come, and what earlier years foretold."""
    lines = []
    for measure, what in (
        ("payment", "The expected payment"),
        ("severe_share", "The expected share in a family's severe member"),
    ):
        of = {row["way"]: row for row in trust.scores if row["measure"] == measure}
        plain = of.get("national_mean") or of.get("national_share")
        model = of.get("attributes")
        if plain and model:
            lines.append(
                f"{what}, of hospitals not looked at before, is off by {percent(model['error_rate'])} of itself on average in {period}, "
                f"the national figure alone by {percent(plain['error_rate'])}: {percent(model['skill_rate'])} less "
                f"({percent_between(model['skill_low_rate'], model['skill_high_rate'])})."
            )
    lines += [back_test_sentence(row) for row in trust.back_tests if row["slope"] is not None]
    if not trust.back_tests:
        lines.append("No second year of this source is at hand, so no back test says whether a gap foretells a change.")
    return [Heading("How far to trust this"), Points(tuple(lines))]


def back_test_sentence(row: Row) -> str:
    """One back test in words, the verdict first."""
    verdict = {
        "more_than_chance": "foretold the change beyond chance",
        "less_than_chance": "foretold the change less than chance alone would",
        "no_more_than_chance": "foretold no more than regression to the mean does",
    }[row["verdict"]]

    def off(name: str) -> str:
        return f"{100 * row[name]:.1f} {'%' if row['measure'] == 'payment' else 'points'}"

    what = "payment" if row["measure"] == "payment" else "the severe share"
    return (
        f"From {row['earlier_year']} to {row['later_year']} ({many(row['hospital_count'], 'hospital')}), the gap in {what} against "
        f"{YARDSTICKS[row['yardstick']]} {verdict}: slope {ratio(row['slope'])} ({ratio(row['slope_low'])} to {ratio(row['slope_high'])}), "
        f"by noise alone {ratio(row['chance_slope'])}, with the years exchanged {ratio(row['reversed_slope'])}. The forecast that a hospital "
        f"stays where it was missed by {off('error_if_it_stays')}, that its gap closes by {off('error_if_it_closes')}."
    )


def not_known(trust: Trust, lines: list[str]) -> list[Block]:
    """What no file at hand holds, and what the page therefore does not say."""
    absent = next((row["absent_features"] for row in trust.scores if row["measure"] == "payment"), "") or ""
    named = {"wage_index": "wages", "resident_to_bed_ratio": "teaching", "referral_region": "referral regions"}
    missing = [named.get(one, one.replace("_", " ")) for one in absent.split(", ") if one]
    return [
        Heading("What is not known"),
        Points(
            (
                f"In no file of this source: {', '.join(['beds', *missing])}. Nothing is put in their place.",
                "Cells with fewer than 11 stays: CMS does not publish them. A missing member of a family is 0 to 10 stays, not none.",
                "Stars, ownership and readmissions are of the hospital files at hand, whose year need not be that of the payments.",
                *lines,
            )
        ),
    ]
