"""Sets each load beside the ones admitted before it: the two small frames that the suite judges.

Belongs here: SQL that turns counts of a load and of earlier ones into shares, ratios and shifts. Does not: limits.

An earlier load is one of the same feed, sender and layout that was admitted and has rows; the twelve nearest count.
Where there are fewer than the contract's `min_history`, or too few rows for a share to mean anything, a measure is
NULL: no data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import duckdb

from dagster_project.settings import Settings
from dagster_project.sources.contracts import Contract
from dagster_project.sources.lake import record_files
from expectations.profile import profile_path
from expectations.suite import COLUMNS, LOADS, rule_measure

if TYPE_CHECKING:
    from pandas import DataFrame

NEAREST = 12
FEW_ROWS = 5


def read_loads(con: duckdb.DuckDBPyConnection, settings: Settings, feed: str, again: bool = False) -> None:
    """Table `judged_loads`: every conserved load of the feed in the order in which loads stand before each other.

    `is_candidate`: not judged yet (or held, when judging again). `is_before`: went on in an earlier run.
    """
    con.execute(
        f"""
        create or replace temp table judged_loads as
        with loads as (
            select load_id, data_source, layout, file_name, loaded_at, load_number, first_month, last_month,
                rows_read, rows_accepted, rows_set_aside, rows_excluded, {batch_month("batch_id")} as batch_month
            from {lake_table(settings, "loads", feed)} where feed = $feed and status = 'read' and is_conserved
        ),
        admissions as (select load_id, verdict from {lake_table(settings, "admissions", feed)})
        select loads.*,
            verdict is null or ($again and verdict = 'held') as is_candidate,
            coalesce(verdict in ('admitted', 'accepted'), false) as is_before,
            row_number() over (
                order by is_candidate, coalesce(batch_month, first_month) nulls first, loaded_at, file_name, load_number
            ) as position
        from loads left join admissions using (load_id)
        """,
        {"feed": feed, "again": again},
    )


def batch_month(column: str) -> str:
    """SQL of the month that a file's name ends with (…_2025-06), NULL where it names none."""
    return f"try_cast(nullif(regexp_extract({column}, '((19|20)[0-9]{{2}}-(0[1-9]|1[0-2]))$', 1), '') || '-01' as date)"


def candidates(con: duckdb.DuckDBPyConnection) -> list[str]:
    return _ids(con, "is_candidate")


def went_before(con: duckdb.DuckDBPyConnection) -> list[str]:
    return _ids(con, "is_before")


def read_profiles(con: duckdb.DuckDBPyConnection, settings: Settings, load_ids: Iterable[str]) -> None:
    """Table `counted`: the counts kept in lake/profiles/ for these loads."""
    files = [str(profile_path(settings, load_id)) for load_id in load_ids]
    con.execute("create or replace temp table counted as from read_parquet($files)", {"files": files})


def build(
    con: duckdb.DuckDBPyConnection, contract: Contract, held: Collection[str], unusable: Collection[str]
) -> dict[str, DataFrame]:
    """The frames of all candidates, each beside what went before it; loads in `held` are nobody's history.

    A rule that cannot be run has no column in the frame, so that its expectation ends in an error.
    """
    con.execute("create or replace temp table held as select unnest($held::varchar[]) as load_id", {"held": list(held)})
    con.execute(f"""
        create or replace temp table earlier as
        select judged.load_id, other.load_id as earlier_id
        from judged_loads as judged
        join judged_loads as other
            on other.position < judged.position
            and other.file_name <> judged.file_name
            and other.data_source is not distinct from judged.data_source
            and other.layout is not distinct from judged.layout
            and other.rows_read > 0
            and (other.is_before or (other.is_candidate and other.load_id not in (select load_id from held)))
        where judged.is_candidate
        qualify row_number() over (partition by judged.load_id order by other.position desc) <= {NEAREST}
    """)
    limits = {"min_history": contract.suite.min_history, "least_rows": contract.suite.least_rows}
    return {LOADS: _loads(con, contract, unusable, limits), COLUMNS: _columns(con, contract, limits)}


def _loads(
    con: duckdb.DuckDBPyConnection, contract: Contract, unusable: Collection[str], limits: dict[str, int]
) -> DataFrame:
    """One row per candidate."""
    con.execute(
        f"""
        create or replace temp table load_frame as
        with measured as (
            select judged.*,
                case when rows_read > 0 then rows_excluded / rows_read end as excluded_share,
                datediff('day', date '1970-01-01', batch_month) - middle.number as day_offset
            from judged_loads as judged
            left join counted as middle on middle.load_id = judged.load_id and middle.measure = 'middle_day'
        ),
        usual as (
            select earlier.load_id, count(*) as history_count, median(rows_read) as rows_usual,
                median(excluded_share) as excluded_usual, median(day_offset) as offset_usual
            from earlier join measured on measured.load_id = earlier.earlier_id
            group by all
        ),
        amounts as (
            select load_id, max(number) as nonzero_count
            from counted where measure = 'nonzero' and subject = $amount
            group by all
        ),
        beside as (
            select measured.*, usual.* exclude (load_id), amounts.nonzero_count,
                coalesce(history_count, 0) >= $min_history as has_history
            from measured left join usual using (load_id) left join amounts using (load_id)
            where is_candidate
        )
        select load_id, data_source, layout,
            -- A handful of bad rows in a small file is no reason to hold it, unless nothing else is left of it.
            case when rows_read > 0 then
                case when rows_set_aside < {FEW_ROWS} and rows_accepted > 0 then 0 else rows_set_aside / rows_read end
            end as set_aside_share,
            case when has_history and rows_read >= $least_rows then abs(excluded_share - excluded_usual) end
                as excluded_shift,
            case when has_history and rows_usual >= $least_rows then rows_read / rows_usual end as rows_ratio,
            case when has_history then (day_offset - offset_usual) / 30.4 end as month_shift,
            -- A layout that maps nothing to the amount sends none; that is known and no fault of the load.
            case when rows_accepted >= $least_rows and list_contains($with_amount, layout)
                then nonzero_count / rows_accepted end as nonzero_share
        from beside
        """,
        limits | {"amount": contract.amount, "with_amount": _with_amount(contract)},
    )
    rules = "".join(_rule_column(contract, rule) for rule in contract.suite.rules if rule not in unusable)
    frame = con.execute(f"""
        with broken as (
            select judged.load_id, judged.subject as rule,
                case when judged.number > 0 then broken.number / judged.number end as share
            from counted as judged join counted as broken using (load_id, subject)
            where judged.measure = 'judged' and broken.measure = 'broken'
        )
        select load_frame.* {rules} from load_frame order by load_id
    """).df()
    return _numbers(frame, but=("load_id", "data_source", "layout"))


def _with_amount(contract: Contract) -> list[str]:
    """Layouts that send the feed's amount."""
    return [name for name in contract.layouts if contract.amount in contract.layout(name).columns]


def _rule_column(contract: Contract, rule: str) -> str:
    layouts = contract.suite.rules[rule].applies_to
    applies = f" and layout in ({', '.join(repr(layout) for layout in layouts)})" if layouts else ""
    share = f"select share from broken where broken.load_id = load_frame.load_id and rule = '{rule}'{applies}"
    return f", ({share}) as {rule_measure(rule)}"


def _columns(con: duckdb.DuckDBPyConnection, contract: Contract, limits: dict[str, int]) -> DataFrame:
    """One row per candidate and column of the feed."""
    frame = con.execute(
        """
        with wide as (
            select load_id, subject,
                max(number) filter (measure = 'filled') as filled_count,
                max(number) filter (measure = 'nonzero') as nonzero_count,
                max(number) filter (measure = 'negative') as negative_count,
                cast(max(amount) filter (measure = 'size') as double) as amount_size
            from counted where measure in ('filled', 'nonzero', 'negative', 'size')
            group by all
        ),
        share as (
            select wide.*, is_candidate, rows_of.number as row_count,
                filled_count / nullif(row_count, 0) as fill_share,
                amount_size / nullif(row_count, 0) as amount_per_row,
                negative_count / nullif(nonzero_count, 0) as negative_share
            from wide
            join judged_loads using (load_id)
            join counted as rows_of on rows_of.load_id = wide.load_id and rows_of.measure = 'rows'
        ),
        usual as (
            select earlier.load_id, subject, count(*) as history_count, median(fill_share) as fill_usual,
                median(nonzero_count) as nonzero_usual, median(amount_per_row) as amount_usual,
                median(negative_share) as negative_usual
            from earlier join share on share.load_id = earlier.earlier_id
            group by all
        ),
        shares_now as (
            select load_id, subject, label,
                number / sum(number) over (partition by load_id, subject) as value_share,
                sum(number) over (partition by load_id, subject) as value_count
            from counted
            where measure = 'value' and load_id in (select load_id from judged_loads where is_candidate)
        ),
        values_before as (
            select earlier.load_id, subject, label, sum(number) as number
            from earlier join counted on counted.load_id = earlier.earlier_id and measure = 'value'
            group by all
        ),
        shares_before as (
            select load_id, subject, label,
                number / sum(number) over (partition by load_id, subject) as value_share
            from values_before
        ),
        shift as (
            -- Half the summed differences: the share of rows that would have to carry another code.
            select load_id, subject, max(value_count) as value_count,
                sum(abs(coalesce(shares_now.value_share, 0) - coalesce(shares_before.value_share, 0))) / 2
                    as value_shift
            from shares_now full join shares_before using (load_id, subject, label)
            group by all
        ),
        beside as (
            select share.*, usual.* exclude (load_id, subject), shift.* exclude (load_id, subject),
                coalesce(history_count, 0) >= $min_history as has_history,
                row_count >= $least_rows as has_rows,
                not list_contains($fill_varies, subject) as is_fill_steady
            from share left join usual using (load_id, subject) left join shift using (load_id, subject)
            where is_candidate
        )
        select load_id, subject as column_name,
            case when has_history and is_fill_steady and fill_usual * row_count >= $least_rows then fill_share / fill_usual end
                as fill_ratio,
            case when has_history and is_fill_steady and has_rows then fill_share - fill_usual end as fill_rise,
            case when has_history and has_rows and nonzero_usual >= $least_rows and amount_usual > 0
                then amount_per_row / amount_usual end as amount_ratio,
            case when has_history and nonzero_count >= $least_rows then abs(negative_share - negative_usual) end
                as negative_shift,
            case when has_history and value_count >= $least_rows then value_shift end as value_shift
        from beside order by all
        """,
        limits | {"fill_varies": contract.suite.fill_varies},
    ).df()
    return _numbers(frame, but=("load_id", "column_name"))


def _numbers(frame: DataFrame, but: tuple[str, ...]) -> DataFrame:
    """Every measure a float: a column of NULLs has no type of its own, and Decimal objects make the suite crawl."""
    return frame.astype({name: "float64" for name in frame.columns if name not in but})


def _ids(con: duckdb.DuckDBPyConnection, flag: str) -> list[str]:
    found = con.execute(f"select load_id from judged_loads where {flag} order by position").fetchall()
    return [load_id for (load_id,) in found]


def lake_table(settings: Settings, name: str, feed: str | None = None) -> str:
    """SQL that reads one of the lake's own tables; of one feed its own files alone, since a load's begins with its feed."""
    return f"read_parquet({record_files(settings, name, feed)}, union_by_name = true)"
