"""Price lists that optimization proposes, and what is known of each scenario. Tables of dbt's source `pricing`.

Belongs here: columns and their words. Does not: solving, what a scenario may say (optimization/pricing).
"""

from __future__ import annotations

import pyarrow as pa

ABOUT = "Answers of the pricing scenarios: price lists, totals, what rules cost, frontiers."
PRICE = pa.decimal128(18, 6)  # USD per procedure: proposed prices are whole cents unless a scenario asks for exact ones
VOLUME = pa.decimal128(18, 3)
MONEY = pa.decimal128(38, 9)  # volume × price, exact

_SCENARIO = ("scenario_id", pa.string(), "the scenario: its file's name without folders and extension")

TABLES: dict[str, tuple[str, list[tuple[str, pa.DataType, str]]]] = {
    "scenario": (
        "One row per scenario.",
        [
            _SCENARIO,
            ("about", pa.string(), "what the scenario asks, in its author's words"),
            ("origin", pa.string(), "repository (a demonstration) or home (a file of this house)"),
            ("data_source", pa.string(), "sender of its pairs; blank where they are of a file"),
            ("pair_source", pa.string(), "marts, ipps, pairs (a flat file) or instance (JSON)"),
            (
                "status",
                pa.string(),
                "optimal, feasible (within rules, gap not reached), infeasible (proven), no_answer (time limit), no_pairs "
                "(nothing to price here), not_readable (the note says why) or failed (a fault of ours)",
            ),
            ("note", pa.string(), "a word of explanation where there is no price list"),
            ("objective_type", pa.string(), "what was made least"),
            ("objective_value", pa.float64(), "its value, in USD but for quality_weighted"),
            ("best_bound", pa.float64(), "no list can have a smaller value"),
            (
                "relative_gap",
                pa.float64(),
                "gap of the list as it was solved, before it was rounded, as a share of its value",
            ),
            ("rounding_amount", MONEY, "what rounding to cents or dollars added to the objective"),
            ("gap_asked", pa.float64(), "the gap that was asked for"),
            ("baseline_spend_amount", MONEY, "Σ volume × baseline price"),
            ("spend_amount", MONEY, "Σ volume × proposed price"),
            ("savings_amount", MONEY, "the difference"),
            ("deviation_amount", MONEY, "Σ volume × |price − baseline price|"),
            ("pair_count", pa.int64(), "pairs of provider and procedure that were priced"),
            ("provider_count", pa.int64(), "providers"),
            ("procedure_count", pa.int64(), "procedures"),
            (
                "asked_pair_count",
                pa.int64(),
                "pairs that its source asked for, those too small or without a benchmark included",
            ),
            ("asked_amount", pa.decimal128(28, 2), "allowed on them"),
            ("priced_amount", pa.decimal128(28, 2), "allowed on the pairs that were priced"),
            ("rule_count", pa.int64(), "rules, each of a pair, a provider or a market counted"),
            ("is_elastic", pa.bool_(), "whether volumes answer to price; then spend is not the stated volume × price"),
            (
                "broken_rule_count",
                pa.int64(),
                "rules that the independent check finds broken; a list that breaks one is withheld",
            ),
            (
                "is_reported",
                pa.bool_(),
                "whether costs of rules, frontiers and the report were made; false is a fault of ours",
            ),
            (
                "minimal_conflict",
                pa.string(),
                "of an impossible one: a smallest set of rules that cannot hold together, by id; '; ' between",
            ),
            ("solver", pa.string(), "solver and version"),
            ("method", pa.string(), "whole (one model) or parts (decomposition)"),
            ("round_to", pa.string(), "cent, dollar or exact"),
            ("solve_seconds", pa.float64(), "how long the solve took"),
            ("fingerprint", pa.string(), "of the question: the same for the same pairs, rules and objective"),
            ("solved_at", pa.timestamp("us"), "when (UTC)"),
        ],
    ),
    "recommendation": (
        "One row per scenario, provider and procedure of a price list that keeps every rule.",
        [
            _SCENARIO,
            ("provider_id", pa.string(), "provider: of claims the id that billed, of CMS's inpatient file the CCN"),
            ("provider_name", pa.string(), "public name, where the source has one"),
            (
                "procedure_id",
                pa.string(),
                "procedure: HCPCS code with its part and ' facility', or 'DRG ' and the MS-DRG",
            ),
            ("procedure_family", pa.string(), "procedures that are negotiated together"),
            ("region", pa.string(), "region within which prices are held alike"),
            ("specialty", pa.string(), "specialty of the provider"),
            ("star_rating", pa.int64(), "of the provider, where known"),
            ("tier", pa.string(), "proposed tier"),
            ("tier_number", pa.int64(), "its place, from 1, the lowest"),
            ("volume_quantity", VOLUME, "procedures a year"),
            (
                "baseline_price_amount",
                PRICE,
                "price of today: the mean allowed amount, or as the scenario's source says",
            ),
            ("benchmark_amount", PRICE, "Medicare's rate or what stands for it"),
            ("benchmark_basis", pa.string(), "what stands for it; see int_price__pairs"),
            ("benchmark_source", pa.string(), "where it comes from"),
            ("benchmark_date", pa.date32(), "of when it is"),
            ("price_amount", PRICE, "proposed price"),
            ("baseline_spend_amount", MONEY, "volume × baseline price"),
            ("spend_amount", MONEY, "volume × proposed price"),
            (
                "binding_rules",
                pa.string(),
                "rules about this pair, its provider or its market that have no slack left, by id; '; ' between",
            ),
        ],
    ),
    "rule_cost": (
        "One row per scenario and rule, or kind of rule, of which it is known what it costs.",
        [
            _SCENARIO,
            ("rule_id", pa.string(), "rule, or its kind where all rules of it are taken together"),
            (
                "rule_kind",
                pa.string(),
                "kind of rule: the name of its constraint in the model, the LP file and the report",
            ),
            ("is_kind", pa.bool_(), "whether the row is of all rules of the kind"),
            ("unit", pa.string(), "of what the rule limits"),
            ("rule_reason", pa.string(), "why the rule is there"),
            ("rule_source", pa.string(), "where it comes from"),
            ("relaxed_by", pa.float64(), "by how much it was relaxed, in its unit: one, or a hundredth of an index"),
            ("saved_if_relaxed_amount", MONEY, "fall of the objective by that, by solving again"),
            ("saved_if_dropped_amount", MONEY, "fall of the objective without the rule, by solving again"),
            (
                "spend_saved_if_dropped_amount",
                MONEY,
                "fall of the spend without it, whatever the objective is; negative where spend rises",
            ),
            ("is_exact", pa.bool_(), "false where a solve ended at its time limit: the true saving may be larger"),
            ("is_in_conflict", pa.bool_(), "of an impossible scenario: whether it is in the smallest conflict"),
            (
                "repair_quantity",
                pa.float64(),
                "of an impossible scenario: the least change of this rule alone that makes it possible, in its unit",
            ),
            ("note", pa.string(), "a word of explanation"),
        ],
    ),
    "frontier": (
        "One row per scenario, frontier and point.",
        [
            _SCENARIO,
            (
                "frontier",
                pa.string(),
                "what savings are held against: fairness (caps on spreads widen) or disruption (the target grows)",
            ),
            ("point_number", pa.int64(), "from 1, in the order of the setting"),
            ("setting_value", pa.float64(), "factor on every cap of regional spread, or the savings target as a share"),
            ("status", pa.string(), "of the solve behind the point"),
            ("savings_share", pa.float64(), "savings as a share of the baseline"),
            ("savings_amount", MONEY, "savings"),
            ("spend_amount", MONEY, "spend"),
            (
                "mean_spread_share",
                pa.float64(),
                "mean spread of prices of a procedure in a region, as a share of its benchmark",
            ),
            ("largest_spread_share", pa.float64(), "the largest of them"),
            ("deviation_amount", MONEY, "Σ volume × |price − baseline price|"),
            ("deviation_share", pa.float64(), "as a share of the baseline"),
            ("relative_gap", pa.float64(), "gap of the solve"),
            ("is_knee", pa.bool_(), "where more savings begin to cost much more"),
        ],
    ),
}
