"""The models of DRG payment between warehouse and lake: what they read, when they need not be asked again, what is written.

Belongs here: reading features, fingerprints, rounding to decimals, Parquet. Does not: models (ml/opportunity), plots in
metadata (resources/opportunity_shown), which assets there are (defs/).

Estimates are floating point until here, and are rounded to the decimals of sources/derived/opportunity on being written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.database import literal, open_warehouse
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.sources.derived import SOURCES, derived_folder, derived_schema
from dagster_project.sources.lake import write_atomically
from ml.opportunity.answers import Period, answers_of, back_tests_of, scores_of_later
from ml.opportunity.features import HOSPITALS, PAYMENTS, SEVERITY

SOURCE = "opportunity"
OF_A_YEAR = ("drg_expected_payment", "drg_expected_severity", "drg_model_score", "drg_model_calibration")
OF_PAIRS = ("drg_later_score", "drg_back_test")
PAIRS = "pairs"
# The asset whose partitions are the years.
ONE_YEAR = "drg_year"
# CMS's layouts know the years 2011 to 2030 (contracts ipps_provider_drg, ipps_geography_drg).
YEARS = tuple(str(year) for year in range(2011, 2031))
_FINGERPRINT = b"claimhouse.fingerprint"


@dataclass(frozen=True)
class Written:
    """What an asset did: rows by table and name of file (a year, or pairs), and which of these were kept as they were."""

    rows: dict[str, dict[str, int]]
    kept: tuple[str, ...]

    @property
    def answered(self) -> tuple[str, ...]:
        """Names of the files that this made anew, in order."""
        return tuple(sorted({name for files in self.rows.values() for name in files} - {*self.kept}))

    def row_count(self, table: str) -> int:
        return sum(self.rows.get(table, {}).values())


def answer_years(settings: Settings, years: Sequence[str]) -> Written:
    """Asks the models about each year that has payments, and writes the tables OF_A_YEAR, a file for each.

    A year whose rows and code are those of its last answer is kept. One without payments has no file.
    Raises NotReadable where the warehouse cannot be opened.
    """
    rows: dict[str, dict[str, int]] = {table: {} for table in OF_A_YEAR}
    kept = []
    with open_warehouse(settings) as con:
        for year in years:
            seen = _fingerprint(con, f"fiscal_year = {int(year)}")
            if seen is None:
                _forget(settings, OF_A_YEAR, year)
                continue
            if _is_answered(settings, OF_A_YEAR, year, seen):
                kept.append(year)
            else:
                _write(settings, OF_A_YEAR, year, _answers_of_year(con, int(year)), seen)
            for table in OF_A_YEAR:
                rows[table][year] = _row_count(settings, table, year)
    return Written(rows, tuple(kept))


def answer_pairs(settings: Settings) -> Written:
    """Holds each year of a source against the one before it, and writes the tables OF_PAIRS. Reads what the models expected
    from the lake. Kept where all years' rows and code are those of the last answer."""
    with open_warehouse(settings) as con:
        seen = _fingerprint(con, "true") or "none"
        is_kept = _is_answered(settings, OF_PAIRS, PAIRS, seen)
        if not is_kept:
            _write(settings, OF_PAIRS, PAIRS, _answers_of_pairs(settings, con), seen)
    rows = {table: {PAIRS: _row_count(settings, table, PAIRS)} for table in OF_PAIRS}
    return Written(rows, (PAIRS,) if is_kept else ())


def years_at_hand(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """Source, period type and year of all payments of hospitals, in order."""
    return con.execute(
        f"select distinct data_source, period_type, fiscal_year from {PAYMENTS} order by data_source, fiscal_year, period_type"
    ).fetchall()


def read_period(con: duckdb.DuckDBPyConnection, data_source: str, period_type: str, year: int) -> Period:
    """Features and cells of one source and year, in the order of their keys so that answers do not depend on it."""

    def rows(relation: str, columns: str, order: str) -> pd.DataFrame:
        return con.execute(
            f"select {columns} from {relation} where data_source = ? and period_type = ? and fiscal_year = ? order by {order}",
            [data_source, period_type, year],
        ).df()

    return Period(
        year,
        rows(HOSPITALS.relation, ", ".join(HOSPITALS.columns), "provider_id"),
        rows(
            PAYMENTS, "provider_id, drg_code, discharge_count, payment, standardized_payment", "provider_id, drg_code"
        ),
        rows(
            SEVERITY,
            "provider_id, family_code, discharge_count, severe_discharge_count, is_whole",
            "provider_id, family_code",
        ),
    )


def answered_file(settings: Settings, table: str, name: str) -> Path:
    """Where a table's answer for a year, or for pairs, lies."""
    return derived_folder(settings, SOURCE, table) / f"{name}.parquet"


def _answers_of_year(con: duckdb.DuckDBPyConnection, year: int) -> dict[str, pd.DataFrame]:
    found: dict[str, list[pd.DataFrame]] = {table: [] for table in OF_A_YEAR}
    for data_source, period_type, its_year in years_at_hand(con):
        if its_year == year:
            answers = answers_of(read_period(con, data_source, period_type, year))
            frames = (answers.expected_payment, answers.expected_severity, answers.scores, answers.calibration)
            for table, frame in zip(OF_A_YEAR, frames, strict=True):
                found[table].append(frame.assign(data_source=data_source, period_type=period_type, fiscal_year=year))
    return {table: pd.concat(frames) for table, frames in found.items()}


def _answers_of_pairs(settings: Settings, con: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    later_scores, back_tests = [pd.DataFrame()], [pd.DataFrame()]
    for (source, period_type, year), (_, later_type, later_year) in _pairs(years_at_hand(con)):
        earlier = _with_expected(settings, con, source, period_type, year)
        later = _with_expected(settings, con, source, later_type, later_year)
        later_scores.append(
            scores_of_later(earlier, later).assign(data_source=source, period_type=later_type, fiscal_year=later_year)
        )
        back_tests.append(
            back_tests_of(earlier, later).assign(
                data_source=source, period_type=later_type, earlier_year=year, later_year=later_year
            )
        )
    return {"drg_later_score": pd.concat(later_scores), "drg_back_test": pd.concat(back_tests)}


def _pairs(periods: list[tuple[str, str, int]]) -> Iterator[tuple[tuple[str, str, int], tuple[str, str, int]]]:
    """Each period of a source and the next one of it."""
    for one, following in zip(periods, periods[1:], strict=False):
        if one[0] == following[0] and one[2] < following[2]:
            yield one, following


def _with_expected(
    settings: Settings, con: duckdb.DuckDBPyConnection, data_source: str, period_type: str, year: int
) -> Period:
    """The period, its cells with what the model expected of them; unknown where it has not been asked."""
    period = read_period(con, data_source, period_type, year)

    def expected(cells: pd.DataFrame, table: str, column: str) -> pd.DataFrame:
        by = list(cells.columns[:2])
        known = con.execute(
            f"select {', '.join(by)}, {column}::double as expected "
            f"from read_parquet({literal(str(derived_folder(settings, SOURCE, table) / '*.parquet'))}) "
            "where data_source = ? and period_type = ? and fiscal_year = ?",
            [data_source, period_type, year],
        ).df()
        return cells.merge(known, on=by, how="left")

    return replace(
        period,
        payments=expected(period.payments, "drg_expected_payment", "expected_average_payment_amount"),
        families=expected(period.families, "drg_expected_severity", "expected_severe_rate"),
    )


def _fingerprint(con: duckdb.DuckDBPyConnection, of: str) -> str | None:
    """Of the rows that the models read, and of their code; None where there is no payment."""
    parts = []
    for relation in (PAYMENTS, SEVERITY, HOSPITALS.relation):
        count, hashed = con.execute(
            f"select count(*), bit_xor(hash(features)) from {relation} as features where {of}"
        ).fetchone() or (0, 0)
        if relation == PAYMENTS and not count:
            return None
        parts += [str(count), str(hashed)]
    return hashlib.sha256("|".join([*parts, _code()]).encode()).hexdigest()


def _code() -> str:
    digest = hashlib.sha256()
    for path in [*sorted((REPOSITORY / "ml" / "opportunity").glob("*.py")), Path(__file__)]:
        digest.update(path.read_bytes())
    digest.update(repr(SOURCES[SOURCE].tables).encode())
    return digest.hexdigest()


def _is_answered(settings: Settings, tables: Sequence[str], name: str, fingerprint: str) -> bool:
    paths = [answered_file(settings, table, name) for table in tables]
    return all(
        path.exists() and (pq.read_schema(path).metadata or {}).get(_FINGERPRINT) == fingerprint.encode()
        for path in paths
    )


def _write(
    settings: Settings, tables: Sequence[str], name: str, frames: Mapping[str, pd.DataFrame], fingerprint: str
) -> None:
    """All tables of one answer; each is whole or not there, and the fingerprint tells whether they are of one making."""
    for table in tables:
        answered = as_declared(table, frames[table])
        answered = answered.replace_schema_metadata({_FINGERPRINT: fingerprint.encode()})
        write_atomically(answered, answered_file(settings, table, name))


def as_declared(table: str, frame: pd.DataFrame) -> pa.Table:
    """The frame in the columns and types of the table; what is not a number is NULL."""
    schema = derived_schema(SOURCE, table)
    if frame.empty:
        return schema.empty_table()
    columns = [_column(frame[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: pd.Series, type_: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(type_):
        floats = pa.array(values.to_numpy(dtype="float64"), from_pandas=True)
        return pc.round(floats, type_.scale).cast(type_, safe=False)
    return pa.Array.from_pandas(values, type=type_)


def _forget(settings: Settings, tables: Sequence[str], name: str) -> None:
    for table in tables:
        answered_file(settings, table, name).unlink(missing_ok=True)


def _row_count(settings: Settings, table: str, name: str) -> int:
    return int(pq.read_metadata(answered_file(settings, table, name)).num_rows)
