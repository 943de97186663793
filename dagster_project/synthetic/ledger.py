"""Writes the demonstration's finance ledger from the world's own documents, and says what it did to them.

Belongs here: how the books of a provider group and a health plan are kept, the ordinary ways in which books part from
source systems (late postings, reversals, recoupments), and the faults that a person may plant. Does not: files,
    tokens,
how the warehouse finds the causes again (dbt).
"""

from __future__ import annotations

import duckdb

ORDINARY = frozenset({"posted_in_another_month", "reversal", "recoupment"})
FAULTS = frozenset({"missing_load", "duplicate_posting", "wrong_account", "unexplained"})

# The payer that the integrated system owns; the books of the entity health_plan are this payer's.
OWN_PAYER = "HLH"

# What finance posts of one remittance file (835), and what the file says of itself: it arrives whole or not at all.
REMITTANCE_FEEDS = ("remittance", "remittance_adjustment", "provider_adjustment")
ADVICE_FEED = "remittance_advice"


def causes_of(ledger_error: bool | set[str]) -> frozenset[str]:
    """Which causes to plant: ordinary ones always, all faults with True, or exactly those of a set (for tests)."""
    if isinstance(ledger_error, bool):
        return ORDINARY | FAULTS if ledger_error else ORDINARY
    unknown = set(ledger_error) - ORDINARY - FAULTS
    if unknown:
        raise ValueError(f"unknown causes {sorted(unknown)}; known: {sorted(ORDINARY | FAULTS)}")
    return frozenset(ledger_error)


def build_ledger(
    con: duckdb.DuckDBPyConnection, seed: int, ledger_error: bool | set[str] = False
) -> list[tuple[str, str]]:
    """Makes tables `ledger_posting` (the feed) and `answer_ledger` (amount per cause: warehouse minus ledger).

    Returns the files to withhold from landing as (feed, 'YYYY-MM'); empty unless a missing load is planted.
    """
    causes = causes_of(ledger_error)
    con.execute(_DOCUMENTS, {"seed": seed, "own_payer": OWN_PAYER})
    months = [
        row[0]
        for row in con.execute(
            "select distinct strftime(document_date, '%Y-%m') as m from ledger_document "
            "where account_code = 'payer_payments' order by m"
        ).fetchall()
    ]
    withheld = _withheld_month(months) if "missing_load" in causes else None
    con.execute(
        _PLAN,
        {
            "withheld": withheld,
            "late": "posted_in_another_month" in causes,
            "reversal": "reversal" in causes,
            "recoupment": "recoupment" in causes,
        },
    )
    con.execute(_JOURNAL)
    if months:
        _plant(con, causes, _fault_month(months))
    con.execute(_ENTRIES)
    con.execute(_POSTINGS)
    con.execute(_ANSWERS)
    for table in ("ledger_document", "ledger_plan", "ledger_entry", "ledger_target", "ledger_journal"):
        con.execute(f"drop table if exists {table}")
    return [(feed, withheld) for feed in (*REMITTANCE_FEEDS, ADVICE_FEED)] if withheld else []


def _withheld_month(months: list[str]) -> str | None:
    """A month in the last year, with whole months before and after it."""
    return months[-min(len(months), 7)] if months else None


def _fault_month(months: list[str]) -> str:
    """The month after the withheld one: its faults are not hidden by a file that never came."""
    return months[-min(len(months), 6)]


def _plant(con: duckdb.DuckDBPyConnection, causes: frozenset[str], month: str) -> None:
    """Faults of single documents, all in one month and at one payer, so that several causes meet in one cell."""
    con.execute(_TARGET, {"month": month, "own_payer": OWN_PAYER})
    if "duplicate_posting" in causes:
        con.execute(_DUPLICATE)
    if "wrong_account" in causes:
        con.execute(_WRONG_ACCOUNT, ["patient_payments", "payer_payments", "patient_payments"])
        con.execute(_WRONG_ACCOUNT, ["contractual_adjustments", "denial_write_offs", "contractual_adjustments"])
    if "unexplained" in causes:
        con.execute(_WRONG_AMOUNT, ["payer_payments"])
        con.execute(_WRONG_AMOUNT, ["medical_claims_paid"])
        con.execute(_MANUAL_JOURNALS)


# One row per document and account: what finance should book, in full and in its own month.
# `roll` is one number per document and entity, so that all accounts of one document share their fate.
_DOCUMENTS = """
create or replace temp table ledger_document as
with claims as (
    select claim_id, original_claim_id, claim_frequency_code, payer_id, line_of_business, charge_amount,
        submitted_date
    from medical_claim
    where claim_status = 'submitted' and submitted_date is not null and coverage_rank is distinct from 'secondary'
),
charges as (
    select 'gross_charges' as account_code, 'charge' as document_part, claim_id, payer_id, line_of_business,
        submitted_date as document_date, submitted_date as first_date, charge_amount as amount
    from claims where claim_frequency_code is distinct from '8'
    union all
    select 'gross_charges', 'reversal', sent.claim_id, original.payer_id, original.line_of_business,
        sent.submitted_date, original.submitted_date, -original.charge_amount
    from claims as sent inner join claims as original on sent.original_claim_id = original.claim_id
    where sent.claim_frequency_code in ('7', '8')
),
remits as (
    select claim_id, adjudication_number, remittance_id, payer_id, line_of_business, paid_date,
        bool_or(claim_status_code = '22') as is_reversal, sum(paid_amount) as paid_amount
    from remittance group by all
),
first_paid as (select claim_id, min(paid_date) as first_date from remittance group by claim_id),
contractual as (
    select a.claim_id, a.adjudication_number, a.remittance_id, a.paid_date, r.payer_id, r.line_of_business,
        r.is_reversal, sum(a.adjustment_amount) as amount
    from remittance_adjustment as a
    inner join (
        select distinct claim_id, adjudication_number, remittance_id, payer_id, line_of_business, is_reversal
        from remits
    ) as r
        using (claim_id, adjudication_number, remittance_id)
    where a.adjustment_group_code = 'CO' and a.carc_code = '45' group by all
),
payers as (            -- the same payment stands in the books of who gets it and, for the owned payer, of who pays it
    select * from (values ('provider_group', 'payer_payments'), ('health_plan', 'medical_claims_paid'))
        as books(entity_code, payment_account)
),
all_documents as (
    select 'provider_group' as entity_code, account_code, document_part, 'claim' as document_type, claim_id,
        null::bigint as claim_line_number, null::bigint as adjudication_number,
        null as remittance_id, null as transaction_id, payer_id, line_of_business, document_date, first_date,
        'medical_claim' as feed, document_date as file_date,
        document_part = 'reversal' as is_reversal, amount
    from charges
    union all
    select e.entity_code, e.payment_account, 'paid', 'remittance', claim_id, null, adjudication_number, remittance_id,
        null, payer_id, line_of_business, paid_date, first_date, 'remittance', paid_date, is_reversal, paid_amount
    from remits inner join first_paid using (claim_id)
    cross join payers as e
    where e.entity_code = 'provider_group' or payer_id = $own_payer
    union all
    select 'provider_group', 'contractual_adjustments', 'contractual', 'remittance', claim_id, null,
        adjudication_number, remittance_id, null, payer_id, line_of_business, paid_date, first_date,
        'remittance_adjustment', paid_date, is_reversal, amount
    from contractual inner join first_paid using (claim_id)
    union all
    select e.entity_code, case when adjustment_reason_code = 'WO' then 'recoupments' else e.payment_account end,
        'provider_adjustment', 'provider_adjustment', claim_id, null, adjustment_number, remittance_id, null,
        payer_id, line_of_business, paid_date, paid_date, 'provider_adjustment', paid_date, false, -adjustment_amount
    from provider_adjustment
    cross join payers as e
    where adjustment_reason_code in ('WO', 'L6') and (e.entity_code = 'provider_group' or payer_id = $own_payer)
    union all
    select 'provider_group', case transaction_type when 'patient_payment' then 'patient_payments'
            when 'denial_write_off' then 'denial_write_offs' else 'refunds' end,
        transaction_type, 'transaction', claim_id, null, null, null, transaction_id,
        payer_id, line_of_business, posting_date, posting_date, 'patient_accounting', posting_date, false,
        transaction_amount
    from patient_accounting where transaction_type in ('patient_payment', 'denial_write_off', 'refund')
    union all
    select 'health_plan', 'pharmacy_paid', 'paid', 'fill', claim_id, claim_line_number, adjudication_number, null,
        null, payer_id, line_of_business, coalesce(paid_date, dispensing_date), dispensing_date, 'pharmacy_fill',
        coalesce(paid_date, dispensing_date), paid_amount < 0, paid_amount
    from pharmacy_fill where payer_id = $own_payer
)
select *, feed || '_' || strftime(file_date, '%Y-%m') as batch_id,
    hash($seed, entity_code, document_type, claim_id, claim_line_number, adjudication_number, remittance_id,
        transaction_id, document_part = 'reversal') / 18446744073709551616.0 as roll
from all_documents where amount <> 0
"""


# What finance does with each document: `cause` says why it parts from the warehouse, 'tied' where it does not.
# An 835 that never reached the warehouse is a missing load whatever finance did with it.
_PLAN = """
create or replace temp table ledger_plan as
with world as (
    select max(last_day(document_date)) as last_day from ledger_document
),
pairs as (
    select r.entity_code, r.claim_id, r.adjudication_number, r.remittance_id,
        o.adjudication_number as original_number, o.remittance_id as original_remittance_id
    from ledger_document as r
    inner join ledger_document as o
        on r.entity_code = o.entity_code and r.claim_id = o.claim_id and r.account_code = o.account_code
        and r.document_type = o.document_type and r.adjudication_number = o.adjudication_number + 1
        and r.payer_id is not distinct from o.payer_id and r.line_of_business is not distinct from o.line_of_business
    where r.document_type = 'remittance' and r.is_reversal and not o.is_reversal and $reversal and r.roll < 0.15
        and strftime(r.file_date, '%Y-%m') is distinct from $withheld
        and strftime(o.file_date, '%Y-%m') is distinct from $withheld
    group by all
    having bool_and(r.amount = -o.amount)
),
whole_pairs as (       -- every account of both documents must cancel, or netting would lose money
    select pairs.* from pairs
    inner join ledger_document as d
        on d.entity_code = pairs.entity_code and d.claim_id = pairs.claim_id and d.document_type = 'remittance'
        and d.adjudication_number in (pairs.adjudication_number, pairs.original_number)
    group by all
    having count(*) = 2 * count(distinct d.account_code) and sum(d.amount) = 0
),
netted as (            -- with its type, so that all conditions of the join below are equalities: it is hashed then
    select entity_code, 'remittance' as document_type, claim_id, adjudication_number, remittance_id from whole_pairs
    union
    select entity_code, 'remittance', claim_id, original_number, original_remittance_id from whole_pairs
),
takebacks as (         -- takebacks are few: their fates go by turns, so that a small world has each
    select *, row_number() over (partition by entity_code order by roll, claim_id, remittance_id) as takeback_number
    from ledger_document where account_code = 'recoupments'
),
numbered as (
    select * from takebacks
    union all
    select *, null from ledger_document where account_code <> 'recoupments'
),
fates as (
    select d.*,
        case
            when netted.claim_id is not null then 'netted'
            when d.is_reversal and $reversal and d.roll between 0.15 and 0.5
                and d.first_date < d.document_date then 'back_dated'
            when d.takeback_number % 5 in (1, 3) and $recoupment then 'inside_payments'
            when d.takeback_number % 5 = 2 and $recoupment
                and date_trunc('month', d.document_date) + interval 1 month <= world.last_day then 'recouped_later'
            when not d.is_reversal and d.account_code <> 'recoupments' and $late and d.roll between 0.5 and 0.75
                and d.document_date >= last_day(d.document_date) - 2
                and date_trunc('month', d.document_date) + interval 1 month <= world.last_day then 'late'
            else 'tied'
        end as fate
    from numbered as d
    cross join world
    left join netted on d.document_type = netted.document_type and d.entity_code = netted.entity_code
        and d.claim_id = netted.claim_id
        and d.adjudication_number = netted.adjudication_number and d.remittance_id = netted.remittance_id
)
select *,
    case fate when 'netted' then 'reversal' when 'back_dated' then 'reversal' when 'inside_payments' then 'recoupment'
        when 'recouped_later' then 'recoupment' when 'late' then 'posted_in_another_month' else 'tied' end as cause,
    case
        when fate = 'back_dated' then first_date
        when fate in ('late', 'recouped_later')
            then last_day(document_date) + 1 + cast(floor(roll * 20) % 5 as integer)
        else least(document_date + cast(floor(roll * 1000) % 3 as integer), last_day(document_date))
    end as posting_date,
    case
        when fate = 'inside_payments' and entity_code = 'provider_group' then 'payer_payments'
        when fate = 'inside_payments' then 'medical_claims_paid'
        else account_code
    end as posting_account_code,
    case when fate = 'netted' then 0 else 1 end as posting_count,
    amount as posting_amount,
    strftime(file_date, '%Y-%m') is not distinct from $withheld
        and feed in ('remittance', 'remittance_adjustment', 'provider_adjustment') as is_withheld
from fates
"""

# The owned payer where it paid in the month (its plan's books are hit too), and the day on which it paid most.
_TARGET = """
create or replace temp table ledger_target as
select payer_id, line_of_business, document_date, date_trunc('month', document_date) as month
from ledger_plan
where account_code = 'payer_payments' and document_type = 'remittance' and strftime(document_date, '%Y-%m') = $month
    and not is_withheld
group by all order by max(case when payer_id = $own_payer then 1 else 0 end) desc, count(*) desc, payer_id,
    line_of_business, document_date limit 1
"""

# A day's posting run is posted twice.
_DUPLICATE = """
update ledger_plan as p set posting_count = 2
from ledger_target as t
where p.payer_id = t.payer_id and p.line_of_business is not distinct from t.line_of_business
    and p.document_date = t.document_date and p.entity_code = 'provider_group' and p.document_type = 'remittance'
    and p.fate = 'tied' and not p.is_withheld
"""

# Three documents of the month and payer, from days other than the duplicated one, go to another account.
_WRONG_ACCOUNT = """
update ledger_plan as p set posting_account_code = $2, cause = 'wrong_account', fate = 'wrong_account'
from (
    select d.entity_code, d.document_type, d.claim_id, d.adjudication_number, d.remittance_id, d.transaction_id
    from ledger_plan as d inner join ledger_target as t
        on d.payer_id = t.payer_id and d.line_of_business is not distinct from t.line_of_business
        and date_trunc('month', d.document_date) = t.month and d.document_date <> t.document_date
    where d.account_code = $1 and d.fate = 'tied' and not d.is_withheld
    order by d.roll, d.claim_id, d.transaction_id limit 3
) as chosen
where p.account_code = $3 and p.entity_code = chosen.entity_code and p.document_type = chosen.document_type
    and p.claim_id is not distinct from chosen.claim_id
    and p.adjudication_number is not distinct from chosen.adjudication_number
    and p.remittance_id is not distinct from chosen.remittance_id
    and p.transaction_id is not distinct from chosen.transaction_id
"""

# Two documents are posted with another amount than the remittance says.
_WRONG_AMOUNT = """
update ledger_plan as p set posting_amount = amount + 37.50, cause = 'unexplained', fate = 'wrong_amount'
from (
    select d.entity_code, d.account_code, d.claim_id, d.adjudication_number, d.remittance_id
    from ledger_plan as d inner join ledger_target as t
        on d.payer_id = t.payer_id and d.line_of_business is not distinct from t.line_of_business
        and date_trunc('month', d.document_date) = t.month and d.document_date <> t.document_date
    where d.account_code = $1 and d.document_type = 'remittance' and d.fate = 'tied' and not d.is_withheld
        and d.claim_id not in (select claim_id from ledger_plan where is_reversal and claim_id is not null)
    order by d.roll desc, d.claim_id limit 2
) as chosen
where p.document_type = 'remittance' and p.entity_code = chosen.entity_code and p.account_code = chosen.account_code
    and p.claim_id = chosen.claim_id and p.adjudication_number = chosen.adjudication_number
    and p.remittance_id = chosen.remittance_id
"""

_JOURNAL = """
create or replace temp table ledger_journal (
    posting_date date, entity_code varchar, payer_id varchar, line_of_business varchar, account_code varchar,
    posting_amount decimal(18, 2)
)
"""

# Journals that rest on no document: one in cash, one small enough to lie within the tolerance of gross charges.
_MANUAL_JOURNALS = """
insert into ledger_journal
select cast(month as date) + 14, 'provider_group', payer_id, line_of_business, account.code, account.amount
from ledger_target cross join (values ('patient_payments', 512.25), ('gross_charges', 40.00)) as account(code, amount)
"""

_ENTRIES = """
create or replace temp table ledger_entry as
select p.posting_date, p.entity_code, p.payer_id, p.line_of_business, p.posting_account_code as account_code,
    p.document_type,
    p.claim_id, p.claim_line_number, p.adjudication_number, p.remittance_id, p.transaction_id, p.batch_id,
        p.posting_amount,
    copies.copy_number,
    case when p.is_withheld then 'missing_load' when copies.copy_number = 2 then 'duplicate_posting' else p.cause
    end as cause
from ledger_plan as p
inner join (values (1), (2)) as copies(copy_number) on copies.copy_number <= p.posting_count
"""

_POSTINGS = """
create or replace table ledger_posting as
with entries as (
    select posting_date, entity_code, payer_id, line_of_business, account_code, document_type, claim_id,
        claim_line_number,
        adjudication_number, remittance_id, transaction_id, batch_id, posting_amount, copy_number
    from ledger_entry
    union all
    select posting_date, entity_code, payer_id, line_of_business, account_code, 'batch', null, null, null, null,
        null, null,
        posting_amount, 1
    from ledger_journal
)
select
    'J' || strftime(posting_date, '%Y%m') || '-' || lpad(cast(row_number() over (
        partition by date_trunc('month', posting_date)
        order by copy_number, posting_date, entity_code, account_code, document_type, claim_id, claim_line_number,
            adjudication_number, remittance_id, transaction_id, payer_id, line_of_business, posting_amount
    ) as varchar), 8, '0') as posting_id,
    cast(posting_date as date) as posting_date, entity_code, payer_id, line_of_business, account_code,
        document_type, claim_id,
    claim_line_number, adjudication_number, remittance_id, transaction_id, batch_id,
    'posting run of ' || cast(posting_date as varchar) as posting_text,
    cast(posting_amount as decimal(18, 2)) as posting_amount
from entries
"""

# What the warehouse has and what the ledger has, of every document that parts, summed by cause.
_ANSWERS = """
create or replace table answer_ledger as
with parts as (
    select document_date as day, entity_code, payer_id, line_of_business, account_code, cause, amount
    from ledger_plan where not is_withheld
    union all
    select posting_date, entity_code, payer_id, line_of_business, account_code, cause, -posting_amount
        from ledger_entry
    union all
    select posting_date, entity_code, payer_id, line_of_business, account_code, 'unexplained', -posting_amount
        from ledger_journal
)
select cast(date_trunc('month', day) as date) as posting_month, entity_code, payer_id, line_of_business,
    account_code, cause,
    cast(sum(amount) as decimal(18, 2)) as amount
from parts
where cause <> 'tied'
group by all
having sum(amount) <> 0
order by all
"""
