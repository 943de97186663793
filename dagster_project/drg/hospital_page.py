"""The page of one hospital.

Belongs here: its order and its sentences. Does not: queries (numbers), form (blocks).
"""

from __future__ import annotations

from dagster_project.drg.blocks import Block, Grid, Heading, Picture, Points, Words
from dagster_project.drg.figures import count, many, percent, ratio, usd, usd_between
from dagster_project.drg.numbers import HospitalNumbers, Row
from dagster_project.drg.shared_words import (
    QUALITY,
    against_nothing,
    cell_grid,
    family_grid,
    not_known,
    opening,
    places,
    short,
    trust_in,
)

STATUSES = {
    "not_paid_by_drg": "paid by another system than by DRG",
    "weight_missing": "their DRG has no weight in the table at hand",
    "weight_zero": "their DRG weighs zero",
    "too_few_hospitals": "too few hospitals have the DRG",
    "distorted_level": "the hospital is paid so far from the others that it is no price",
}


def hospital_page(numbers: HospitalNumbers) -> list[Block]:
    """In short, both tails of payment, both tails of documentation, quality, trust, what is not known."""
    hospital = numbers.hospital
    title = f"{hospital['hospital_name']} ({hospital['provider_id']}), {hospital['state']}: Medicare inpatient payment, {numbers.period}"
    return [
        *opening(title),
        Heading("In short"),
        Points(_in_short(numbers)),
        *_below(numbers),
        *_above(numbers),
        *_documentation(numbers),
        *_quality(hospital),
        *trust_in(numbers.trust, numbers.period),
        *not_known(numbers.trust, _weights(numbers)),
    ]


def _in_short(numbers: HospitalNumbers) -> tuple[str, ...]:
    hospital, total = numbers.hospital, numbers.total
    paid, charged = hospital["total_medicare_payment_amount"], hospital["total_covered_charge_amount"]
    return (
        f"{many(hospital['discharge_count'], 'published discharge')} in {many(hospital['drg_count'], 'DRG')}; Medicare paid "
        f"{usd(paid)} USD, {percent(paid / charged if charged else None)} of what was charged; case mix index {ratio(hospital['case_mix_index'], 4)}.",
        f"Peers: {many(hospital['peer_hospital_count'], 'hospital')} of {hospital['peer_group']} (rule {hospital['peer_rule_id']}).",
        f"Plain gap, what the national means would have brought where the hospital got less: {usd(total['plain_gap_amount'])} USD, "
        f"rank {count(total['plain_rank_among_areas'])} of {many(numbers.hospital_count, 'hospital')}. It mostly measures wages, teaching and case mix.",
        f"Standardized gap, against the DRG's weight and the hospital's own level over its other DRGs: {usd(total['standardized_gap_amount'])} USD "
        f"({usd_between(total['standardized_gap_low_amount'], total['standardized_gap_high_amount'])}): "
        f"{against_nothing(total['standardized_gap_low_amount'], total['standardized_gap_high_amount'], total['standardized_gap_amount'])}.",
        f"Of {many(total['standardized_count'], 'DRG')} tested, {count(total['found_count'])} are found below expectation at a false-discovery rate of "
        f"5 %, together {usd(total['found_gap_amount'])} USD ({count(numbers.found_total['unusual_count'])} of them by more than hospitals differ anyway), and {count(numbers.found_total['cell_count'])} above it, together "
        f"{usd(numbers.found_total['amount'] or 0)} USD.",
        places(numbers.places, "this hospital"),
    )


def _below(numbers: HospitalNumbers) -> list[Block]:
    if not numbers.below:
        return [Heading("Payment below expectation"), Words("No DRG of this hospital is paid below expectation.")]
    return [
        Heading("Payment below expectation, by opportunity index"),
        Words(
            "The index is 0 to 100 and the sum of its four parts. A gap whose interval holds zero, or whose q is above 0.05, is not told from chance."
        ),
        cell_grid(numbers.below, ("DRG", "title"), "drg_title", "drg_code"),
        Picture("cells", "Gap of each DRG shown, with its interval"),
        Heading("By service line", 3),
        _lines(numbers.lines),
    ]


def _above(numbers: HospitalNumbers) -> list[Block]:
    heading = Heading("The other tail: payment above expectation")
    if not numbers.above:
        return [heading, Words("No DRG of this hospital is found above expectation at a false-discovery rate of 5 %.")]
    return [
        heading,
        Words("Where an auditor would look first. Outlier payments and transfers are ordinary reasons for it."),
        cell_grid(numbers.above, ("DRG", "title"), "drg_title", "drg_code"),
    ]


def _documentation(numbers: HospitalNumbers) -> list[Block]:
    families = numbers.families
    blocks: list[Block] = [
        Heading("Documentation: shares of stays in the severe members of DRG families"),
        Words(
            f"Of {many(families['family_count'], 'question', 'questions')} (is there an MCC; and of the others, is there a CC), "
            f"{count(families['below_count'])} lie below the peers' median beyond doubt and {count(families['above_count'])} above their 80th percentile; "
            f"{count(families['unknown_count'])} cannot be told. In {count(families['suppressed_count'])} a member is suppressed, which widens the interval. "
            f"A low share is a reason to read records, not to ask for a code: only what a record supports may be coded."
        ),
    ]
    blocks.append(Heading("Below the peers' median", 3))
    if numbers.families_below:
        blocks += [
            Words(
                f"Reaching the median would change the case mix index by {ratio(families['below_case_mix_index_change'], 4)} and payment by "
                f"{usd(families['below_amount'])} USD ({usd_between(families['below_low_amount'], families['below_high_amount'])}, if all lay at one end of "
                f"their intervals)."
            ),
            family_grid(numbers.families_below, ("family", "title"), "family_title", "family_code"),
        ]
    else:
        blocks.append(Words("None beyond doubt."))
    blocks.append(Heading("Above the peers' 80th percentile: an audit risk, not a model", 3))
    if numbers.families_above:
        blocks += [
            Words(
                f"At the median payment would be {usd(families['above_amount'])} USD less. Medicare's own reports flag this percentile; sicker patients are the other explanation."
            ),
            family_grid(numbers.families_above, ("family", "title"), "family_title", "family_code"),
        ]
    else:
        blocks.append(Words("None beyond doubt."))
    return [*blocks, Picture("families", "Shares of the families shown, against the peers")]


def _quality(hospital: Row) -> list[Block]:
    stars = f"{hospital['star_rating']} of 5 stars" if hospital["star_rating"] is not None else "no star rating"
    again = (
        f"readmissions {ratio(hospital['excess_readmission_ratio'])} times what is expected over {many(hospital['readmission_measure_count'], 'measure')}"
        if hospital["excess_readmission_ratio"] is not None
        else "no readmission ratio"
    )
    words = f"{stars[0].upper()}{stars[1:]}; {again}. Outcomes are {QUALITY[hospital['quality_status']]}."
    if hospital["quality_status"] == "poor":
        words += " An opportunity that goes with poor outcomes is no success story: more severe codes would describe the same patients."
    return [Heading("Quality beside the money"), Words(words)]


def _lines(rows: list[Row]) -> Grid:
    return Grid(
        ("service line", "DRGs", "stays", "Medicare paid", "plain gap", "standardized gap", "95 % interval", "found below"),
        tuple(
            (
                short(str(row["line_label"]), 60), count(row["cell_count"]), count(row["discharges_count"]), usd(row["total_medicare_payment_amount"]),
                usd(row["plain_gap_amount"]), usd(row["standardized_gap_amount"]),
                usd_between(row["standardized_gap_low_amount"], row["standardized_gap_high_amount"]), count(row["found_count"]),
            )
            for row in rows
        ),
    )  # fmt: skip


def _weights(numbers: HospitalNumbers) -> list[str]:
    """Which cells have no expectation, and why."""
    return [
        f"{many(row['cell_count'], 'DRG has', 'DRGs have')} no standardized expectation: {STATUSES.get(row['standardization_status'], row['standardization_status'].replace('_', ' '))}."
        for row in numbers.statuses
        if row["standardization_status"] != "standardized"
    ]
