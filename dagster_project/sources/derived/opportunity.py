"""What models say of hospitals and DRGs: where there is money to look for. Tables of dbt's source `opportunity`.

Belongs here: columns and their words. Does not: computing them (ml/opportunity).
"""

from __future__ import annotations

import pyarrow as pa

ABOUT = "What models say of hospitals and DRGs, how well they say it, and whether an earlier year foretold a later one."
MONEY = pa.decimal128(18, 2)
RATE = pa.decimal128(18, 6)
VALUE = pa.decimal128(28, 6)  # dollars of a payment, or a share: measure says which

Column = tuple[str, pa.DataType, str]
_PERIOD: list[Column] = [
    ("data_source", pa.string(), "who sent the payments"),
    ("period_type", pa.string(), "fy fiscal year, dy data (calendar) year"),
    ("fiscal_year", pa.int64(), "year of the file"),
]
_MEASURE: Column = ("measure", pa.string(), "payment (average Medicare payment, US dollars) or severe_share (0 to 1)")
_WAY: Column = (
    "way",
    pa.string(),
    "attributes (the model), a plain mean over the hospitals seen (national_mean, state_mean, referral_region_mean, national_share, state_share), or own_earlier (the hospital's own earlier ratio, held)",
)
_COUNTS: list[Column] = [
    ("cell_count", pa.int64(), "cells judged: those for which every way has an answer"),
    ("hospital_count", pa.int64(), "their hospitals"),
    ("discharge_count", pa.int64(), "their discharges"),
]
_SCORE: list[Column] = [
    *_PERIOD,
    _MEASURE,
    ("trial", pa.string(), "unseen_hospitals (five folds) or unseen_year (fitted on an earlier one)"),
    ("fitted_year", pa.int64(), "year fitted on"),
    _WAY,
    *_COUNTS,
    ("mean_outcome", VALUE, "discharge-weighted mean of what came"),
    ("error", VALUE, "mean absolute error, weighted by discharges"),
    ("error_rate", RATE, "error as a share of the mean"),
    ("root_mean_square_error", VALUE, "root of the mean squared error, weighted by discharges"),
    ("bias", VALUE, "expected less actual, weighted by discharges"),
    ("skill_rate", RATE, "one less the error over that of the national mean or share"),
    ("skill_low_rate", RATE, "lower end of its 95 % interval over 1,000 resamples of hospitals"),
    ("skill_high_rate", RATE, "its upper end"),
    (
        "covered_rate",
        RATE,
        "share of discharges in cells within their 95 % interval; blank where a way has none",
    ),
    ("absent_features", pa.string(), "attributes that the model would read and no file of the source holds"),
]

TABLES: dict[str, tuple[str, list[Column]]] = {
    "drg_expected_payment": (
        "One row per source, year, hospital and DRG: what hospitals with its attributes are paid, the hospital not having been seen.",
        [
            *_PERIOD,
            ("provider_id", pa.string(), "CCN of the hospital"),
            ("drg_code", pa.string(), "MS-DRG"),
            (
                "expected_average_payment_amount",
                MONEY,
                "expected average Medicare payment; blank where no other hospital has the DRG",
            ),
            (
                "expected_average_payment_low_amount",
                MONEY,
                "lower end of the 95 % interval of a hospital's average; blank where too few cells tell",
            ),
            ("expected_average_payment_high_amount", MONEY, "its upper end"),
        ],
    ),
    "drg_expected_severity": (
        "One row per source, year, hospital and DRG family: the share of severe stays of hospitals with its attributes, the hospital not having been seen.",
        [
            *_PERIOD,
            ("provider_id", pa.string(), "CCN of the hospital"),
            ("family_code", pa.string(), "first DRG of the family"),
            ("discharge_count", pa.int64(), "published stays of the family"),
            ("severe_discharge_count", pa.int64(), "of these, stays in its severe members"),
            (
                "is_whole",
                pa.bool_(),
                "whether CMS published every member; where not, the share is of what it published",
            ),
            ("expected_severe_rate", RATE, "expected share; blank where no other hospital's family is published whole"),
            ("expected_severe_low_rate", RATE, "lower end of the 95 % interval of a hospital's share"),
            ("expected_severe_high_rate", RATE, "its upper end"),
        ],
    ),
    "drg_model_score": (
        "One row per source, year, measure and way: how far expectations of hospitals not seen (five folds) were from what came.",
        _SCORE,
    ),
    "drg_later_score": (
        "One row per source, later year, measure and way: how far what an earlier year knows was from what came.",
        _SCORE,
    ),
    "drg_model_calibration": (
        "One row per source, year, measure and tenth of the discharges in the order of what the model expected.",
        [
            *_PERIOD,
            _MEASURE,
            ("bin_number", pa.int64(), "1 the lowest expectations, 10 the highest"),
            ("cell_count", pa.int64(), "cells"),
            ("discharge_count", pa.int64(), "discharges"),
            ("expected", VALUE, "discharge-weighted mean of the expectation"),
            ("actual", VALUE, "discharge-weighted mean of what came"),
        ],
    ),
    "drg_back_test": (
        "One row per source, pair of years, measure and yardstick of the gap: whether the earlier gap foretold the later change.",
        [
            ("data_source", pa.string(), "who sent the payments"),
            ("period_type", pa.string(), "fy or dy, of the later year"),
            ("earlier_year", pa.int64(), "year of the gap"),
            ("later_year", pa.int64(), "year to which the change is taken"),
            _MEASURE,
            (
                "yardstick",
                pa.string(),
                "what the gap is measured from: national_mean or national_share, standardized (weight and the hospital's own level over its other DRGs), or attributes (the model)",
            ),
            (
                "verdict",
                pa.string(),
                "more_than_chance, less_than_chance, no_more_than_chance, or no_data (under 20 hospitals)",
            ),
            ("cell_count", pa.int64(), "cells of both years"),
            ("hospital_count", pa.int64(), "their hospitals"),
            ("discharge_count", pa.int64(), "their discharges in the earlier year"),
            ("slope", RATE, "change to be expected from one unit of gap: 1 were every gap closed, 0 were none"),
            ("slope_low", RATE, "lower end of the 95 % interval over 1,000 resamples of hospitals"),
            ("slope_high", RATE, "its upper end"),
            ("chance_slope", RATE, "slope that noise of the earlier year alone gives: regression to the mean"),
            ("excess", RATE, "slope less that of chance"),
            ("excess_low", RATE, "lower end of its interval"),
            ("excess_high", RATE, "its upper end"),
            (
                "reversed_slope",
                RATE,
                "the same slope with the years exchanged, in which nobody can have acted on the gap",
            ),
            ("forward_less_reversed", RATE, "slope less the reversed one"),
            ("forward_less_reversed_low", RATE, "lower end of its interval"),
            ("forward_less_reversed_high", RATE, "its upper end"),
            (
                "error_if_it_stays",
                RATE,
                "mean absolute error of the forecast that the hospital stays where it was (share of the payment, or of stays)",
            ),
            ("error_if_it_closes", RATE, "of the forecast that the gap closes"),
            ("error_if_shrunk", RATE, "of the forecast that it moves by the slope of chance"),
        ],
    ),
}
