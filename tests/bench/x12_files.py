"""Files for the benchmark of X12: claims and remittances of an invented world, cut at so many claims.

Belongs here: making them. Does not: reading, measuring.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.interchange.claims import make_claim_parts
from dagster_project.interchange.payments import make_payment_parts
from dagster_project.interchange.segments import write_interchange
from dagster_project.synthetic import world, x12

SEED, MONTHS = 1, 24
CLAIMS_PER_MEMBER = 20  # of the world of the benchmark
CREATED = "timestamp '2026-01-01'"


# What stands before an id of a claim or a remittance in these files.
BEFORE_IDS = (b"CLM*", b"CLP*", b"TRN*1*")


def repeat_file(path: Path, target: Path, times: int) -> None:
    """The interchanges of a file so many times one after the other, each time of other claims and remittances."""
    if target.exists():
        return
    unfinished = target.with_suffix(".part")
    with unfinished.open("wb") as written:
        for copy in range(times):
            letter = b"%c" % (ord("A") + copy)
            with path.open("rb") as file:
                for lines in iter(lambda file=file: file.readlines(1 << 20), []):  # type: ignore[misc]
                    block = b"".join(lines)
                    for before in BEFORE_IDS:
                        block = block.replace(before, before + letter)
                    written.write(block)
    unfinished.replace(target)


def make_files(folder: Path, sizes: list[int]) -> None:
    """837_<claims>.x12 and 835_<claims>.x12 for each size: claims by day of sending, payments by day of payment."""
    folder.mkdir(parents=True, exist_ok=True)
    if all((folder / f"{kind}_{size}.x12").exists() for kind in (837, 835) for size in sizes):
        return
    with duckdb.connect(str(folder / "world.duckdb")) as con:
        con.execute(f"set memory_limit = '3GB'; set threads = 2; set temp_directory = '{folder}/spill'")
        members = int(max(sizes) / CLAIMS_PER_MEMBER * 1.1)
        world.build_world(con, members, SEED, MONTHS, intensity=world.BENCHMARK)
        x12.leave_unsaid(con)
        x12.select_claims(con, "is not null")
        x12.select_payments(con, "is not null")
        con.execute(
            "create temp table all_claims as from x12_claim; create temp table all_payments as from x12_payment"
        )
        for size in sizes:
            con.execute(
                f"create or replace temp table x12_claim as from all_claims order by submitted_date, claim_id limit {size}"
            )
            make_claim_parts(con, "x12_parts", "x12_claim", "x12_line", CREATED)
            write_interchange(con, folder / f"837_{size}.x12", "HC", "x12_parts", CREATED)
            con.execute(f"""
                create or replace temp table paid as
                select remittance_id, claim_id, adjudication_number from all_payments group by all
                order by min(paid_date), remittance_id, claim_id, adjudication_number limit {size};
                create or replace temp table x12_payment as
                from all_payments semi join paid using (remittance_id, claim_id, adjudication_number);
                create or replace temp view few_advices as from x12_advice semi join paid using (remittance_id);
                create or replace temp view few_adjustments as
                from x12_adjustment semi join paid using (remittance_id, claim_id, adjudication_number);
                create or replace temp view few_beside as from x12_beside semi join paid using (remittance_id)""")
            make_payment_parts(
                con, "x12_parts", "few_advices", "x12_payment", "few_adjustments", "few_beside", "x12_service"
            )
            write_interchange(con, folder / f"835_{size}.x12", "HP", "x12_parts", CREATED)
    (folder / "world.duckdb").unlink()
