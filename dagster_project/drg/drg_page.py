"""The page of one DRG.

Belongs here: its order and its sentences. Does not: queries (numbers), form (blocks).
"""

from __future__ import annotations

from dagster_project.drg.blocks import Block, Grid, Heading, Picture, Points, Words
from dagster_project.drg.figures import count, many, percent, ratio, usd, usd_between
from dagster_project.drg.numbers import DrgNumbers, Row
from dagster_project.drg.shared_words import (
    against_nothing,
    cell_grid,
    family_grid,
    not_known,
    opening,
    places,
    trust_in,
)

WEIGHTS = {
    "of_the_year": "of the year's own table",
    "of_another_year": "of the table of fiscal year {year}, since the year's own is not at hand",
    "missing": "not in the table of fiscal year {year}: without a weight nothing is standardized",
    "zero": "zero in the table of fiscal year {year}",
}


def drg_page(numbers: DrgNumbers) -> list[Block]:
    """In short, states, both tails of payment, both tails of documentation, quality, trust, what is not known."""
    drg = numbers.drg
    return [
        *opening(f"DRG {drg['drg_code']} {drg['drg_title']}: Medicare inpatient payment, {numbers.period}"),
        Heading("In short"),
        Points(_in_short(numbers)),
        *_states(numbers),
        *_tails(numbers),
        *_documentation(numbers),
        *_quality(numbers),
        *trust_in(numbers.trust, numbers.period),
        *not_known(numbers.trust, []),
    ]


def _in_short(numbers: DrgNumbers) -> tuple[str, ...]:
    drg, total, counts = numbers.drg, numbers.total, numbers.counts
    by = {row["statistic"]: row["average_medicare_payment_amount"] for row in numbers.benchmarks}
    weight = WEIGHTS[drg["weight_status"]].format(year=drg["weight_year"])
    known_weight = f"weight {ratio(drg['relative_weight'], 4)}, " if drg["relative_weight"] is not None else "weight "
    return (
        f"{drg['service_line']}, {drg['drg_type']}; {known_weight}{weight}.",
        f"{many(total['hospital_count'], 'hospital')} with {many(total['discharges_count'], 'published discharge')}; Medicare paid "
        f"{usd(total['total_medicare_payment_amount'])} USD. Average payment: mean {usd(by.get('mean'))}, median {usd(by.get('median'))}, "
        f"75th percentile {usd(by.get('p75'))} USD, weighted by discharges.",
        f"Plain gap below the national mean: {usd(total['plain_gap_amount'])} USD over {many(total['plain_gap_count'], 'hospital')}, rank "
        f"{count(total['plain_rank_among_lines'])} of {many(numbers.drg_count, 'DRG')}. It mostly measures wages, teaching and case mix.",
        f"Standardized gap of all its hospitals: {usd(total['standardized_gap_amount'])} USD "
        f"({usd_between(total['standardized_gap_low_amount'], total['standardized_gap_high_amount'])}): "
        f"{against_nothing(total['standardized_gap_low_amount'], total['standardized_gap_high_amount'], total['standardized_gap_amount'])}. "
        f"Expectations are taken from the hospitals themselves, so it is near zero by making; what tells is who lies where.",
        f"Found at a false-discovery rate of 5 %: {many(counts['below_count'], 'hospital')} below expectation, together "
        f"{usd(total['found_gap_amount'])} USD ({count(counts['unusual_count'])} of them by more than hospitals differ anyway), and {count(counts['above_count'])} above it, together {usd(counts['above_amount'] or 0)} USD.",
        places(numbers.places, "this DRG"),
    )


def _states(numbers: DrgNumbers) -> list[Block]:
    return [
        Heading("States, by what is below standardized expectation"),
        Grid(
            ("state", "hospitals", "stays", "Medicare paid", "plain gap", "standardized shortfall", "standardized gap", "95 % interval", "found below"),
            tuple(
                (
                    str(row["area_code"]), count(row["hospital_count"]), count(row["discharges_count"]), usd(row["total_medicare_payment_amount"]),
                    usd(row["plain_gap_amount"]), usd(row["standardized_shortfall_amount"]), usd(row["standardized_gap_amount"]),
                    usd_between(row["standardized_gap_low_amount"], row["standardized_gap_high_amount"]), count(row["found_count"]),
                )
                for row in numbers.states
            ),
        ),
    ]  # fmt: skip


def _tails(numbers: DrgNumbers) -> list[Block]:
    below: list[Block] = [Heading("Hospitals paid below expectation, by opportunity index")]
    below += (
        [
            cell_grid(numbers.below, ("CCN", "hospital"), "hospital_name", "provider_id"),
            Picture("cells", "Gap of each hospital shown, with its interval"),
        ]
        if numbers.below
        else [Words("None.")]
    )
    above: list[Block] = [
        Heading("The other tail: hospitals paid above expectation"),
        Words("Outlier payments and transfers are ordinary reasons for it; an auditor would look here first.")
        if numbers.above
        else Words("None is found at a false-discovery rate of 5 %."),
    ]
    if numbers.above:
        above.append(cell_grid(numbers.above, ("CCN", "hospital"), "hospital_name", "provider_id"))
    return [*below, *above]


def _documentation(numbers: DrgNumbers) -> list[Block]:
    drg, family = numbers.drg, numbers.family
    heading = Heading("Documentation: share of the family's stays in its most severe member")
    if family is None:
        return [heading, Words("This DRG is in no family of severity: there is no share to compare.")]
    if not family["family_count"]:
        return [
            heading,
            Words(f"The family {drg['family_code']} is not whole in the files at hand ({drg['family_shape']})."),
        ]
    blocks: list[Block] = [
        heading,
        Words(
            f"Family {drg['family_code']} {drg['family_title']}: in half of {many(family['family_count'], 'hospital')} the share is {percent(family['median_share_rate'])} or more; "
            f"the middle three fifths lie between {percent(family['p20_share_rate'])} and {percent(family['p80_share_rate'])}. {count(family['below_count'])} hospitals lie "
            f"below their peers' median beyond doubt ({usd(family['below_amount'] or 0)} USD to it), {count(family['above_count'])} above their peers' 80th percentile. "
            f"A low share is a reason to read records, not to ask for a code: only what a record supports may be coded."
        ),
    ]
    for title, rows in (
        ("Below the peers' median", numbers.families_below),
        ("Above the peers' 80th percentile: an audit risk, not a model", numbers.families_above),
    ):
        blocks += [
            Heading(title, 3),
            family_grid(rows, ("CCN", "hospital"), "hospital_name", "provider_id")
            if rows
            else Words("None beyond doubt."),
        ]
    return [*blocks, Picture("families", "Shares of the hospitals shown, against their peers")]


def _quality(numbers: DrgNumbers) -> list[Block]:
    words = {"poor": "poor", "not_poor": "not poor", "unknown": "unknown"}
    return [
        Heading("Quality beside the money"),
        Words(
            "Outcomes are poor by the house's rule at most two stars, or with readmissions 5 % or more above what is expected."
        ),
        Grid(
            ("outcomes", "hospitals", "found below expectation", "share", "found above", "share"),
            tuple(_quality_row(words[row["quality_status"]], row) for row in numbers.quality),
        ),
    ]


def _quality_row(word: str, row: Row) -> tuple[str, ...]:
    cells = row["cell_count"]
    return (
        word, count(cells), count(row["below_count"]), percent(row["below_count"] / cells),
        count(row["above_count"]), percent(row["above_count"] / cells),
    )  # fmt: skip
