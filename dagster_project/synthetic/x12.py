"""Writes what the world's providers and payers send as X12: claims sent (837), their acknowledgements (277CA) and remittances
(835), month by month.

Belongs here: which rows a file holds, and what is lost on the way because X12 has no place for it. Does not: segments
(interchange/).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.interchange.acknowledgements import make_acknowledgement_parts
from dagster_project.interchange.claims import VERSIONS, make_claim_parts
from dagster_project.interchange.payments import make_payment_parts
from dagster_project.interchange.segments import write_interchange

CLAIM_FEEDS = ("medical_claim", "medical_claim_line")
PAYMENT_FEEDS = ("remittance_advice", "remittance", "remittance_adjustment", "provider_adjustment")
ACKNOWLEDGEMENT_FEED = "claim_acknowledgement"
X12_FEEDS = (*CLAIM_FEEDS, *PAYMENT_FEEDS, ACKNOWLEDGEMENT_FEED)
FOLDER = "x12/source=demo"


@dataclass(frozen=True)
class Unsaid:
    """What a sender knows and X12 has no place for: the column, what is left of it (SQL), of which rows, and why."""

    feed: str
    column: str
    reason: str
    left: str = "null"
    of: str = "true"
    is_of_books: bool = False  # its biller keeps books by it all the same


_SENT = "submitted_date is not null"  # what still lies there is no claim of X12, and is written as a flat file
_OF_SENT = f"claim_id in (select claim_id from medical_claim where {_SENT})"
_NO_EXCHANGE = "case line_of_business when 'exchange' then 'other' else line_of_business end"
_NUMBERED_ANEW = "dense_rank() over (partition by remittance_id, claim_id order by adjudication_number)"

UNSAID = (
    Unsaid(
        "medical_claim", "original_claim_id", "a claim is replaced by the payer's number of it (REF F8)",
        of=_SENT, is_of_books=True,
    ),
    Unsaid("medical_claim", "patient_account_number", "CLM01 is the provider's number of claim and account in one", of=_SENT),
    Unsaid("medical_claim", "plan_id", "SBR03 is the number of a group or policy, which is no plan's", of=_SENT),
    Unsaid("medical_claim", "line_of_business", "no filing indicator (SBR09) says exchange", _NO_EXCHANGE, _SENT),
    Unsaid("medical_claim", "expected_amount", "what a contract lets expect is the sender's own", of=_SENT),
    Unsaid("medical_claim", "coded_date", "work of the sender's own", of=_SENT),
    Unsaid("medical_claim", "coder_id", "work of the sender's own", of=_SENT),
    Unsaid("medical_claim", "documentation_rate", "work of the sender's own", of=_SENT),
    Unsaid("medical_claim", "coding_accuracy_rate", "work of the sender's own", of=_SENT),
    Unsaid("medical_claim", "network_status", "the payer knows it, and tells it in no claim", of=_SENT),
    Unsaid("medical_claim_line", "expected_amount", "what a contract lets expect is the sender's own", of=_OF_SENT),
    Unsaid("remittance", "line_of_business", "no filing indicator (CLP06) says exchange", _NO_EXCHANGE),
    Unsaid(
        "remittance", "adjudicated_date", "one day (DTM 405) is said of all claims of a remittance",
        "(select any_value(produced_date) from remittance_advice as advice where advice.remittance_id = remittance.remittance_id)",
    ),
    Unsaid("remittance", "adjudication_number", "claims are numbered within their remittance", _NUMBERED_ANEW),
    Unsaid("remittance_adjustment", "adjudication_number", "claims are numbered within their remittance", _NUMBERED_ANEW),
    Unsaid("provider_adjustment", "line_of_business", "a PLB names no market"),
    Unsaid("provider_adjustment", "claim_id", "a PLB refers to a claim by the payer's number of it"),
)  # fmt: skip


def leave_unsaid(con: duckdb.DuckDBPyConnection, *, of_books: bool = False) -> None:
    """Takes out of the world's feeds what X12 has no place for, so that its books rest on what is sent.

    `of_books`: after the books are kept, what they rest on though no X12 says it; a flat file would.
    """
    unsaid = [item for item in UNSAID if item.is_of_books == of_books]
    for feed in dict.fromkeys(item.feed for item in unsaid):
        columns = ", ".join(
            f"case when {item.of} then {item.left} else {item.column} end as {item.column}"
            for item in unsaid
            if item.feed == feed
        )
        con.execute(f"create or replace table {feed} as select * replace ({columns}) from {feed}")


def write_x12_files(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    start: str,
    months: int,
    withheld: list[tuple[str, str]],
    progress: Callable[[str, int, int], None],
) -> dict[str, int]:
    """Every month's files. Takes out of the tables what was written, so that the rest can go another way, and counts it.

    What is left: claims that are not sent yet, or that no file holds, and what is withheld.
    """
    folder = landing / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    con.execute("""
        create or replace temp table x12_written_claim (claim_id varchar);
        create or replace temp table x12_written_advice (remittance_id varchar);
        create or replace temp table x12_written_acknowledgement (acknowledgement_id varchar)""")
    for number in range(months):
        progress("x12", number, months)
        first = f"(date '{start}' + to_months({number}))::date"
        (label,) = con.execute(f"select strftime({first}, '%Y-%m')").fetchone() or ("",)
        created = f"(last_day({first})::timestamp + interval 20 hour)"
        of_month = f"between {first} and last_day({first})"
        select_claims(con, of_month)
        if con.execute("select count(*) from x12_claim").fetchone() != (0,):
            make_claim_parts(con, "x12_parts", "x12_claim", "x12_line", created)
            write_interchange(con, folder / f"837_{label}.x12", "HC", "x12_parts", created, number + 1)
            con.execute("insert into x12_written_claim select claim_id from x12_claim")
        select_acknowledgements(con, of_month)
        if con.execute("select count(*) from x12_status").fetchone() != (0,):
            make_acknowledgement_parts(con, "x12_parts", "x12_status", created)
            write_interchange(con, folder / f"277_{label}.x12", "HN", "x12_parts", created, number + 1)
            con.execute("insert into x12_written_acknowledgement select distinct acknowledgement_id from x12_status")
        if ("remittance", label) not in withheld:
            select_payments(con, of_month)
            if con.execute("select count(*) from x12_advice").fetchone() != (0,):
                make_payment_parts(
                    con, "x12_parts", "x12_advice", "x12_payment", "x12_adjustment", "x12_beside", "x12_service"
                )
                write_interchange(con, folder / f"835_{label}.x12", "HP", "x12_parts", created, number + 1)
                con.execute("insert into x12_written_advice select remittance_id from x12_advice")
    progress("x12", months, months)
    return {feed: _take(con, feed, written) for feed, written in _WRITTEN.items()}


# What the files hold of each feed, in an order in which nothing that is asked is gone.
_OF_ADVICE = "remittance_id in (from x12_written_advice)"
_WRITTEN = {
    **dict.fromkeys(CLAIM_FEEDS, "claim_id in (from x12_written_claim)"),
    # a reason is written with its payment
    "remittance_adjustment": f"""{_OF_ADVICE} and (remittance_id, claim_id, claim_line_number, adjudication_number) in (
        select (remittance_id, claim_id, claim_line_number, adjudication_number) from remittance)""",
    **dict.fromkeys(("remittance_advice", "remittance", "provider_adjustment"), _OF_ADVICE),
    ACKNOWLEDGEMENT_FEED: "acknowledgement_id in (from x12_written_acknowledgement)",
}


def _take(con: duckdb.DuckDBPyConnection, feed: str, written: str) -> int:
    (found,) = con.execute(f"delete from {feed} where {written}").fetchone() or (0,)
    return int(found)


def select_claims(con: duckdb.DuckDBPyConnection, of_month: str) -> None:
    """x12_claim and x12_line: claims sent in a month that an 837 can hold, with names and addresses of those in them."""
    con.execute(f"""
        create or replace temp table x12_claim as
        select claim.*, coalesce(last_name, regexp_extract(patient_name, '[^ ]+$')) as last_name, first_name, address_line,
            city, state, zip_code, birth_date, sex, payer_name, biller.provider_name as billing_name,
            regexp_extract(renderer.provider_name, '([^ ,]+)(,.*)?$', 1) as rendering_name, place_of_service_code
        from medical_claim as claim
        left join (select member_id, last_name, first_name, address_line, city, state, zip_code, birth_date, sex from member)
            using (member_id)
        left join (select payer_id, payer_name from payer) using (payer_id)
        left join (select provider_id, provider_name from provider) as biller on biller.provider_id = billing_id
        left join (select provider_id, provider_name from provider) as renderer on renderer.provider_id = rendering_id
        left join (select claim_id, min(place_of_service_code) as place_of_service_code from medical_claim_line group by claim_id)
            using (claim_id)
        where submitted_date {of_month} and claim_type in ({", ".join(f"'{form}'" for form in VERSIONS)})
            and claim_id in (select claim_id from medical_claim_line);
        create or replace temp view x12_line as
        select * from medical_claim_line where claim_id in (select claim_id from x12_claim)""")


def select_acknowledgements(con: duckdb.DuckDBPyConnection, of_month: str) -> None:
    """x12_status: what was said of claims in a month, with the claim's biller, patient and days."""
    con.execute(f"""
        create or replace temp table x12_status as
        select status.*, payer_name, billing_id, provider_name as billing_name, member_id,
            coalesce(last_name, regexp_extract(patient_name, '[^ ]+$')) as last_name, first_name, claim_start_date, claim_end_date
        from claim_acknowledgement as status
        left join (
            select claim_id, billing_id, member_id, patient_name, claim_start_date, claim_end_date from medical_claim
        ) using (claim_id)
        left join (select member_id, last_name, first_name from member) using (member_id)
        left join (select payer_id, payer_name from payer) using (payer_id)
        left join (select provider_id, provider_name from provider) as biller on biller.provider_id = billing_id
        where acknowledged_date {of_month}""")


def select_payments(con: duckdb.DuckDBPyConnection, of_month: str) -> None:
    """x12_advice: remittances of a month; x12_payment, x12_adjustment, x12_beside: what is in them; x12_service: what it is
    paid for."""
    con.execute(f"""
        create or replace temp view x12_advice as
        select * from remittance_advice left join (select payer_id, payer_name from payer) using (payer_id)
        where paid_date {of_month};
        create or replace temp table x12_payment as
        select payment.*, coalesce(last_name, regexp_extract(patient_name, '[^ ]+$')) as last_name, first_name
        from remittance as payment
        left join (select member_id, last_name, first_name from member) using (member_id)
        where remittance_id in (select remittance_id from x12_advice);
        create or replace temp view x12_adjustment as
        select * from remittance_adjustment where remittance_id in (select remittance_id from x12_advice);
        create or replace temp view x12_beside as
        select * from provider_adjustment where remittance_id in (select remittance_id from x12_advice);
        create or replace temp table x12_service as
        select claim_id, claim_line_number, hcpcs_code, revenue_center_code
        from medical_claim_line where claim_id in (select claim_id from x12_payment)""")
