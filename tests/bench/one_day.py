"""Takes the last day out of a landing folder, so that it can arrive as files of its own.

Belongs here: splitting landed files by day. Does not: reading by contract, measuring.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.sources.inventory import DEMO

# The column that says on which day the generator's systems would have sent a row.
DAYS = {
    "authorization": "requested_date",
    "claim_acknowledgement": "acknowledged_date",
    "eligibility": "enrollment_start_date",
    "encounter": "encounter_start_date",
    "medical_claim": "submitted_date",
    "patient_accounting": "posting_date",
    "pharmacy_fill": "paid_date",
    "provider_adjustment": "paid_date",
    "remittance": "paid_date",
    "remittance_adjustment": "paid_date",
    "remittance_advice": "paid_date",
    "scheduled_service": "booked_date",
    "work_record": "completed_at",
}
# Rows that go with a row of another file; the ledger's with the document that they post.
FOLLOWING = {
    "medical_claim_line": "{claim_id} in (select id from medical_claim_ids)",
    "encounter_diagnosis": "{encounter_id} in (select id from encounter_ids)",
    "encounter_procedure": "{encounter_id} in (select id from encounter_ids)",
    "ledger_posting": "{document_type} = 'claim' and {claim_id} in (select id from medical_claim_ids)"
    " or {document_type} = 'fill' and {claim_id} in (select id from pharmacy_fill_ids)"
    " or {transaction_id} in (select id from patient_accounting_ids)"
    " or {remittance_id} in (select id from remittance_ids)",
}
IDS = {
    "medical_claim": "claim_id", "encounter": "encounter_id", "pharmacy_fill": "claim_id",
    "patient_accounting": "transaction_id", "remittance": "remittance_id",
}  # fmt: skip


def hold_back(landing: Path, folder: Path, day: str) -> dict[str, int]:
    """Moves the rows of one day out of each file of its month into a file of the same name in a folder of its own below
    `folder` (a ledger posting names its batch by the file's name); returns rows by feed.

    Lines stay as they are, byte for byte: each is read as one text.
    """
    moved = {}
    with duckdb.connect() as con:
        for feed in [*DAYS, *FOLLOWING]:
            for path in sorted((landing / feed).glob(f"{feed}_{day[:7]}.csv*")):
                if path.suffix == ".ctl":
                    path.unlink()  # it tells of the whole month
                else:
                    moved[feed] = _split(con, path, folder / feed / f"source={DEMO}" / day / path.name, feed, day)
    return moved


def _split(con: duckdb.DuckDBPyConnection, path: Path, target: Path, feed: str, day: str) -> int:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        # Latin-1 gives every byte a letter and takes it back, whatever a line is written in.
        header, *texts = file.read().decode("latin-1").removesuffix("\n").split("\n")
    columns = header.strip().split(",")
    cells = {name: f"split_part(line, ',', {place})" for place, name in enumerate(columns, start=1)}
    condition = FOLLOWING[feed].format(**cells) if feed in FOLLOWING else f"{cells[DAYS[feed]]} like '{day}%'"
    lines = pa.table({"line": pa.array(texts, pa.string()), "place": range(len(texts))})  # noqa: F841 (DuckDB reads it by name)
    con.execute(f"create or replace table parted as select *, coalesce({condition}, false) as is_held from lines")
    if feed in IDS:
        con.execute(
            f"create or replace table {feed}_ids as select distinct {cells[IDS[feed]]} as id from parted where is_held"
        )
    held = con.execute("select line from parted where is_held order by place").fetchnumpy()["line"]
    if len(held):
        kept = con.execute("select line from parted where not is_held order by place").fetchnumpy()["line"]
        target.parent.mkdir(parents=True, exist_ok=True)
        for file, texts in ((path, kept), (target, held)):
            with opened(file, "wb") as out:
                out.write("\n".join([header, *texts, ""]).encode("latin-1"))
    return len(held)
