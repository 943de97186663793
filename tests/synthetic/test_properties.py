"""The world has the properties it promises, measured, so that it cannot decay into noise."""

from __future__ import annotations

import csv

import duckdb
import pytest

from dagster_project.settings import DBT_PROJECT
from dagster_project.synthetic import world
from dagster_project.synthetic.acknowledgements import SILENT_PAYER
from dagster_project.synthetic.reference import PAYERS


def test_the_top_five_percent_hold_about_half_when_both_years_are_measured(invented):
    for year in (2024, 2025):
        share = invented.one(f"""select sum(amount) filter (place <= ceil(people * 0.05)) / sum(amount)
            from ranked where y = {year}""")
        assert 0.45 <= share <= 0.55


def test_a_fifth_of_the_costliest_percent_stay_when_the_year_turns(invented):
    # 50 people are the top percent here, so the measure is widened to the top 3 % where it would be noise
    stay = """select count(*) filter (b.place <= ceil(b.people * {p})) / count(*) from ranked a
        join ranked b using (member_id)
              where a.y = 2024 and b.y = 2025 and a.place <= ceil(a.people * {p})"""
    assert 0.10 <= invented.one(stay.format(p=0.01)) <= 0.30
    assert 0.14 <= invented.one(stay.format(p=0.03)) <= 0.30


def test_eleven_percent_are_denied_at_first_when_claims_are_adjudicated(invented):
    seen = invented.one("""select avg(denied::integer) from (
        select claim_id, sum(paid_amount) = 0 and sum(allowed_amount) = 0 as denied from remittance
        where adjudication_number = 1 and claim_status_code <> '2' group by claim_id)""")
    drawn = invented.one("""select avg(is_denied::integer)
        from w_first join w_claim using (ck) where coverage_rank = 'primary'""")
    assert abs(seen - 0.11) <= 0.012
    assert abs(drawn - 0.11) <= 0.01


def test_the_true_probability_separates_outcomes_but_not_perfectly_when_its_auc_is_taken(invented):
    auc = invented.one("""
    with ranked as (
        select is_denied, rank() over (order by denial_probability) + (count(*)
            over (partition by denial_probability) - 1) / 2.0 as place
        from w_first join w_claim using (ck) where coverage_rank = 'primary'
    ), counted as (select count(*) filter (is_denied) as denied, count(*) filter (not is_denied) as paid,
        sum(place) filter (is_denied) as places from ranked)
    select (places - denied * (denied + 1) / 2.0) / (denied * paid::double) from counted""")
    assert 0.88 <= auc <= 0.93


def test_the_probability_is_calibrated_when_claims_are_cut_into_bands(invented):
    for expected, seen, count in invented.rows(
        """
        select avg(denial_probability), avg(is_denied::integer), count(*) from w_denial group by width_bucket order by 1
        """.replace("width_bucket", "floor(denial_probability * 5)")
    ):
        assert abs(expected - seen) < 4 * (expected * (1 - expected) / count) ** 0.5 + 0.002


def test_all_sixteen_categories_occur_when_claims_are_denied(invented):
    shares = dict(
        invented.rows("""select g.category, count(*) / sum(count(*)) over () from w_first f join w_category g
        on g.number = f.category
                                   where is_denied group by 1""")
    )
    assert len(shares) == 16
    assert max(shares.values()) < 0.25
    assert min(shares.values()) > 0.003


@pytest.mark.parametrize(
    ("feature", "low"),
    [
        ("needs_authorization and authorization_id is null", 0.40),
        ("not is_covered", 0.6),
        ("is_duplicate", 0.75),
        ("sent - ends > filing_days", 0.75),
        ("network_status = 'out_of_network'", 0.15),
        ("lacks_modifier", 0.5),
        ("documentation < 0.6", 0.20),
        ("has_wrong_diagnosis", 0.5),
        ("payer_id <> cover_payer", 0.6),
    ],
)
def test_a_cause_raises_the_denial_rate_when_it_is_on_the_claim(invented, feature, low):
    rate = invented.one(f"select avg(is_denied::integer) from w_denial join w_claim using (ck) where {feature}")
    assert rate > low


def test_history_raises_the_probability_when_all_else_on_the_claim_is_equal(invented):
    # what the probability adds to the claim's own score is its history: the member's denials, the clinician's habit
    invented.con.execute("""
    create or replace temp table w_added as
    select d.m, d.npi, c.sent, logit(d.denial_probability) - h.score as added
    from w_denial d join w_hazard h using (ck) join w_claim c using (ck)
    where c.sent >= date '2025-01-01' and ck % 7 = 0""")
    members = dict(
        invented.rows("""
        select exists (from w_denial d where d.m = a.m and d.is_denied and d.decided_date < date '2025-01-01'),
               avg(added)
        from w_added a group by 1""")
    )
    assert members[True] > members[False] + 0.1
    clinicians = dict(
        invented.rows("""
        select rate > 0.14, avg(added) from w_added join (
            select npi, avg(is_denied::integer) as rate from w_denial where decided_date < date '2025-01-01' group by 1)
        using (npi) where rate not between 0.09 and 0.14 group by 1""")
    )
    assert clinicians[True] > clinicians[False] + 0.15


def test_claims_carry_what_a_denial_model_needs_when_submitted(invented):
    assert invented.rows("""
        select count(*) filter (coder_id is null or documentation_rate is null or coding_accuracy_rate is null
            or submitted_date is null
               or network_status is null or charge_amount is null or expected_amount is null),
                   count(distinct coder_id) >= 20,
               count(authorization_id) > 0 from medical_claim where claim_status = 'submitted'""") == [(0, True, True)]


def test_claims_wait_when_the_world_ends(invented):
    waiting, unsent = invented.rows("""select count(*), count(*) filter (submitted_date is null
        and coded_date is not null) from medical_claim
                                       where claim_status = 'in_preparation'""")[0]
    assert waiting == unsent > 50


def test_payers_take_their_own_time_when_they_answer(invented):
    lags = dict(
        invented.rows("""select r.payer_id, median(adjudicated_date - submitted_date) from remittance r
        join medical_claim c using (claim_id)
                                 where adjudication_number = 1 and coverage_rank = 'primary' group by 1""")
    )
    promised = {payer[0]: payer[6] for payer in PAYERS}
    for payer, lag in lags.items():
        assert abs(lag - promised[payer]) <= 3
    assert invented.one("""select median(submitted_date - claim_end_date)
        from medical_claim where claim_status = 'submitted'""") in range(3, 12)


def test_time_passes_when_claims_are_sent_answered_and_paid(invented):
    sent = invented.one("""select quantile_cont(submitted_date - claim_end_date, [0.1, 0.9, 0.99]) from medical_claim
        where claim_status = 'submitted' and coverage_rank = 'primary' and claim_frequency_code = '1'""")
    assert 1 <= sent[0] <= 4
    assert 8 <= sent[1] <= 18
    assert sent[2] > 30  # some bills are forgotten for months
    wait = invented.rows("select min(paid_date - adjudicated_date), max(paid_date - adjudicated_date) from remittance")
    assert wait == [(1, 7)]  # payers pay once a week
    patients = invented.one("""select median(posting_date - paid_date) from patient_accounting
        join (select claim_id, min(paid_date) as paid_date from remittance group by 1) using (claim_id)
        where transaction_type = 'patient_payment'""")
    assert 20 <= patients <= 45


FIRST_CLAIMS = "w_claim where coverage_rank = 'primary' and frequency = '1'"


# measured on what happens, not read from the list of payers: equal payers in the list must not pass
@pytest.mark.parametrize(
    ("rule", "mild", "strict", "times"),
    [
        (
            """select payer_id, median(decided - submitted_date) from w_first join w_claim using (ck)
               where is_sent and coverage_rank = 'primary' group by 1""",
            "OMC",
            "PSM",
            1.8,
        ),
        (
            """select v.payer_id, count(a.e) / count(*) from w_encounter e join w_cover v using (e)
               left join w_authorization a using (e) where e.service_class is not null group by 1""",
            "OMC",
            "BSX",
            4,
        ),
        (f"select payer_id, avg((sent - ends > filing_days)::integer) from {FIRST_CLAIMS} group by 1", "OMC", "SVA", 3),
        (
            f"""select payer_id, avg((category = 16)::integer) from w_first join (from {FIRST_CLAIMS}) using (ck)
                where network_status = 'out_of_network' group by 1""",
            "OMC",
            "BSX",
            1.7,
        ),
        (
            f"""select payer_id, avg(is_denied::integer) from w_first join (from {FIRST_CLAIMS}) using (ck)
                group by 1""",
            "OMC",
            "BSX",
            1.5,
        ),
    ],
    ids=["days_to_answer", "authorizations", "late_filing", "network", "denials"],
)
def test_payers_have_rules_of_their_own_when_two_are_compared(invented, rule, mild, strict, times):
    seen = dict(invented.rows(rule))
    assert seen[strict] > times * seen[mild]


def test_winter_brings_respiratory_visits_when_months_are_compared(invented):
    winter, summer = invented.rows("""select count(*) filter (month(claim_start_date) in (12, 1, 2, 3)) / 8,
        count(*) filter (month(claim_start_date) in (5, 6, 7, 8)) / 8
        from medical_claim where left(diagnosis_code_1, 2) in ('J0', 'J1', 'J2')""")[0]
    assert winter > 2 * summer


def test_winter_brings_more_of_visits_stays_and_drugs_when_each_is_counted_by_day(invented):
    by_day = """
        select sum(n) filter (is_winter) / sum(days) filter (is_winter)
               / (sum(n) filter (not is_winter) / sum(days) filter (not is_winter))
        from (select is_winter, day(month_end) as days, month_start, month_end from w_month where month_number < 24)
        join (select date_trunc('month', day) as month_start, count(*) as n from ({rows}) group by 1)
            using (month_start)"""
    visits = "select starts as day from w_encounter where kind in (1, 3, 5)"
    pneumonia = "select starts as day from w_encounter where drg in ('193', '194')"
    antibiotics = "select dispensing_date as day from pharmacy_fill where ndc_code = '00781185220'"
    assert 1.18 <= invented.one(by_day.format(rows=visits)) <= 1.40
    assert invented.one(by_day.format(rows=pneumonia)) > 1.6
    assert 1.7 <= invented.one(by_day.format(rows=antibiotics)) <= 2.8


def test_prices_differ_by_contract_when_the_same_service_is_paid(invented):
    prices = dict(
        invented.rows("""select payer_id, median(p.price / units) from w_priced p join w_claim c using (e,
        form)
                                   where hcpcs = '99213' and coverage_rank = 'primary' group by 1""")
    )
    assert prices["MRM"] > 2 * prices["PSM"]
    assert prices["HLH"] > 1.4 * prices["SVA"]
    # a contract is between two: how far two payers stand apart is another thing at each place
    apart = [
        row[0]
        for row in invented.rows("""
            select median(p.price / p.base_price) filter (cover_payer = 'MRM')
                   / median(p.price / p.base_price) filter (cover_payer = 'PSM')
            from w_priced p join w_claim c using (e, form) where p.price > 50 and c.org < 8 group by c.org""")
    ]
    assert len(apart) == 8
    assert max(apart) > 1.1 * min(apart)


# averages of a hundred and more: noise alone would spread them by about a hundredth
@pytest.mark.parametrize(
    ("habit", "low", "high"),
    [
        (f"select avg(documentation) as mean from {FIRST_CLAIMS} group by npi", 0.025, 0.065),
        (f"select avg(accuracy) as mean from {FIRST_CLAIMS} group by coder", 0.04, 0.10),
        (f"select avg(coded_date - ends) as mean from {FIRST_CLAIMS} and kind in (1, 2, 3) group by coder", 0.10, 0.40),
        (
            "select median(minutes_worked) as mean from work_record where work_type = 'coding' group by coder_id",
            0.10,
            0.45,
        ),
        (
            f"""select avg((authorization_id is null)::integer) as mean from {FIRST_CLAIMS} and needs_authorization
                group by org""",
            0.30,
            0.80,
        ),
    ],
    ids=["documentation", "accuracy", "days_to_code", "minutes_to_code", "forgotten_authorizations"],
)
def test_providers_and_coders_have_habits_when_each_ones_work_is_averaged(invented, habit, low, high):
    spread = invented.one(f"select stddev(mean) / avg(mean) from ({habit} having count(*) >= 100)")
    assert low <= spread <= high


def test_chronic_conditions_cost_more_when_people_are_compared(invented):
    cost = dict(
        invented.rows("""
        select len(coalesce(conditions, [])) >= 3, avg(amount) from w_person left join w_person_need using (m)
        join (select m, sum(price)::double as amount from w_priced group by 1) using (m)
        where len(coalesce(conditions, [])) not in (1, 2) group by 1""")
    )
    assert cost[True] > 2.2 * cost[False]


def test_the_scale_is_that_of_a_real_plan_when_rates_are_taken(invented):
    months = invented.one(f"""select sum(datediff('month', greatest(enrollment_start_date, date '{invented.start}'),
        least(coalesce(enrollment_end_date, date '{invented.end}'), date '{invented.end}')) + 1) from eligibility
            where coverage_rank = 'primary'""")
    assert 350 <= float(invented.one("select sum(amount) from spend")) / months <= 700
    assert 7.5 <= invented.one("select count(*) from medical_claim where coverage_rank = 'primary'") * 12 / months <= 11
    assert (
        2.1
        <= invented.one("""select (select count(*)
        from medical_claim_line) / (select count(*) from medical_claim)""")
        <= 3
    )


def test_a_member_has_the_benchmarks_volumes_when_they_are_asked_for():
    # 120,000 such members have 2.4 million claims, 6 million lines, 900,000 encounters and 3 million fills
    con = duckdb.connect()
    world.build_world(con, 600, 20, 24, intensity=world.BENCHMARK)
    wanted = {"medical_claim": 20, "medical_claim_line": 50, "encounter": 7.5, "pharmacy_fill": 25}
    seen = {feed: con.execute(f"select count(*) / 600 from {feed}").fetchall()[0][0] for feed in wanted}
    con.close()
    assert seen == pytest.approx(wanted, rel=0.15)


def test_reversals_corrections_and_appeals_occur_when_claims_live_on(invented):
    claims = invented.one("select count(distinct claim_id) from remittance")
    reversed_share = (
        invented.one("""select count(distinct claim_id)
        from remittance where claim_status_code = '22'""")
        / claims
    )
    assert 0.005 <= reversed_share <= 0.03
    denied = invented.one("select count(*) from w_fate")
    assert 0.15 <= invented.one("select count(*) from medical_claim where claim_frequency_code = '7'") / denied <= 0.4
    appeals = dict(
        invented.rows("""select outcome, count(*) from w_adjudication a join w_fate f using (ck)
        where adjudication = 2 and fate = 'appealed'
                                    group by 1""")
    )
    assert 0.38 <= appeals["paid"] / sum(appeals.values()) <= 0.52
    fates = dict(invented.rows("select fate, count(*) / sum(count(*)) over () from w_fate group by 1"))
    assert 0.20 <= fates["appealed"] <= 0.29
    worth = dict(invented.rows("select category, avg((fate = 'appealed')::integer) from w_fate group by 1"))
    assert worth["medical_necessity"] > 0.4 > 0.1 > worth["duplicate"]
    assert (
        0.01
        <= invented.one("""select avg(is_partly::integer) from (select sum(allowed_amount) > 0
        and bool_or(allowed_amount = 0) as is_partly
                                   from remittance where adjudication_number = 1 group by claim_id)""")
        <= 0.04
    )


def test_a_claim_is_answered_at_the_door_before_it_is_decided_when_its_payer_answers_at_all(invented):
    silent = invented.rows(f"""
        select payer_id, max(claim_acknowledgement.claim_id) is null
        from medical_claim left join claim_acknowledgement using (payer_id, claim_id)
        where submitted_date <= date '{invented.end}' - 2 group by 1 order by 1""")
    assert silent == [(payer, payer == SILENT_PAYER) for payer, _ in silent] and len(silent) == 6
    invented.con.execute("""
        create or replace temp table doors as
        select claim_id, any_value(payer_id) as payer_id, any_value(submitted_date) as sent, min(acknowledged_date) as answered,
            max(acknowledged_date) filter (where action_code = 'U') as rejected,
            max(acknowledged_date) filter (where action_code = 'WQ') as accepted, min(adjudicated_date) as decided
        from medical_claim left join claim_acknowledgement using (claim_id, payer_id)
        left join (select claim_id, min(adjudicated_date) as adjudicated_date from remittance group by 1) using (claim_id)
        where submitted_date is not null group by 1""")
    wrong = invented.rows(f"""
        select count(*) filter (where answered is null and sent <= date '{invented.end}' - 2),
            count(*) filter (where answered - sent not between 1 and 2),
            count(*) filter (where accepted <= rejected),
            count(*) filter (where decided is not null and (accepted is null or accepted >= decided))
        from doors where payer_id <> '{SILENT_PAYER}'""")
    assert wrong == [(0, 0, 0, 0)]
    share, mended, left = invented.rows(f"""
        select count(rejected) / count(*), count(rejected) filter (where accepted > rejected),
            count(rejected) filter (where accepted is null)
        from doors where payer_id <> '{SILENT_PAYER}'""")[0]
    assert 0.02 <= share <= 0.05
    assert 0 < left < 0.1 * mended


def test_a_front_end_rejects_under_the_categories_that_the_rules_call_rejected(invented):
    with (DBT_PROJECT / "seeds/claims/acknowledgement_categories.csv").open() as file:
        rejecting = {row["code"] for row in csv.DictReader(file) if row["event_type"] == "rejected"}
    found = dict(
        invented.rows("""
        select status_category_code, any_value(action_code) from claim_acknowledgement
        group by 1 having count(distinct action_code) = 1""")
    )
    assert found == dict.fromkeys(rejecting, "U") | {"A2": "WQ"}
    assert (
        invented.one("""select count(*) from claim_acknowledgement
        where (action_code = 'WQ') <> (payer_claim_control_number is not null)""")
        == 0
    )


def test_money_goes_back_and_forth_when_claims_are_paid(invented):
    kinds = dict(invented.rows("select transaction_type, count(*) from patient_accounting group by 1"))
    assert set(kinds) == {
        "patient_payment",
        "adjustment",
        "denial_write_off",
        "bad_debt_write_off",
        "charity_write_off",
        "refund",
    }
    assert (
        invented.one("""select count(*)
        from patient_accounting where (transaction_type = 'refund') <> (transaction_amount < 0)""")
        == 0
    )
    back = dict(
        invented.rows("""select adjustment_reason_code, sum(adjustment_amount)
        from provider_adjustment group by 1""")
    )
    assert back["WO"] > 0 > back["L6"]
    # 1.1 % of paid claims are taken back in the end; of those so many within the two years
    taken = invented.one("""select count(*) / (select count(distinct claim_id) from remittance
        where adjudication_number = 1 and allowed_amount > 0)
        from provider_adjustment where adjustment_reason_code = 'WO'""")
    assert 0.003 <= taken <= 0.006
    assert (
        invented.one("""select median(p.paid_date - r.paid_date) from provider_adjustment p
        join (select claim_id, min(paid_date) as paid_date from remittance group by 1) r using (claim_id)
            where adjustment_reason_code = 'WO'""")
        >= 90
    )
    assert (
        invented.one("""select count(*)
        from provider_adjustment where remittance_id not in (select remittance_id from remittance)""")
        == 0
    )


def test_a_remittance_moves_its_claims_less_what_is_adjusted_beside_them(invented):
    count, wrong = invented.rows("""
        with moved as (
            select remittance_id, payer_id, paid_date, sum(paid_amount) as amount from remittance group by all
            union all
            select remittance_id, payer_id, paid_date, -sum(adjustment_amount) from provider_adjustment group by all
        ), summed as (select remittance_id, payer_id, paid_date, sum(amount) as amount from moved group by all)
        select count(*), count(*) filter (advice.paid_amount is distinct from summed.amount)
        from summed full join remittance_advice advice using (remittance_id, payer_id, paid_date)""")[0]
    assert count > 100 and wrong == 0


def test_a_line_expects_its_contract_price_and_lines_sum_to_what_their_claim_expects(invented):
    first, wrong, second = invented.rows("""
        select count(*) filter (coverage_rank = 'primary'),
            count(*) filter (coverage_rank = 'primary' and expected is distinct from expected_amount),
            count(*) filter (coverage_rank = 'secondary' and expected is not null)
        from medical_claim join (select claim_id, sum(expected_amount) as expected from medical_claim_line group by 1)
            using (claim_id)""")[0]
    assert first > 1000 and (wrong, second) == (0, 0)


def test_a_second_payer_answers_when_a_member_has_two(invented):
    count, wrong = invented.rows("""
        select count(*), count(*) filter (paid_amount < 0 or prior_payer_paid_amount is null or status <> '2')
            from medical_claim c
        join (select claim_id, sum(paid_amount) as paid_amount, min(claim_status_code) as status from remittance
            group by 1) using (claim_id)
        where coverage_rank = 'secondary'""")[0]
    assert count > 100
    assert wrong == 0


def test_enrolment_has_gaps_switches_and_second_covers_when_spans_are_counted(invented):
    spans = invented.rows("""select count(*) filter (n > 1) / count(*), count(*) filter (plans > 1) / count(*) from (
        select member_id, count(*) as n, count(distinct plan_id) as plans from eligibility
            where coverage_rank = 'primary' group by 1)""")[0]
    assert 0.10 <= spans[0] <= 0.25
    assert spans[1] >= 0.05
    both = invented.one("""select count(distinct member_id) filter (coverage_rank = 'secondary')
                           / count(distinct member_id) from eligibility""")
    assert 0.02 <= both <= 0.10


def test_few_claims_and_encounters_stand_alone_when_they_are_matched(invented):
    unknown = invented.one("select avg((member_id not in (select member_id from member))::integer) from medical_claim")
    assert 0 < unknown < 0.001
    other_plan = invented.one("""select avg((plan_id <> cover_plan)::integer)
        from w_claim where coverage_rank = 'primary'""")
    assert 0.005 <= other_plan <= 0.02
    unbilled = invented.one("""select avg((not exists (from w_claim c where key_code('ENC',
        c.e * 100) = encounter_id))::integer) from encounter
        where encounter_status = 'completed' and encounter_start_date < date '2025-11-01'""")
    assert 0.015 <= unbilled <= 0.04
    assert invented.one("select avg((member_id is null)::integer) from encounter") > 0.8


def test_the_record_is_booked_ahead_when_the_world_ends(invented):
    last, ahead = invented.rows("""select max(scheduled_date), count(*) filter (service_status = 'scheduled')
        from scheduled_service""")[0]
    assert last.isoformat() > "2026-01-31"
    assert ahead > 100
    assert (
        invented.one("""select count(*)
        from scheduled_service where scheduled_date <= date '2025-12-31' and service_status = 'scheduled'""")
        == 0
    )
