"""The floor that the pipeline is held against: DuckDB alone reads every raw file, all columns, and writes the rows once.

Belongs here: reading as fast as DuckDB can, with no types, tokens, checks or counts. Does not: timing it.

python -m tests.bench.floor LANDING TARGET
"""

from __future__ import annotations

import gzip
import sys
from collections import defaultdict
from pathlib import Path

import duckdb


def main(landing: Path, target: Path) -> None:
    """One Parquet file (zstd) for each header that a feed's files have; lines that are no CSV or no UTF-8 are left out."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "4GB", "threads": 2, "temp_directory": str(target / "spill"),
    }  # fmt: skip
    with duckdb.connect(config=config) as con:
        con.execute("set preserve_insertion_order = false")
        for feed in sorted(path for path in landing.iterdir() if path.is_dir()):
            for number, (header, files) in enumerate(sorted(_by_header(feed).items())):
                columns = {f"c{place}_{name}": "VARCHAR" for place, name in enumerate(header.split(","))}
                con.execute(
                    "copy (from read_csv($files, columns = $columns, header = true, auto_detect = false, delim = ',', "
                    "quote = '\"', ignore_errors = true, strict_mode = false)) "
                    f"to '{target}/{feed.name}-{number}.parquet' (format parquet, compression zstd)",
                    {"files": files, "columns": columns},
                )


def _by_header(feed: Path) -> dict[str, list[str]]:
    """A feed's files may come in several layouts. Nothing is sniffed: looking costs DuckDB more than reading."""
    found = defaultdict(list)
    for path in sorted(feed.rglob("*.csv*")):
        if path.suffix != ".ctl":
            with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
                found[file.readline().decode("utf-8-sig").strip()].append(str(path))
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
