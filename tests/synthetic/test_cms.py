"""The CMS-like files: read by the real layouts, consistent with each other, with the causes that were put in."""

from __future__ import annotations

import csv
import filecmp
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.privacy.keys import load_key
from dagster_project.settings import Settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import LoadAudit, load_everything, place
from dagster_project.synthetic.cms import write_cms

HOSPITALS = 72
FEEDS = [
    "ipps_provider_drg",
    "ipps_geography_drg",
    "drg_weight",
    "hospital",
    "hospital_medicare_year",
    "hospital_readmission",
]


@dataclass
class World:
    settings: Settings
    written: dict[str, int]
    audits: list[LoadAudit]
    con: duckdb.DuckDBPyConnection

    def all(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    def one(self, sql: str) -> tuple[Any, ...]:
        (row,) = self.all(sql)
        return row


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    settings = Settings(home=tmp_path_factory.mktemp("home"), quiet_seconds=0)
    written = write_cms(settings.landing, seed=11, hospitals=HOSPITALS, answers=settings.answers)
    contracts = {feed: contract for feed, contract in load_contracts().items() if feed in FEEDS}
    audits = load_everything(settings, contracts, load_key(settings, environ={}))
    con = duckdb.connect()
    for feed in FEEDS:
        con.execute(
            f"create view {feed} as from read_parquet('{settings.lake}/raw/{feed}/*.parquet', union_by_name = true)"
        )
    con.execute(f"create view answers as from '{settings.answers}/cms.parquet'")
    con.execute("""
        create view capture as    -- by year, hospital and family of three, where all of its members are published
        select p.period_year, ccn, first_drg_code, kind, true_mcc_rate,
               max(p.discharge_count) filter (drg_code = first_drg_code) / sum(p.discharge_count) as seen_mcc_rate
        from ipps_provider_drg p join answers a using (period_year, ccn)
        where drg_code between first_drg_code and lpad((first_drg_code::integer + 2)::varchar, 3, '0')
          and true_severe_rate > true_mcc_rate
        group by all having count(*) = 3""")
    return World(settings, written, audits, con)


def lines(world: World, name: str, encoding: str = "utf-8") -> list[list[str]]:
    (path,) = world.settings.landing.rglob(name)
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file, delimiter="\t" if path.suffix == ".txt" else ","))


def test_every_row_is_accepted_when_the_real_layouts_read_the_files(world: World) -> None:
    accepted = {feed: sum(audit.rows_accepted for audit in world.audits if audit.feed == feed) for feed in FEEDS}
    assert accepted == {feed: world.written[feed] for feed in FEEDS}
    assert all(audit.status == "read" and audit.is_conserved and audit.rows_set_aside == 0 for audit in world.audits)
    assert {audit.data_source for audit in world.audits} == {"demo"}
    assert {audit.layout for audit in world.audits if audit.feed == "ipps_provider_drg"} == {
        "cms_ipps_provider_legacy",
        "cms_ipps_provider_service",
    }


def test_only_a_footnote_is_excluded_when_table_5_is_read(world: World) -> None:
    assert {audit.rows_excluded for audit in world.audits if audit.feed == "drg_weight"} == {1}
    assert all(audit.rows_excluded == 0 for audit in world.audits if audit.feed != "drg_weight")
    assert b"\x97" in next(world.settings.landing.rglob("table5_FY2016.txt")).read_bytes()  # a dash of cp1252
    assert world.all("select fiscal_year, count(*) from drg_weight group by 1 order by 1") == [
        (2015, 61),
        (2016, 61),
        (2023, 61),
    ]


def test_the_modern_provider_file_has_the_fifteen_columns_when_written(world: World) -> None:
    assert lines(world, "ipps_provider_drg_DY2023.csv")[0] == [
        "Rndrng_Prvdr_CCN",
        "Rndrng_Prvdr_Org_Name",
        "Rndrng_Prvdr_City",
        "Rndrng_Prvdr_St",
        "Rndrng_Prvdr_State_FIPS",
        "Rndrng_Prvdr_Zip5",
        "Rndrng_Prvdr_State_Abrvtn",
        "Rndrng_Prvdr_RUCA",
        "Rndrng_Prvdr_RUCA_Desc",
        "DRG_Cd",
        "DRG_Desc",
        "Tot_Dschrgs",
        "Avg_Submtd_Cvrd_Chrg",
        "Avg_Tot_Pymt_Amt",
        "Avg_Mdcr_Pymt_Amt",
    ]


def test_money_is_the_same_kind_of_number_when_written_with_signs_and_without(world: World) -> None:
    signed, plain = lines(world, "ipps_provider_drg_FY2015.csv"), lines(world, "ipps_provider_drg_FY2016.csv")
    assert " Total Discharges " in signed[0] and all(
        row[9].startswith("$") and row[9].endswith(" ") for row in signed[1:]
    )
    assert not any("$" in cell for row in plain for cell in row)
    assert (
        world.one("""
        select count(*) filter (average_covered_charge_amount > average_total_payment_amount),
               count(*) filter (average_total_payment_amount > average_medicare_payment_amount), count(*)
        from ipps_provider_drg""")
        == (world.written["ipps_provider_drg"],) * 3
    )
    means = dict(world.all("select period_year, avg(average_total_payment_amount) from ipps_provider_drg group by 1"))
    assert max(means.values()) / min(means.values()) < 1.25


def test_hospitals_are_the_same_when_their_ids_lost_zeros_in_old_years(world: World) -> None:
    assert any(len(row[1]) == 5 for row in lines(world, "ipps_provider_drg_FY2016.csv")[1:])
    assert world.one(
        "select min(length(ccn)), max(length(ccn)), min(length(zip_code)), max(length(zip_code)) from ipps_provider_drg"
    ) == (6, 6, 5, 5)
    assert world.one("select count(distinct ccn) from ipps_provider_drg where ccn in (select ccn from hospital)") == (
        HOSPITALS,
    )
    assert world.one("select count(distinct (ccn, zip_code, provider_name)) from ipps_provider_drg") == (HOSPITALS,)


def test_cells_under_eleven_are_missing_when_published_and_counted_in_the_nation(world: World) -> None:
    assert world.one("select min(discharge_count) from ipps_provider_drg") == (11,)
    hidden = world.all("""
        select any_value(n.discharge_count) - sum(p.discharge_count)::bigint, count(*)
        from ipps_provider_drg p
        join (from ipps_geography_drg where geography_level = 'national') n using (period_year, drg_code)
        group by period_year, drg_code""")
    assert all(0 <= stays <= 10 * (HOSPITALS - cells) for stays, cells in hidden)
    assert sum(stays for stays, _ in hidden) > 0


def test_states_add_up_to_the_nation_when_none_is_too_small(world: World) -> None:
    """DY2023 has averages of many decimals, so discharges times average gives the dollars back to the cent."""
    rows = world.all("""
        with dollars as (
            select drg_code, geography_level, count(*) as areas, sum(discharge_count)::bigint as stays,
                   sum(round(discharge_count::decimal(9, 0) * average_total_payment_amount, 2)) as payment
            from ipps_geography_drg where period_year = 2023 group by all
        )
        select s.stays - n.stays, s.payment - n.payment
        from dollars s join dollars n using (drg_code)
        where s.geography_level = 'state' and n.geography_level = 'national' and s.areas = 12""")
    assert len(rows) > 20
    assert all(stays == 0 and abs(payment) < 1 for stays, payment in rows)


def test_payment_follows_wages_and_teaching_when_weight_is_taken_out(world: World) -> None:
    wages, teaching, other = world.one("""
        with priced as (
            select h.ccn, any_value(wage_index) as wage, any_value(resident_to_bed_ratio) as residents,
                   sum(p.discharge_count * average_total_payment_amount)
                   / sum(p.discharge_count * relative_weight) as unit_price
            from ipps_provider_drg p join hospital h using (ccn)
            join drg_weight w on w.fiscal_year = period_year and w.drg_code = p.drg_code
            where h.state <> 'MD' group by 1
        )
        select corr(wage, unit_price) filter (residents = 0), avg(unit_price / wage) filter (residents > 0.2),
               avg(unit_price / wage) filter (residents = 0) from priced""")
    assert wages > 0.8
    assert teaching > 1.05 * other


def test_under_documented_families_show_fewer_severe_stays_when_planted(world: World) -> None:
    share = world.one("select count(*) filter (is_planted) / count(*) from answers")[0]
    assert 0.08 < share < 0.16
    gap = dict(world.all("select kind, avg(seen_mcc_rate - true_mcc_rate) from capture group by 1"))
    assert abs(gap["none"]) < 0.02
    assert gap["under_documented"] < -0.10
    assert world.one(
        "select min(supported_less_billed_amount) filter (is_planted) >= 0, "
        "max(abs(supported_less_billed_amount)) filter (kind = 'none') from answers"
    ) == (True, 0)


def test_teaching_hospitals_are_truly_sicker_when_compared(world: World) -> None:
    """So the severe share alone does not tell who documents: peers must be alike."""
    teaching, other = world.one("""
        select avg(true_mcc_rate) filter (resident_to_bed_ratio > 0),
               avg(true_mcc_rate) filter (resident_to_bed_ratio = 0)
        from answers join hospital using (ccn)""")
    assert teaching > other + 0.02


def test_unrated_and_unreported_stay_unknown_when_read(world: World) -> None:
    assert world.one("select count(*) > count(star_rating), count(case_mix_index) from hospital") == (True, HOSPITALS)
    reported = world.one(
        "select count(*), count(readmission_count), count(excess_readmission_ratio) from hospital_readmission"
    )
    assert reported[0] == HOSPITALS * 6 and 0 < reported[1] < reported[2] < reported[0]
    assert world.one(
        "select count(*), min(length(ccn)), count(total_medicare_payment_amount) from hospital_medicare_year"
    ) == (HOSPITALS * 3, 6, HOSPITALS * 3)


def test_the_files_are_the_same_when_the_seed_is_the_same(tmp_path: Path) -> None:
    for folder, seed in (("one", 3), ("two", 3), ("three", 4)):
        write_cms(tmp_path / folder, seed, years=(2016, 2023), hospitals=12)
    names = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*") if path.is_file()]
    assert len(names) == 11
    same = [filecmp.cmp(tmp_path / "one" / name, tmp_path / "two" / name, shallow=False) for name in names]
    assert all(same)
    other = [filecmp.cmp(tmp_path / "one" / name, tmp_path / "three" / name, shallow=False) for name in names]
    assert not any(other)


def test_more_hospitals_than_ids_are_refused_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most 948"):
        write_cms(tmp_path, 1, hospitals=949)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("period", "year", "reason"),
    [("FY2014", 2014, None), ("2014", 2014, None), (None, None, "not_in_file_name")],
    ids=["as CMS writes it", "bare", "not given"],
)
def test_the_operator_says_the_year_when_the_name_does_not(
    tmp_path: Path, period: str | None, year: int | None, reason: str | None
) -> None:
    write_cms(tmp_path / "made", 5, years=(2016,), hospitals=12)
    nameless = tmp_path / "national.csv"
    next((tmp_path / "made").rglob("ipps_national_drg_FY2016.csv")).rename(nameless)
    settings = Settings(home=tmp_path / "home", quiet_seconds=0)
    contracts = {feed: contract for feed, contract in load_contracts().items() if feed in FEEDS}
    place([nameless], settings, contracts, period=period)
    (audit,) = load_everything(settings, contracts, load_key(settings, environ={}))
    assert (audit.reason_code, audit.rows_accepted > 0) == (reason, reason is None)
    rows = duckdb.sql(f"select distinct period_year from '{settings.lake}/raw/ipps_geography_drg/*.parquet'").fetchall()
    assert rows == ([(year,)] if year else [])


def test_the_operators_word_wins_when_the_name_says_another_year(tmp_path: Path) -> None:
    write_cms(tmp_path / "made", 5, years=(2016,), hospitals=12)
    settings = Settings(home=tmp_path / "home", quiet_seconds=0)
    contracts = {feed: contract for feed, contract in load_contracts().items() if feed in FEEDS}
    place((tmp_path / "made").rglob("ipps_national_drg_FY2016.csv"), settings, contracts, period="2015")
    load_everything(settings, contracts, load_key(settings, environ={}))
    rows = duckdb.sql(f"select distinct period_year from '{settings.lake}/raw/ipps_geography_drg/*.parquet'").fetchall()
    assert rows == [(2015,)]
