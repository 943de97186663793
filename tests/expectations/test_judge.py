"""A load that looks like those before it goes on; one that does not is held, and says why in counts and names only."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from dagster_project.sources.contracts import Rule
from expectations import judge
from expectations.judge import AcceptError, accept_load, judge_loads
from expectations.results import read_admission

ONE_HUNDREDFOLD = """
    select * replace (
        paid_amount * 100 as paid_amount, allowed_amount * 100 as allowed_amount,
        charge_amount * 100 as charge_amount, copayment_amount * 100 as copayment_amount
    ) from ordinary
"""
ALL_ZERO = """
    select * replace (0 as paid_amount, 0 as allowed_amount, 0 as charge_amount, 0 as copayment_amount) from ordinary
"""
SIGN_LOST = "select * replace (-paid_amount as paid_amount, 20 - paid_amount as allowed_amount) from ordinary"
MEMBER_EMPTIED = "select * replace (cast(null as varchar) as member_token) from ordinary"
NEW_COLUMN_FULL = "select *, 'x' || row_number() over () as payer_claim_control_token from ordinary"
ALL_REFUSED = "select * replace ('4' as claim_status_code) from ordinary"
LAST_YEARS = "select * replace (paid_date - 300 as paid_date, adjudicated_date - 300 as adjudicated_date) from ordinary"
UNBALANCED = "select * replace (allowed_amount + 1 as allowed_amount) from ordinary"


def failing(verdicts, load_id):
    return {result.check_name for verdict in verdicts if verdict.load_id == load_id for result in verdict.failed}


def by_load(verdicts):
    return {verdict.load_id: verdict.verdict for verdict in verdicts}


def of(verdicts, load_id, question):
    (verdict,) = [verdict for verdict in verdicts if verdict.load_id == load_id]
    (result,) = [result for result in verdict.results if result.check_name == question]
    return result


def test_every_load_is_admitted_when_months_resemble_each_other(lake, contracts):
    loads = lake.months(6)
    verdicts = judge_loads(lake.settings, contracts, "remittance")
    assert [(verdict.load_id, verdict.verdict) for verdict in verdicts] == [(load, "admitted") for load in loads]
    assert {of(verdicts, load, "rows_as_before").verdict for load in loads[:3]} == {"no_data"}
    assert {of(verdicts, load, "rows_as_before").verdict for load in loads[3:]} == {"pass"}


@pytest.mark.parametrize(
    ("bend", "question"),
    [
        pytest.param({"rows": 200}, "rows_as_before", id="half of the file is missing"),
        pytest.param({"rows": 800}, "rows_as_before", id="the file holds everything twice"),
        pytest.param({"change": ONE_HUNDREDFOLD}, "amounts_as_before", id="cents were read as dollars"),
        pytest.param({"change": ALL_ZERO}, "amounts_as_before", id="all amounts are zero"),
        pytest.param({"change": SIGN_LOST}, "signs_as_before", id="signs are turned round"),
        pytest.param({"change": MEMBER_EMPTIED}, "columns_as_full_as_before", id="a column is empty"),
        pytest.param({"change": NEW_COLUMN_FULL}, "columns_not_suddenly_full", id="a blank column is full"),
        pytest.param({"change": ALL_REFUSED}, "codes_as_before", id="everything is denied"),
        pytest.param({"change": LAST_YEARS}, "months_as_before", id="last year's rows came again"),
        pytest.param({"change": UNBALANCED}, "allowed_is_paid_and_patient", id="the amounts do not balance"),
        pytest.param({"set_aside": 172}, "set_aside_share", id="three rows of ten were set aside"),
        pytest.param({"excluded": 300}, "excluded_share_as_before", id="far more rows are excluded"),
    ],
)
def test_a_load_is_held_when(lake, contracts, bend, question):
    lake.months(5)
    bent = lake.load("2025-06", **bend)
    after = lake.load("2025-07")
    verdicts = judge_loads(lake.settings, contracts, "remittance")
    assert question in failing(verdicts, bent)
    assert of(verdicts, bent, question).verdict == "fail"
    assert by_load(verdicts)[after] == "admitted"


def test_takebacks_may_grow_for_a_year_and_are_held_to_it_afterwards(lake, contracts):
    """At 120,000 members all but the first months were held, which are interest alone, and the ledger missed the rest."""
    row = "select *, 1::bigint as adjustment_number, 'WO' as adjustment_reason_code, {} as adjustment_amount from ordinary"
    interest, takebacks = row.format("-0.90"), row.format("case when claim_status_code = '4' then 250 else -0.90 end")
    hundredfold = row.format("case when claim_status_code = '4' then 25000 else -90 end")
    rows = [400, 1600, 2000, 2800, *[3300] * 9]
    months = [f"{2024 + number // 12}-{number % 12 + 1:02d}" for number in range(len(rows))]
    for month, count in zip(months, rows, strict=True):
        change = interest if count < 2800 else takebacks
        lake.load(month, rows=count, feed="provider_adjustment", change=change)
    wrong = lake.load("2025-02", rows=3300, feed="provider_adjustment", change=hundredfold)
    verdicts = judge_loads(lake.settings, contracts, "provider_adjustment")
    assert [load for load, verdict in by_load(verdicts).items() if verdict != "admitted"] == [wrong]
    assert "amounts_as_before" in failing(verdicts, wrong)


def test_a_column_whose_filled_share_moves_of_itself_holds_no_load(lake, contracts):
    suite = contracts["remittance"].suite.model_copy(update={"fill_varies": ["member_token"]})
    varying = contracts | {"remittance": contracts["remittance"].model_copy(update={"suite": suite})}
    lake.months(5)
    emptied = lake.load("2025-06", change=MEMBER_EMPTIED)
    filled = lake.load("2025-07", change=NEW_COLUMN_FULL)
    verdicts = judge_loads(lake.settings, varying, "remittance")
    assert by_load(verdicts)[emptied] == "admitted"
    assert failing(verdicts, filled) == {"columns_not_suddenly_full"}, "other columns are compared as before"


def test_the_first_load_is_held_when_all_its_amounts_are_zero(lake, contracts):
    load = lake.load("2025-01", change=ALL_ZERO)
    assert failing(judge_loads(lake.settings, contracts, "remittance"), load) == {"amounts_not_all_zero"}


def test_a_held_load_is_no_measure_for_later_ones_when_all_are_judged_at_once(lake, contracts):
    """Ten doubled files in a row must not become the new normal: the median would follow them."""
    lake.months(4)
    doubled = lake.months(6, first="2025-05", rows=800)
    after = lake.load("2025-11")
    verdicts = by_load(judge_loads(lake.settings, contracts, "remittance"))
    assert {verdicts[load] for load in doubled} == {"held"}
    assert verdicts[after] == "admitted"


def test_verdicts_are_the_same_when_files_arrive_one_by_one(lake, contracts):
    one_by_one = {}
    for month, options in [
        ("2025-01", {}),
        ("2025-02", {}),
        ("2025-03", {}),
        ("2025-04", {"rows": 900}),
        ("2025-05", {"rows": 900}),
        ("2025-06", {}),
    ]:
        lake.load(month, **options)
        one_by_one |= by_load(judge_loads(lake.settings, contracts, "remittance"))
    for path in (lake.settings.lake / "admissions").glob("*-demo-*.parquet"):
        path.unlink()
    assert by_load(judge_loads(lake.settings, contracts, "remittance")) == one_by_one
    assert sorted(one_by_one.values()) == ["admitted"] * 4 + ["held"] * 2


def test_nothing_is_judged_twice_when_no_load_is_new(lake, contracts):
    lake.months(2)
    assert len(judge_loads(lake.settings, contracts, "remittance")) == 2
    files = {path: path.stat().st_mtime_ns for path in lake.settings.lake.rglob("*.parquet")}
    assert judge_loads(lake.settings, contracts, "remittance") == []
    assert {path: path.stat().st_mtime_ns for path in lake.settings.lake.rglob("*.parquet")} == files


def test_a_load_is_not_judged_when_it_is_not_conserved_or_could_not_be_read(lake, contracts):
    lake.load("2025-01", is_conserved=False)
    lake.load("2025-02", status="set_aside")
    assert judge_loads(lake.settings, contracts, "remittance") == []


def test_senders_are_not_measured_by_each_other(lake, contracts):
    lake.months(5)
    other = lake.load("2025-06", sender="other", rows=150)
    assert by_load(judge_loads(lake.settings, contracts, "remittance"))[other] == "admitted"


def test_a_small_file_is_not_held_for_a_few_bad_rows_but_is_when_nothing_else_is_left(lake, contracts):
    few = lake.load("2025-01", rows=10, set_aside=3)
    nothing_left = lake.load("2025-02", rows=0, set_aside=3)
    verdicts = judge_loads(lake.settings, contracts, "remittance")
    assert by_load(verdicts)[few] == "admitted"
    assert failing(verdicts, nothing_left) == {"set_aside_share"}


def test_an_empty_file_has_no_data_rather_than_a_pass(lake, contracts):
    empty = lake.load("2025-01", rows=0)
    verdicts = judge_loads(lake.settings, contracts, "remittance")
    assert {result.verdict for verdict in verdicts for result in verdict.results} == {"no_data"}
    assert by_load(verdicts)[empty] == "admitted"


def test_an_empty_file_is_held_when_months_before_it_were_full(lake, contracts):
    lake.months(4)
    empty = lake.load("2025-05", rows=0)
    assert "rows_as_before" in failing(judge_loads(lake.settings, contracts, "remittance"), empty)


@pytest.mark.parametrize("sql", ["no_such_column > 0", "cast(payer_id as integer) > 0", "paid_amount >"])
def test_a_rule_that_cannot_be_run_is_an_error_and_holds(lake, contracts, sql):
    contract = contracts["remittance"]
    suite = contract.suite.model_copy(update={"rules": {**contract.suite.rules, "odd": Rule(holds=sql)}})
    load = lake.load("2025-01")
    verdicts = judge_loads(lake.settings, {"remittance": contract.model_copy(update={"suite": suite})}, "remittance")
    assert of(verdicts, load, "odd").verdict == "error"
    assert of(verdicts, load, "allowed_is_paid_and_patient").verdict == "pass"
    assert by_load(verdicts)[load] == "held"


AGREED = "select {month}::date as effective_from_date, 10.0 as unit_amount from range({rows})"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("select *, 0.5 as charge_rate from ordinary", "a_row_has_one_price"),
        ("select effective_from_date from ordinary", "a_row_has_one_price"),
        ("select *, effective_from_date - 1 as effective_to_date from ordinary", "a_price_ends_after_it_begins"),
    ],
)
def test_a_contract_waits_when_a_row_says_two_prices_or_none_or_ends_before_it_begins(lake, contracts, change, rule):
    good = lake.load("2025-01", feed="contracted_rate", base=AGREED)
    bent = lake.load("2025-02", feed="contracted_rate", base=AGREED, change=change)
    verdicts = judge_loads(lake.settings, contracts, "contracted_rate")
    assert by_load(verdicts) == {good: "admitted", bent: "held"}
    assert rule in failing(verdicts, bent)


def test_a_rule_has_no_data_when_it_is_about_other_layouts(lake, contracts):
    load = lake.load(
        "2025-01", feed="medical_claim", layout="synthea", base="select {month} as claim_token from range({rows})"
    )
    result = of(judge_loads(lake.settings, contracts, "medical_claim"), load, "a_submitted_claim_has_a_submission_date")
    assert result.verdict == "no_data"


def test_an_exception_in_great_expectations_is_an_error_not_a_failure_of_the_data(lake, contracts, monkeypatch):
    """A missing column makes every value of it 'unsuccessful': read as data, it would blame the sender."""
    load = lake.load("2025-01")
    build = judge.frames.build

    def without_ratio(*given):
        return {name: frame.drop(columns="rows_ratio", errors="ignore") for name, frame in build(*given).items()}

    monkeypatch.setattr(judge.frames, "build", without_ratio)
    verdicts = judge_loads(lake.settings, contracts, "remittance")
    result = of(verdicts, load, "rows_as_before")
    assert (result.verdict, result.failed_count) == ("error", 0)
    assert by_load(verdicts)[load] == "held"


def test_a_held_load_goes_on_when_a_named_person_accepts_it(lake, contracts):
    load = lake.load("2025-01", change=ALL_ZERO)
    judge_loads(lake.settings, contracts, "remittance")
    accept_load(lake.settings, load, "A. Person", "capitated: nothing is paid per claim")
    admission = read_admission(lake.settings, load)
    assert (admission.verdict, admission.accepted_by, admission.failed_expectation_count) == (
        "accepted",
        "A. Person",
        1,
    )
    assert judge_loads(lake.settings, contracts, "remittance", again=True) == []


@pytest.mark.parametrize(("by", "reason"), [("", "a reason"), ("A. Person", " "), ("  ", "")])
def test_acceptance_is_refused_without_a_name_and_a_reason(lake, contracts, by, reason):
    load = lake.load("2025-01", change=ALL_ZERO)
    judge_loads(lake.settings, contracts, "remittance")
    with pytest.raises(AcceptError, match="named person"):
        accept_load(lake.settings, load, by, reason)
    assert read_admission(lake.settings, load).verdict == "held"


def test_acceptance_is_refused_when_the_load_is_not_held(lake, contracts):
    load = lake.load("2025-01")
    with pytest.raises(AcceptError, match="has not been judged"):
        accept_load(lake.settings, load, "A. Person", "a reason")
    judge_loads(lake.settings, contracts, "remittance")
    with pytest.raises(AcceptError, match="is admitted"):
        accept_load(lake.settings, load, "A. Person", "a reason")


def test_a_held_load_is_judged_again_when_asked_after_its_limits_changed(lake, contracts):
    load = lake.load("2025-01", set_aside=172)
    assert by_load(judge_loads(lake.settings, contracts, "remittance")) == {load: "held"}
    contract = contracts["remittance"]
    wider = contract.model_copy(update={"suite": contract.suite.model_copy(update={"set_aside_share_max": 0.5})})
    assert by_load(judge_loads(lake.settings, {"remittance": wider}, "remittance", again=True)) == {load: "admitted"}


def test_results_are_written_with_their_load_and_run(lake, contracts):
    load = lake.load("2025-01", set_aside=172)
    verdicts = judge_loads(lake.settings, contracts, "remittance", run_id="run/1")
    written = pq.read_table(lake.settings.lake / "quality").to_pylist()
    (row,) = [row for row in written if row["verdict"] == "fail"]
    assert (row["run_id"], row["load_id"], row["data_source"], row["check_name"]) == (
        "run/1",
        load,
        "demo",
        "set_aside_share",
    )
    assert (row["checker"], row["asset"], row["is_blocking"]) == ("great_expectations", "raw/remittance", True)
    assert len(written) == len(verdicts[0].results)


def test_no_result_holds_a_value_of_a_row_when_every_question_fails_or_passes(lake, contracts, capfd):
    """Great Expectations' default results carry unexpected values: rows full of one word must leave no trace of it."""
    word, number = "Qwyjibo", "73317331"
    marked = f"""
        select * replace (
            '{word}' as claim_token, '{word}' as member_token, '{word}' as payer_id, '{word}' as remittance_id,
            '{word}' as line_of_business, {number} as paid_amount, {number} as charge_amount, '22' as claim_status_code
        ) from ordinary
    """
    lake.months(5)
    bent = lake.load("2025-06", rows=900, change=marked, set_aside=500)
    verdicts = judge_loads(lake.settings, contracts, "remittance")
    assert len(failing(verdicts, bent)) >= 4
    said = capfd.readouterr()
    results = [
        path for folder in ("quality", "admissions") for path in (lake.settings.lake / folder).rglob("*.parquet")
    ]
    texts = [str(pq.read_table(path).to_pylist()) for path in results] + [str(verdicts), said.out, said.err]
    assert len(results) > 7
    assert not [text for text in texts if word in text or number in text]
    # What is kept to compare later loads with is sums and counts: no word of a row either.
    profiles = [str(pq.read_table(path).to_pylist()) for path in (lake.settings.lake / "profiles").glob("*.parquet")]
    assert len(profiles) == 6
    assert not [text for text in profiles if word in text]
