"""X12 lands like any other file, is recognised by content, and every claim, payment and dollar of it is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import duckdb
import pytest

from dagster_project.cli.summary import of_status
from dagster_project.sources.loads import read_inventory
from dagster_project.sources.x12.count import COUNTED
from dagster_project.sources.x12.recognise import looks_like_x12
from dagster_project.sources.x12.records import RECORDS
from tests.sources.x12.lake import FEEDS, Lake
from tests.sources.x12.written import (
    ACCEPTANCE,
    ACCEPTED_AND_REJECTED,
    BILLER,
    DEPENDENT,
    ENROLLED,
    ENROLLED_CHILD,
    INSURED,
    OFFICE_VISIT,
    PAYMENT,
    PLB,
    READ_AND_UNREADABLE,
    REPLY,
    TWO,
    WHOLE_GROUP,
    acceptances,
    claims,
    enrolments,
    interchange,
    payments,
    readabilities,
    replies,
)

NOTED = ["loose_bytes", "wrong_group_count", "wrong_transaction_count"]


def test_every_record_has_a_second_count() -> None:
    assert COUNTED.keys() == RECORDS.keys()


def test_a_file_of_claims_feeds_headers_and_lines_whatever_it_is_called(lake: Lake) -> None:
    audits = lake.load(**{"from the payer": claims(TWO)})
    assert set(audits) == {"medical_claim", "medical_claim_line"}
    head, lines = audits["medical_claim"], audits["medical_claim_line"]
    assert (head.rows_read, head.rows_accepted, head.amount_accepted) == (2, 2, Decimal(160))
    assert (lines.rows_read, lines.rows_accepted, lines.amount_accepted) == (4, 4, Decimal(160))
    assert head.is_conserved and lines.is_conserved
    assert (
        lake.rows("medical_claim", "claim_type, payer_id, line_of_business, diagnosis_code_2, charge_amount")
        == [("professional", "P1", "commercial", "R05", Decimal("80.00"))] * 2
    )


def test_a_remittance_is_read_to_the_last_cent_of_its_claims(lake: Lake) -> None:
    audits = lake.load(era=payments(PAYMENT + PLB))
    paid, reasons, beside = (audits[feed] for feed in FEEDS[2:5])
    assert (paid.rows_read, paid.rows_accepted, paid.rows_excluded, paid.amount_accepted) == (3, 2, 1, Decimal(60))
    assert (reasons.rows_accepted, reasons.amount_accepted) == (4, Decimal(20))
    assert (beside.rows_accepted, beside.amount_accepted) == (2, Decimal("23.5"))
    assert paid.is_conserved and reasons.is_conserved and beside.is_conserved
    assert set(lake.rows("provider_adjustment", "claim_token")) == {(None,)}, "what a PLB refers to need not be a claim"
    assert lake.rows("remittance", "claim_line_number, allowed_amount, paid_amount, paid_date::varchar") == [
        (1, Decimal("45.00"), Decimal("40.00"), "2026-01-20"),
        (2, Decimal("30.00"), Decimal("20.00"), "2026-01-20"),
    ]


def test_no_identity_of_x12_reaches_the_lake_and_one_person_has_one_token_in_both(lake: Lake) -> None:
    lake.load(sent=claims(TWO), era=payments(PAYMENT))
    (member,) = set(lake.rows("medical_claim", "member_token"))
    assert set(lake.rows("remittance", "member_token")) == {member}
    assert set(lake.rows("remittance", "claim_token")) <= set(lake.rows("medical_claim", "claim_token"))
    assert not lake.holds("M100", "ROE", "AUTH7", "19800101")


def test_what_is_broken_is_set_aside_with_its_dollars_and_the_rest_arrives(lake: Lake) -> None:
    broken = TWO.replace("CLM*A2*80***11:B:1*Y*A*Y*Y~", "CLM*A2*80***11:B:1*Y*A*Y*Y~ZZZ*1~")
    audits = lake.load(sent=claims(broken))
    head, lines = audits["medical_claim"], audits["medical_claim_line"]
    assert (head.rows_accepted, head.rows_set_aside, head.amount_set_aside) == (1, 1, Decimal(80))
    assert (lines.rows_accepted, lines.rows_set_aside, lines.amount_set_aside) == (2, 2, Decimal(80))
    assert head.is_conserved and lines.is_conserved
    assert lake.set_aside("medical_claim") == [(22, None, "unknown_segment")]


@pytest.mark.parametrize(
    ("element", "bad", "column", "reason"),
    [
        ("CLM*A1*80*", "CLM*A1*8O*", "charge_amount", "not_a_number"),
        ("CLM*A1*80*", "CLM*A1*80.005*", "charge_amount", "too_many_decimals"),
        ("CLM*A1*80*", "CLM**80*", "claim_id", "missing"),
        ("DTP*472*D8*20260102~LX*2", "DTP*472*D8*20260230~LX*2", "claim_start_date", "not_a_date"),
    ],
)
def test_a_bad_value_sets_its_claim_aside(lake: Lake, element: str, bad: str, column: str, reason: str) -> None:
    body = TWO.replace(element, bad, 1)
    if column == "claim_start_date":
        body = body.replace("DTP*472*RD8*20260102-20260103~", "", 1)
    audits = lake.load(sent=claims(body))
    assert [place[1:] for place in lake.set_aside("medical_claim")] == [(column, reason)]
    assert audits["medical_claim"].rows_accepted == 1
    assert all(audit.is_conserved for audit in audits.values())


def test_a_payment_whose_lines_are_broken_still_sums_to_what_the_claim_was_paid(lake: Lake) -> None:
    audits = lake.load(era=payments(PAYMENT.replace("SVC*HC:99213*50*40", "SVC*HC:99213*50*4O")))
    paid = audits["remittance"]
    assert paid.amount_read == paid.raw_amount == 60 and paid.is_conserved
    assert [place[1:] for place in lake.set_aside("remittance")] == [("allowed_amount", "not_a_number")]


def test_segments_that_follow_no_claim_are_counted_and_set_aside(lake: Lake) -> None:
    audits = lake.load(era=payments("SVC*HC:99213*50*40**1~CAS*CO*45*10~" + PAYMENT))
    assert audits["remittance"].rows_set_aside == 1 and audits["remittance_adjustment"].rows_set_aside == 1
    assert audits["remittance_adjustment"].amount_set_aside == 10
    assert all(audit.is_conserved for audit in audits.values())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (payments(PAYMENT)[106:], "no_isa"),
        (claims(TWO).replace(b"ST*837*", b"ST*276*").replace(b"GS*HC*", b"GS*HR*"), "x12_not_wanted"),
        (interchange("277", "005010X212", ACCEPTED_AND_REJECTED), "x12_not_wanted"),
    ],
)
def test_x12_that_no_feed_can_read_is_set_aside_with_the_reason(lake: Lake, data: bytes, reason: str) -> None:
    audits = lake.load(sent=data)
    assert [(audit.status, audit.reason_code) for audit in audits.values()] == [("set_aside", reason)]
    assert [item.reason_code for item in read_inventory(lake.settings)] == [reason]


def test_a_transaction_that_lost_its_st_is_set_aside_and_not_overlooked(lake: Lake) -> None:
    audits = lake.load(
        sent=claims(TWO, TWO.replace("A1", "A3").replace("A2", "A4")).replace(b"ST*837*0002*005010X222A1~", b"")
    )
    head = audits["medical_claim"]
    assert (head.rows_read, head.rows_accepted, head.rows_set_aside) == (4, 2, 2) and head.is_conserved
    assert {place[2] for place in lake.set_aside("medical_claim")} == {"no_transaction"}


@pytest.mark.parametrize(
    ("head", "is_x12"),
    [
        ("ISA*00*", True),
        ("\r\nISA|00|", True),
        ("ST*835*0001~", True),
        ("GS*HC*", True),
        ("ST,NAME,ZIP\n01,A,2\n", False),
        ("ST*NAME*ZIP\n", False),
        ("ISA,GROUP\n", False),
        ("GS,ST\n", False),
    ],
)
def test_a_file_whose_first_column_is_called_like_a_segment_is_not_taken_for_x12(head: str, is_x12: bool) -> None:
    assert looks_like_x12(head) is is_x12


def test_an_acknowledgement_meets_the_claim_that_was_sent_and_no_patient_is_read(lake: Lake) -> None:
    audits = lake.load(sent=claims(TWO), answer=acceptances(ACCEPTED_AND_REJECTED))
    told = audits["claim_acknowledgement"]
    assert (told.rows_read, told.rows_accepted, told.rows_excluded, told.amount_accepted) == (6, 3, 3, 240)
    assert told.amount_excluded == 240 and told.is_conserved
    assert lake.rows("claim_acknowledgement", "status_category_code, acknowledged_date::varchar, action_code") == [
        ("A2", "2026-01-22", "WQ"), ("A7", "2026-01-22", "U"), ("A7", "2026-01-22", "U")
    ]  # fmt: skip
    assert set(lake.rows("claim_acknowledgement", "claim_token")) == set(lake.rows("medical_claim", "claim_token"))


def test_an_answer_to_an_inquiry_among_acknowledgements_is_set_aside_as_another_version(lake: Lake) -> None:
    inquiry = interchange("277", "005010X212", ACCEPTED_AND_REJECTED)
    audits = lake.load(answer=acceptances(ACCEPTED_AND_REJECTED) + inquiry)
    assert audits["claim_acknowledgement"].rows_set_aside == 6 and audits["claim_acknowledgement"].is_conserved
    assert {place[2] for place in lake.set_aside("claim_acknowledgement")} == {"other_version"}
    assert ACCEPTANCE.encode() not in inquiry


def test_answers_on_readability_are_a_row_for_each_transaction_that_was_sent(lake: Lake) -> None:
    audits = lake.load(answer=readabilities(READ_AND_UNREADABLE, WHOLE_GROUP))
    told = audits["transaction_acknowledgement"]
    assert (told.rows_read, told.rows_accepted, told.rows_excluded) == (5, 4, 1) and told.is_conserved
    assert lake.rows(
        "transaction_acknowledgement",
        "acknowledgement_id, transaction_control_number, acknowledgement_code, version, element_error_count",
    ) == [
        ("000000001-1-0001", "0001", "A", "005010X222A1", 0),
        ("000000001-1-0001", "0002", "E", "005010X222A1", 2),
        ("000000001-1-0001", "0003", "R", "005010X222A1", 0),
        ("000000001-1-0002", None, "R", "005010X222A1", None),
    ]


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (lambda data: data.replace(b"SE*4*", b"SE*9*"), "wrong_segment_count"),
        (lambda data: data.replace(b"SE*4*0001~", b"SE*4*0007~"), "wrong_control_number"),
        (lambda data: data[: data.index(b"SE*")], "cut_off"),
    ],
)
def test_a_group_whose_answers_were_lost_is_not_taken_for_answered_as_a_whole(
    lake: Lake, damaged: Callable[[bytes], bytes], reason: str
) -> None:
    audits = lake.load(answer=damaged(readabilities("AK1*HC*8*005010X222A1~AK9*A*2*2*2~")))
    assert audits["transaction_acknowledgement"].rows_accepted == 0
    assert [place[1:] for place in lake.set_aside("transaction_acknowledgement")] == [(None, reason)]


def test_statuses_of_a_claim_are_numbered_within_their_acknowledgement(lake: Lake) -> None:
    later = ACCEPTED_AND_REJECTED.replace("ACK1", "ACK2")
    audits = lake.load(answer=acceptances(ACCEPTED_AND_REJECTED, later, later.replace("*A7:", "*A3:")))
    assert lake.rows("claim_acknowledgement", "acknowledgement_id, acknowledgement_number") == [
        ("ACK1", 1), ("ACK1", 1), ("ACK1", 2),
        ("ACK2", 1), ("ACK2", 1), ("ACK2", 2), ("ACK2", 2), ("ACK2", 3), ("ACK2", 4),
    ]  # fmt: skip
    assert audits["claim_acknowledgement"].rows_set_aside == 0


def test_money_of_no_claim_is_set_aside_with_a_transaction_of_the_older_version(lake: Lake) -> None:
    older = payments(PAYMENT + "PLB*1234567893*20261231*WO:A9*25~").replace(b"005010X221A1", b"004010X091A1")
    audits = lake.load(era=older)
    assert audits["provider_adjustment"].amount_set_aside == 25 and audits["provider_adjustment"].rows_accepted == 0
    assert all(audit.rows_accepted == 0 and audit.is_conserved for audit in audits.values())


def test_a_line_and_what_was_paid_for_it_have_the_same_token_where_the_line_has_a_number_of_its_own(lake: Lake) -> None:
    sent = TWO.replace("LX*2~", "REF*6R*A1-1~LX*2~", 1)
    lake.load(sent=claims(sent), era=payments(PAYMENT.replace("CAS*CO", "REF*6R*A1-1~CAS*CO") + "REF*6R*2~"))
    ((first, second, *_), (beside, *paid)) = (
        [token for (token,) in lake.rows(feed, "line_control_token")]
        for feed in ("medical_claim_line", "remittance_adjustment")
    )
    assert {beside, *paid} == {first, second} and first != second
    assert [token for (token,) in lake.rows("remittance", "line_control_token")] == [first, second]


def test_a_person_is_the_same_in_flat_files_enrolments_claims_payments_and_replies(lake: Lake) -> None:
    lake.load(
        flat=b"member_id,birth_date,sex\nM100,1980-01-01,female\n",
        enrolled=enrolments(ENROLLED + ENROLLED_CHILD),
        sent=claims(BILLER + INSURED + OFFICE_VISIT + DEPENDENT + OFFICE_VISIT.replace("A1", "A2")),
        era=payments(PAYMENT),
        reply=replies(REPLY),
    )
    insured, child = ([row[0]] for row in lake.rows("medical_claim", "member_token"))
    people = {token for (token,) in lake.rows("member", "member_token")}
    assert people == {*insured, *child} and len(people) == 2
    for feed in ("eligibility", "eligibility_benefit"):
        assert {token for (token,) in lake.rows(feed, "member_token")} == people
        assert {token for (token,) in lake.rows(feed, "subscriber_token")} == set(insured)
    assert {token for (token,) in lake.rows("remittance", "member_token")} == set(insured)


@pytest.mark.parametrize(
    "lost",
    [
        ("NM1*IL*1*ROE*PAT****MI*M100~", "NM1*IL*1*ROE*PAT~"),
        ("DMG*D8*20150505*M~", ""),
        ("NM1*QC*1*ROE*Kim~", "NM1*QC*1*ROE~"),
    ],
)
def test_a_dependent_of_whom_half_an_id_is_known_is_nobody_and_his_claim_is_set_aside(
    lake: Lake, lost: tuple[str, str]
) -> None:
    """Without the insured's number all who were born on that day and bear that name were one person of the sender's."""
    whole = BILLER + INSURED.replace("22*0", "22*1") + DEPENDENT + OFFICE_VISIT
    assert whole.count(lost[0]) == 1
    audits = lake.load(sent=claims(whole.replace(*lost)))
    assert [place[1:] for place in lake.set_aside("medical_claim")] == [("member_id", "missing")]
    assert audits["medical_claim"].is_conserved


def test_an_enrolment_gives_people_and_spans_and_no_identity(lake: Lake) -> None:
    audits = lake.load(enrolled=enrolments(ENROLLED + ENROLLED_CHILD))
    people, spans = audits["member"], audits["eligibility"]
    assert (people.rows_accepted, spans.rows_read, spans.rows_accepted, spans.rows_excluded) == (2, 5, 2, 3)
    assert people.is_conserved and spans.is_conserved
    assert lake.rows("member", "birth_year, sex, state, zip3") == [
        (1980, "female", "PA", "171"),
        (2015, "male", None, None),
    ]
    assert lake.rows("eligibility", "plan_id, payer_id, enrollment_start_date::varchar, enrollment_end_date") == [
        ("GOLD", "654456654", "2026-01-01", None), ("GROUP1 HMO", "654456654", "2026-01-15", None)
    ]  # fmt: skip
    assert not lake.holds("M100", "ROE", "PAT", "Kim", "KIM", "ELM", "ANYTOWN", "19800101", "123456780", "7172343334")


def test_a_cancellation_ends_the_span_that_it_names_and_is_set_aside_where_it_names_none(lake: Lake) -> None:
    named = ENROLLED.replace(
        "HD*021**HMO*GOLD~DTP*348*D8*20260101~", "HD*024**HMO*GOLD~DTP*348*D8*20260101~DTP*349*D8*20260630~"
    )
    unnamed = "INS*Y*18*024*08*A***TE~REF*0F*M300~REF*1L*GROUP1~DTP*357*D8*20260630~NM1*IL*1*ROE*JO~"
    audits = lake.load(enrolled=enrolments(named + unnamed))
    assert lake.rows("eligibility", "plan_id, enrollment_end_date::varchar") == [("GOLD", "2026-06-30")]
    assert [place[1:] for place in lake.set_aside("eligibility")] == [("enrollment_start_date", "missing")]
    assert audits["eligibility"].is_conserved


def test_who_leaves_without_a_word_on_his_coverages_opens_no_span(lake: Lake) -> None:
    """His days of eligibility (DTP 356 and 357) are of no plan: they once made a span of the policy's number."""
    leaves = "INS*Y*18*024*08*A***TE~REF*0F*M300~REF*1L*GROUP1~DTP*356*D8*20250101~DTP*357*D8*20260630~NM1*IL*1*ROE*JO~"
    audits = lake.load(enrolled=enrolments(ENROLLED + leaves))
    assert lake.rows("eligibility", "plan_id, enrollment_end_date") == [("GOLD", None)]
    assert [place[1:] for place in lake.set_aside("eligibility")] == [("enrollment_start_date", "missing")]
    assert audits["eligibility"].is_conserved


def test_a_reply_gives_its_benefits_and_none_of_its_words(lake: Lake) -> None:
    told = lake.load(reply=replies(REPLY))["eligibility_benefit"]
    assert (told.rows_accepted, told.amount_accepted) == (3, 25) and told.is_conserved
    assert lake.rows("eligibility_benefit", "benefit_information_code, benefit_rate::float, is_authorization_needed") == [
        ("1", None, None), ("B", None, False), ("A", pytest.approx(0.2), None)
    ]  # fmt: skip
    assert not lake.holds("M100", "ROE", "PAT", "Kim", "ELM", "Q1")


def test_what_is_wrong_around_the_claims_of_a_file_is_told_and_takes_no_claim_away(lake: Lake) -> None:
    broken = claims(TWO).replace(b"GE*1*1~IEA*1*", b"GE*2*1~IEA*3*") + b"-- end of batch"
    audits = lake.load(sent=broken, whole=claims(TWO.replace("A1", "A3").replace("A2", "A4")))
    assert all(audit.rows_set_aside == 0 and audit.is_conserved for audit in audits.values())
    assert len(lake.rows("medical_claim", "claim_token")) == 4
    with duckdb.connect() as con:
        outcomes = f"read_parquet('{lake.settings.lake}/load_outcomes/*.parquet')"
        told = con.execute(
            f"select reason_code, row_count, amount from {outcomes} where outcome = 'noted' order by all"
        )
        assert told.fetchall() == [(note, 0, 0) for note in NOTED]
    assert of_status(lake.settings).noted_files == [{"file_name": "medical_claim/source=payer/sent", "notes": NOTED}]


def test_a_file_without_claims_that_ends_early_is_not_passed_over(lake: Lake) -> None:
    lake.load(sent=claims("").split(b"SE*")[0])
    assert of_status(lake.settings).noted_files[0]["notes"] == [
        "group_not_closed", "interchange_not_closed", "transaction_not_closed"
    ]  # fmt: skip


def test_of_a_remittance_that_counts_wrongly_what_balances_arrives_and_its_money_is_accounted_for(lake: Lake) -> None:
    other = PAYMENT.replace("A1", "A2").replace("CAS*PR*3*10~", "CAS*PR*3*9~")
    audits = lake.load(era=payments(PAYMENT + other, counted=-1))
    paid = audits["remittance"]
    assert (paid.rows_accepted, paid.rows_set_aside, paid.rows_excluded) == (2, 3, 1)
    assert (paid.amount_accepted, paid.amount_set_aside) == (60, 60)
    assert all(audit.is_conserved for audit in audits.values())
    assert {place[2] for place in lake.set_aside("remittance")} == {"wrong_segment_count"}


def test_what_is_set_aside_is_found_by_its_interchange_transaction_and_segment(lake: Lake) -> None:
    broken = TWO.replace("CLM*A2*80*", "CLM*A2*8O*")
    lake.load(
        sent=claims(TWO.replace("A1", "A3").replace("A2", "A4"))
        + claims(TWO.replace("A1", "A5"), broken.replace("A1", "A6"))
    )
    with duckdb.connect() as con:
        files = f"read_parquet('{lake.settings.quarantine}/medical_claim/*.parquet')"
        columns = "interchange_number, transaction_number, source_line_number, column_name, reason_code"
        told = con.execute(f"select {columns} from {files}").fetchall()
    data = (lake.settings.landing / "medical_claim/source=payer/sent").read_bytes()
    number = data[: data.index(b"CLM*A2*8O")].count(b"~") + 1
    assert told == [(2, 3, number, "charge_amount", "not_a_number")]


def test_what_is_noted_of_a_file_is_told_once_whatever_else_the_file_holds(lake: Lake) -> None:
    silent = acceptances(ACCEPTED_AND_REJECTED.replace("STC*A2:20:PR*20260122*WQ*80~", ""))
    lake.load(mixed=payments(PAYMENT) + silent + b"IEA*1*000000001~")
    with duckdb.connect() as con:
        outcomes = f"read_parquet('{lake.settings.lake}/load_outcomes/*.parquet')"
        told = con.execute(f"select feed, reason_code from {outcomes} where outcome = 'noted'").fetchall()
    assert sorted(told) == [("claim_acknowledgement", "claim_without_status"), ("remittance_advice", "loose_segments")]
