"""A lake with X12 from one sender, and a way to ask it.

Belongs here: landing, loading and asking; the key of tests that make tokens. Does not: what is in the files (written.py).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.privacy.keys import TokenKey
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import LoadAudit, load_feed, prepare_lake, take_inventory

KEY = TokenKey("7", b"a secret of the tests, 32 bytes or more long")
# Where a row was read from, which differs though the rows are the same.
OF_FILES = ("load_id", "source_line_number", "source_part_number")
FEEDS = (
    "medical_claim",
    "medical_claim_line",
    "remittance",
    "remittance_adjustment",
    "provider_adjustment",
    "member",
    "eligibility",
    "eligibility_benefit",
    "claim_acknowledgement",
    "transaction_acknowledgement",
    "remittance_advice",
)


class Lake:
    """A home in which files land as sent by `payer`."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, quiet_seconds=0)
        self.contracts = {feed: contract for feed, contract in load_contracts().items() if feed in FEEDS}

    def load(self, **files: bytes) -> dict[str, LoadAudit]:
        """Audits of what the files brought, by feed."""
        folder = self.settings.landing / "medical_claim" / "source=payer"
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        prepare_lake(self.settings, self.contracts)
        take_inventory(self.settings, self.contracts)
        return {audit.feed: audit for feed in FEEDS for audit in load_feed(feed, self.settings, self.contracts, KEY)}

    def rows(self, feed: str, columns: str) -> list[tuple[object, ...]]:
        files = str(self.settings.lake / "raw" / feed / f"{feed}-*.parquet")
        with duckdb.connect() as con:
            return con.execute(
                f"select {columns} from read_parquet('{files}', union_by_name = true) "
                "order by load_id, source_line_number, source_part_number"
            ).fetchall()

    def holds(self, *words: str) -> bool:
        """Whether a word stands anywhere in the lake."""
        with duckdb.connect() as con:
            texts = [
                str(con.execute(f"from read_parquet('{path}')").fetchall())
                for path in self.settings.lake.rglob("*.parquet")
            ]
        return any(word in text for text in texts for word in words)

    def set_aside(self, feed: str) -> list[tuple[object, ...]]:
        files = str(self.settings.quarantine / feed / "*.parquet")
        with duckdb.connect() as con:
            return con.execute(
                f"select source_line_number, column_name, reason_code from read_parquet('{files}') order by 1"
            ).fetchall()
