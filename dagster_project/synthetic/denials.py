"""Why a payer refuses: one hazard per cause and claim, a true probability from them, and the draw, month by month.

Belongs here: hazards of the sixteen categories,
    the claim's history, who is denied and why. Does not: money (adjudication.py).
"""

from __future__ import annotations

import duckdb

from dagster_project.synthetic.reference import values_table

DENIED_SHARE = 0.11

# category, CARC, group, RARC, whether a corrected claim helps, whether an appeal may
CATEGORIES: list[tuple[object, ...]] = [
    ("missing_information", "16", "CO", "MA130", 0.75, 0.0),
    ("documentation", "252", "CO", "N706", 0.45, 0.30),
    ("duplicate", "18", "OA", "N522", 0.0, 0.03),
    ("eligibility", "27", "PR", "N30", 0.08, 0.10),
    ("coordination_of_benefits", "22", "OA", "N598", 0.60, 0.08),
    ("wrong_payer", "109", "OA", "N418", 0.25, 0.02),
    ("timely_filing", "29", "CO", "N211", 0.0, 0.15),
    ("prior_authorization", "197", "CO", "M62", 0.20, 0.42),
    ("medical_necessity", "50", "CO", "N115", 0.10, 0.52),
    ("not_covered", "96", "PR", "N130", 0.05, 0.22),
    ("benefit_limit", "119", "PR", "N362", 0.04, 0.25),
    ("bundled", "97", "CO", "M15", 0.35, 0.25),
    ("procedure_or_modifier", "4", "CO", "N519", 0.65, 0.12),
    ("diagnosis", "11", "CO", "M76", 0.60, 0.14),
    ("place_or_bill_type", "5", "CO", "M77", 0.70, 0.05),
    ("network", "242", "CO", "N290", 0.06, 0.28),
]
OTHER_CARC = {
    "documentation": "226",
    "eligibility": "26",
    "prior_authorization": "198",
    "not_covered": "204",
    "benefit_limit": "151",
    "bundled": "236",
    "procedure_or_modifier": "182",
    "diagnosis": "146",
    "place_or_bill_type": "58",
    "network": "B7",
}

# The hazard of each cause from what is on the claim, in the order of CATEGORIES.
HAZARDS = """[
    0.003 + 0.25 * greatest(0, 0.80 - documentation),
    0.002 + 1.6 * greatest(0, 0.76 - documentation) * documentation_strictness,
    case when is_duplicate then 0.93 else 0.0006 end,
    case when is_stray then 0.97 when not is_covered then 0.88 else 0.0008 end,
    case when secondary_payer is not null and coverage_rank = 'primary' then 0.13 else 0.0005 end,
    case when payer_id <> cover_payer then 0.86 else 0.0006 end,
    case when sent - ends > filing_days then 0.94 else 0.0002 end,
    case when needs_authorization and authorization_id is null then 0.88 * authorization_strictness
         when is_expired and needs_authorization then 0.45 * authorization_strictness when needs_authorization
             then 0.012 else 0.0003 end,
    case when risk = 'necessity' and price > 250 then 0.07 when risk = 'necessity' then 0.025 when kind = 7
        and stay_days <= 1 then 0.12
         when kind in (6, 7) then 0.02 else 0.0012 end * necessity_strictness,
    case when risk = 'uncovered' then 0.22 else 0.0016 end * necessity_strictness,
    case when risk = 'limit' and visits_before >= 12 then 0.62 when risk = 'limit' then 0.012 else 0.0006 end,
    case when lacks_modifier then 0.72 when risk = 'bundling' then 0.05 else 0.0010 end,
    0.0010 + case when modified_lines > 0 then 0.30 else 0.06 end * greatest(0, 0.90 - accuracy),
    case when has_wrong_diagnosis then 0.70 else 0.0012 end,
    case when has_wrong_place then 0.78 else 0.0008 end,
    case when network_status = 'out_of_network' then network_strictness else 0.0004 end
]"""


def judge_claims(con: duckdb.DuckDBPyConnection, months: int) -> None:
    """w_denial: one row per claim: probability, outcome, category; history is what was decided before its month."""
    values_table(
        con,
        "w_category",
        "number, category, carc, adjustment_group, rarc, corrected_share, appealed_share, other_carc",
        [(number, *row, OTHER_CARC.get(str(row[0]))) for number, row in enumerate(CATEGORIES, start=1)],
    )
    con.execute(f"""
    create or replace table w_hazard as
    with limited as (
        select c.*, count(*) over (partition by m, template, year(starts) order by starts, ck) - 1 as visits_before
            from w_claim c
    ), listed as (
        select ck, m, npi, sent, sent + greatest(4, adjudication_days
                   + round(0.35 * adjudication_days * normal('payer-lag', ck)))::integer as decided_date,
               {HAZARDS} as hazards
        from limited join (select payer_id, authorization_strictness, necessity_strictness, network_strictness,
            documentation_strictness
                           from w_payer) using (payer_id)
    )
    select *, least({months} - 1, datediff('month', (select min(month_start) from w_month), sent)) as sent_month,
           logit(1 - list_product(list_transform(hazards, h -> 1 - least(h, 0.985)))) as score
    from listed;
    create or replace table w_denial (ck bigint, m bigint, npi varchar, decided_date date, sent_month bigint,
        denial_probability double,
                                      is_denied boolean, category integer);
    """)
    shift = _shift_for_share(con, DENIED_SHARE)
    for month in range(months):
        con.execute(f"""
        insert into w_denial
        with clinicians as (
            -- shrunk towards the common rate, so that one early denial is not a habit
            select npi, (count(*) filter (where is_denied) + 0.11 * 30) / (count(*) + 30) as rate from w_denial
            where decided_date < (select month_start from w_month where month_number = {month}) group by npi
        ), people as (
            select m, least(3, count(*) filter (where is_denied)) as denials, count(*) as claims from w_denial
            where decided_date < (select month_start from w_month where month_number = {month}) group by m
        ), scored as (
            select h.*, logistic(score + {shift} + 3 * (coalesce(c.rate, 0.11) - 0.11)
                   + 0.16 * (coalesce(p.denials, 0) - least(3, 0.11 * coalesce(p.claims, 0)))) as probability
            from w_hazard h left join clinicians c using (npi) left join people p using (m) where sent_month = {month}
        ), drawn as (
            select *, u('denied', ck) < probability as is_denied, list_sum(hazards) * u('category', ck) as point
                from scored
        )
        select ck, m, npi, decided_date, sent_month, probability, is_denied,
               case when is_denied then 1 + len(list_filter(range(1, 16), i -> list_sum(hazards[1:i]) <= point)) end
        from drawn;
        """)


def _shift_for_share(con: duckdb.DuckDBPyConnection, share: float) -> float:
    """How far all log-odds move so that the mean probability is the share; bisection on one aggregate."""
    low, high = -4.0, 4.0
    for _ in range(18):
        middle = (low + high) / 2
        # whole numbers add up to the same sum in any order; doubles do not
        row = con.execute(
            f"select sum((logistic(score + {middle}) * 1e9)::bigint)::double / 1e9 / count(*) from w_hazard"
        ).fetchone()
        if row is None or row[0] is None or row[0] > share:
            high = middle
        else:
            low = middle
    return (low + high) / 2
