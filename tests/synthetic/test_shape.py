"""The clean tables are what the contracts ask for, and the money in them balances to the cent."""

from __future__ import annotations

import pytest

from dagster_project.sources.contracts import load_contracts

FEEDS = [
    "payer",
    "benefit_plan",
    "contracted_rate",
    "provider",
    "member",
    "member_crosswalk",
    "eligibility",
    "encounter",
    "encounter_diagnosis",
    "encounter_procedure",
    "medical_claim",
    "medical_claim_line",
    "claim_acknowledgement",
    "remittance",
    "remittance_adjustment",
    "remittance_advice",
    "provider_adjustment",
    "pharmacy_fill",
    "patient_accounting",
    "work_record",
    "authorization",
    "scheduled_service",
]
CONTRACTS = load_contracts()


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_has_the_contracts_columns_when_it_is_clean(invented, feed):
    contract = CONTRACTS[feed]
    columns = {name: kind for name, kind, *_ in invented.rows(f'describe "{feed}"')}
    # a column that the layout takes from another stands in no file
    taken = {
        name for name, source in contract.layouts["claimhouse"].columns.items() if source.from_ not in (None, name)
    }
    assert columns == {name: column.duckdb_type for name, column in contract.columns.items() if name not in taken}


@pytest.mark.parametrize("feed", FEEDS)
def test_every_row_keeps_the_contract_when_it_is_clean(invented, feed):
    contract = CONTRACTS[feed]
    broken = {}
    for name, column in contract.columns.items():
        if column.required:
            broken[name, "required"] = invented.one(f'select count(*) from "{feed}" where {name} is null')
        if column.allowed:
            allowed = ", ".join(f"'{value}'" for value in column.allowed)
            broken[name, "allowed"] = invented.one(f'select count(*) from "{feed}" where {name} not in ({allowed})')
        if column.pattern:
            broken[name, "pattern"] = invented.one(f"""select count(*)
                    from "{feed}" where not regexp_full_match({name}, '{column.pattern}')""")
        if column.between and column.between[1] == "today":
            broken[name, "later"] = invented.one(
                f"select count(*) from \"{feed}\" where {name} > date '{invented.end}'"
            )
        if column.minimum is not None:
            broken[name, "minimum"] = invented.one(f'select count(*) from "{feed}" where {name} < {column.minimum}')
    key = ", ".join(contract.key)
    broken["key", "unique"] = invented.one(
        f'select count(*) from (select {key} from "{feed}" group by all having count(*) > 1)'
    )
    assert {place: count for place, count in broken.items() if count} == {}
    assert invented.one(f'select count(*) from "{feed}"') > 0


def test_nothing_has_happened_yet_when_its_day_is_after_the_end(invented):
    for feed, column in (
        ("remittance", "paid_date"),
        ("patient_accounting", "posting_date"),
        ("work_record", "completed_at"),
        ("provider_adjustment", "paid_date"),
        ("pharmacy_fill", "paid_date"),
        ("medical_claim", "submitted_date"),
        ("claim_acknowledgement", "acknowledged_date"),
    ):
        assert invented.one(f"select max({column})::date <= date '{invented.end}' from {feed}")


def test_a_claims_charge_is_the_sum_of_its_lines_when_added_up(invented):
    assert (
        invented.one("""select count(*) from medical_claim c left join (select claim_id,
        sum(charge_amount) as charge_amount from medical_claim_line
                           group by 1) l using (claim_id) where c.charge_amount is distinct
                               from l.charge_amount""")
        == 0
    )


def test_an_answered_line_balances_when_its_adjustments_are_taken_off(invented):
    assert (
        invented.one("""
        select count(*) from remittance r left join (select claim_id, claim_line_number, adjudication_number,
            sum(adjustment_amount) as taken
            from remittance_adjustment group by all) a using (claim_id, claim_line_number, adjudication_number)
        where r.charge_amount - coalesce(taken, 0) <> r.paid_amount""")
        == 0
    )
    assert (
        invented.one("""select count(*) from remittance
        where allowed_amount <> paid_amount + deductible_amount + coinsurance_amount + copayment_amount""")
        == 0
    )
    assert (
        invented.one("""select count(*) from pharmacy_fill
        where allowed_amount <> paid_amount + deductible_amount + coinsurance_amount + copayment_amount""")
        == 0
    )


def test_every_line_of_a_claim_is_answered_when_the_claim_is(invented):
    assert (
        invented.one("""
        select count(*) from (select claim_id, adjudication_number, count(*) as lines from remittance group by all)
        join (select claim_id, count(*) as sent from medical_claim_line group by 1) using (claim_id)
            where lines <> sent""")
        == 0
    )


def test_a_reversal_nets_to_zero_when_added_to_what_it_reverses(invented):
    sums = invented.rows("""
        select count(*), count(*) filter (a.charge_amount + b.charge_amount <> 0 or a.paid_amount + b.paid_amount <> 0
               or a.allowed_amount + b.allowed_amount <> 0 or a.deductible_amount + b.deductible_amount <> 0)
        from remittance a join remittance b using (claim_id, claim_line_number)
        where a.claim_status_code = '22' and b.adjudication_number = a.adjudication_number - 1""")[0]
    assert sums[0] > 50
    assert sums[1] == 0
    assert invented.one("select count(*) from remittance where paid_amount < 0 and claim_status_code <> '22'") == 0


def test_a_denial_has_a_reason_when_nothing_is_paid(invented):
    assert (
        invented.one("""
        select count(*) from remittance r where allowed_amount = 0 and adjudication_number = 1
            and claim_status_code <> '2' and not exists (
            from remittance_adjustment a where a.claim_id = r.claim_id and a.claim_line_number = r.claim_line_number
            and a.adjudication_number = 1 and a.carc_code not in ('45', '1', '2', '3', '23'))""")
        == 0
    )


def test_a_remittance_is_one_payer_and_one_day_when_paid(invented):
    mixed = invented.one("""select count(*) from (
        select remittance_id from remittance group by 1 having count(distinct (payer_id, paid_date)) > 1)""")
    assert mixed == 0
    assert (
        invented.one("""select max(days)
        from (select payer_id, count(distinct dayofweek(paid_date)) as days from remittance group by 1)""")
        == 1
    )


def test_a_corrected_claim_names_its_original_when_it_replaces_one(invented):
    assert (
        invented.one("""select count(*) from medical_claim c left join medical_claim o
        on o.claim_id = c.original_claim_id
                           where c.claim_frequency_code = '7' and (o.claim_id is null
                               or o.submitted_date >= c.submitted_date)""")
        == 0
    )


def test_diagnoses_and_drugs_have_the_form_of_their_code_system_when_written(invented):
    assert (
        invented.one("""select count(*)
        from medical_claim where not regexp_full_match(diagnosis_code_1, '[A-TV-Z][0-9][0-9A-Z]{1,5}|U071')""")
        == 0
    )
    assert invented.one("select count(*) from pharmacy_fill where not regexp_full_match(ndc_code, '[0-9]{11}')") == 0
    assert (
        invented.one("""select count(*)
        from medical_claim where drg_code is not null and bill_type_code not like '11%'""")
        == 0
    )
