"""Damage in known amounts: rows that a reader must set aside, added beside the true ones, never instead of them.

Belongs here: which damage which feed's files get, how much, and damage to whole files. Does not: the true rows.
Each damaged row is a copy of a true row; all but exact duplicates get a key of their own, so that nothing true is lost.
"""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class FeedDirt:
    """How one feed is damaged: kind → column and the text put there; amounts are rows per thousand of a file."""

    key: str
    broken: dict[str, tuple[str, str]] = field(default_factory=dict)
    duplicates_per_thousand: float = 1.0
    broken_per_thousand: float = 0.7
    wrong_field_count: int = 0  # lines appended to every third file
    least_rows: int = 400  # smaller files stay clean, so that no file loses more than 3 % of its rows


BAD_DATE = "2025-02-30"
DIRT: dict[str, FeedDirt] = {
    "medical_claim": FeedDirt(
        "claim_id",
        {
            "broken_amount": ("charge_amount", "12,34.5.6"),
            "impossible_date": ("claim_start_date", BAD_DATE),
            "missing_required": ("member_id", ""),
            "unknown_code": ("claim_type", "veterinary"),
        },
        wrong_field_count=2,
    ),
    "medical_claim_line": FeedDirt(
        "claim_id",
        {
            "broken_amount": ("charge_amount", "n/a"),
            "impossible_date": ("claim_line_start_date", "2024-13-01"),
            "missing_required": ("claim_line_number", ""),
        },
        broken_per_thousand=0.4,
        wrong_field_count=2,
    ),
    # its control totals must hold, so nothing here hides an amount or a field
    "remittance": FeedDirt(
        "claim_id",
        {
            "impossible_date": ("paid_date", "2025-06-31"),
            "missing_required": ("remittance_id", ""),
            "unknown_code": ("claim_status_code", "99"),
        },
        broken_per_thousand=0.3,
    ),
    "remittance_adjustment": FeedDirt(
        "claim_id",
        {"broken_amount": ("adjustment_amount", "1O.00"), "unknown_code": ("adjustment_group_code", "XX")},
        broken_per_thousand=0.3,
    ),
    "encounter": FeedDirt(
        "encounter_id",
        {
            "impossible_date": ("encounter_start_date", "20250229"),
            "missing_required": ("encounter_type", ""),
            "unknown_code": ("encounter_status", "vanished"),
        },
    ),
    "encounter_diagnosis": FeedDirt(
        "encounter_id", {"missing_required": ("diagnosis_code", "")}, broken_per_thousand=0.5
    ),
    "pharmacy_fill": FeedDirt(
        "claim_id",
        {
            "broken_amount": ("paid_amount", "$--"),
            "impossible_date": ("dispensing_date", "31/31/2025"),
            "missing_required": ("payer_id", ""),
        },
        wrong_field_count=2,
    ),
    "patient_accounting": FeedDirt(
        "transaction_id",
        {"broken_amount": ("transaction_amount", "twelve"), "unknown_code": ("transaction_type", "barter")},
    ),
    "work_record": FeedDirt(
        "work_record_id",
        {"impossible_date": ("received_at", "2025-02-30 25:61:00"), "missing_required": ("coder_id", "")},
    ),
    "eligibility": FeedDirt(
        "member_id",
        {"impossible_date": ("enrollment_start_date", "0000-00-00"), "unknown_code": ("coverage_rank", "third")},
    ),
    "member": FeedDirt("member_id", {"impossible_date": ("birth_date", "1899-02-31")}),
    "scheduled_service": FeedDirt("scheduled_service_id", {"missing_required": ("service_status", "")}),
}


def dirt_sql(feed: str, columns: list[str]) -> str:
    """Damaged rows of all files of a feed, from w_file: the row they follow (`rn`), `dirt_number`, `dirt_kind`, text.

    w_file has the feed's columns, `month_number`, `rn` (place of the row in its file) and `file_rows`.
    """
    plan = DIRT[feed]
    damages = [("duplicate_row", plan.duplicates_per_thousand)]
    damages += [(kind, plan.broken_per_thousand) for kind in plan.broken]
    kinds = ", ".join(f"({number}, '{kind}', {share})" for number, (kind, share) in enumerate(damages, start=1))
    # an exact duplicate (number 1) keeps everything, its key included
    texts = {name: f"t.{name}::varchar" for name in columns}
    damaged_key = f"'DIRT-' || t.{plan.key} || '-' || dirt_number"
    texts[plan.key] = f"case when dirt_number = 1 then t.{plan.key} else {damaged_key} end"
    for number, (column, text) in enumerate(plan.broken.values(), start=2):
        texts[column] = f"case when dirt_number = {number} then '{text}' else {texts[column]} end"
    picked = ", ".join(f"{text} as {name}" for name, text in texts.items())
    # places are drawn from the lengths of the files alone, so that the rows are read once for all kinds
    return f"""
        with places as (
            select distinct month_number, dirt_number, dirt_kind,
                   1 + pick('dirt-{feed}-' || dirt_kind, month_number * 100000 + copy, file_rows) as place
            from (select month_number, count(*) as file_rows from w_file group by 1) files,
                 (values {kinds}) kinds(dirt_number, dirt_kind, share), range(1000) copies(copy)
            where file_rows >= {plan.least_rows} and copy < greatest(1, round(file_rows * share / 1000))
        )
        select t.month_number, t.rn, dirt_number, dirt_kind, {picked}
        from w_file t join places on places.month_number = t.month_number and places.place = t.rn"""


def append_short_lines(path: Path, count: int) -> None:
    """Adds lines with too few and too many fields, in turn, at the end of a file."""
    with path.open("ab") as stream:
        for number in range(count):
            stream.write(b"TRUNCATED-LINE,field\n" if number % 2 == 0 else b"LONG-LINE" + b",field" * 90 + b"\n")


def to_windows_lines(path: Path) -> None:
    """Rewrites a file with CR LF at the end of its lines, in blocks."""
    other = path.with_suffix(".crlf")
    with path.open("rb") as source, other.open("wb") as target:
        for block in iter(lambda: source.read(1 << 20), b""):
            target.write(block.replace(b"\n", b"\r\n"))
    other.replace(path)


def to_mixed_encoding(path: Path) -> None:
    """A byte-order mark, and cp1252 instead of UTF-8 in every other line with accents, as in a real file."""
    lines = path.read_bytes().split(b"\n")
    accented = [number for number, line in enumerate(lines) if any(byte > 127 for byte in line)]
    for number in accented[::2]:
        lines[number] = lines[number].decode("utf-8").encode("cp1252", errors="replace")
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines))


def to_gzip(path: Path) -> Path:
    """Compresses a file in place of itself; no time and no name inside, so that the same seed gives the same bytes."""
    packed = path.with_name(path.name + ".gz")
    with path.open("rb") as source, packed.open("wb") as raw, gzip.GzipFile("", "wb", 4, raw, mtime=0) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    path.unlink()
    return packed
