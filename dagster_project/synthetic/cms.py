"""CMS-like inpatient files of invented hospitals: payments by DRG in old and new layouts, weights, readmissions.

Belongs here: the causes (wages, teaching, case mix, what is documented), the files as CMS writes them, and the answers.
Does not: claims of members (the rest of synthetic/), reading. Lists are in cms_catalog.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dagster_project.synthetic import cms_catalog as catalog
from dagster_project.synthetic.draws import make_macros

FIRST_MODERN_YEAR = 2018  # data years, with new names of columns; before it fiscal years and the old names
LAST_YEAR_WITH_SIGNS = 2015  # until then dollar signs, commas and stray blanks; after it plain numbers
SMALLEST_CELL = 11  # CMS publishes no cell with fewer discharges
MOST_HOSPITALS = 79 * len(catalog.STATES)
FOOTNOTE = "MS-DRGs 998 and 999 contain cases that could not be assigned to valid MS-DRGs."


def write_cms(
    landing: Path,
    seed: int,
    years: Sequence[int] = (2015, 2016, 2023),
    hospitals: int = 120,
    answers: Path | None = None,
) -> dict[str, int]:
    """Writes the files below `landing/<feed>/source=demo/` and returns data rows by feed.

    With `answers`, also `answers/cms.parquet`: by year, hospital and DRG family, the severe share that the record
    supports, the one that was billed, and whether it was planted.
    """
    if hospitals > MOST_HOSPITALS:
        raise ValueError(f"at most {MOST_HOSPITALS} hospitals: short-stay CCNs of the states would run out")
    with duckdb.connect() as con:
        con.execute("set threads = 1")  # files are written in order; the world is small
        make_macros(con, seed)
        _make_lists(con, years)
        _make_hospitals(con, hospitals)
        _make_cells(con)
        rows: dict[str, int] = {}
        for year in years:
            _add(rows, "ipps_provider_drg", _write_providers(con, landing, year))
            _add(rows, "ipps_geography_drg", _write_geography(con, landing, year))
            _add(rows, "drg_weight", _write_weights(con, landing, year))
            _add(rows, "hospital_medicare_year", _write_summary(con, landing, year))
        _add(rows, "hospital", _write_hospitals(con, landing))
        _add(rows, "hospital_readmission", _write_readmissions(con, landing))
        if answers is not None:
            answers.mkdir(parents=True, exist_ok=True)
            con.execute(f"copy (select * from c_answer order by all) to '{answers / 'cms.parquet'}' (format parquet)")
        return rows


def _add(rows: dict[str, int], feed: str, count: int) -> None:
    rows[feed] = rows.get(feed, 0) + count


def _make_lists(con: duckdb.DuckDBPyConnection, years: Sequence[int]) -> None:
    con.execute(
        "create table c_state (i integer, state varchar, code varchar, fips varchar, state_name varchar, "
        "zip3 varchar, region varchar, lat varchar, lon varchar, wage double)"
    )
    con.executemany(
        "insert into c_state values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(number, *state) for number, state in enumerate(catalog.STATES)],
    )
    con.execute(
        "create table c_drg (drg varchar, f integer, level integer, levels integer, mdc varchar, kind varchar, "
        "title varchar, title_now varchar, popularity double, weight double, days double, share double)"
    )
    con.executemany("insert into c_drg values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", catalog.drg_rows())
    con.execute("create table c_ruca (i integer, ruca varchar, ruca_text varchar)")
    con.executemany(
        "insert into c_ruca values (?, ?, ?)", [(number, *ruca) for number, ruca in enumerate(catalog.RUCAS)]
    )
    con.execute("create table c_measure (i integer, measure varchar, expected double)")
    con.executemany(
        "insert into c_measure values (?, ?, ?)",
        [(number, *measure) for number, measure in enumerate(catalog.READMISSION_MEASURES)],
    )
    con.execute("create table c_year (y integer)")
    con.executemany("insert into c_year values (?)", [(year,) for year in years])
    con.execute("""
    create table c_weight as
    select y, drg, d.* exclude (drg, weight),
           round(weight * (1 + 0.02 * normal('weight', y * 1000 + drg::integer)), 4) as weight
    from c_year, c_drg d""")


def _make_hospitals(con: duckdb.DuckDBPyConnection, hospitals: int) -> None:
    """Hospitals and what they are like. CCNs end in 0801 and up, which short-stay hospitals hardly reach."""
    places = "[" + ", ".join(f"'{place}'" for place in catalog.PLACES) + "]"
    kinds = "[" + ", ".join(f"'{kind}'" for kind in catalog.KINDS) + "]"
    states, place_count, kind_count = len(catalog.STATES), len(catalog.PLACES), len(catalog.KINDS)
    con.execute(f"""
    create table c_hospital as
    with drawn as (
        select h::integer as h, (h - 1) % {states} as i, ((h - 1) // {states} + 1)::integer as serial,
               ({places})[((h - 1) % {place_count} + 1)::integer] as place,
               ({kinds})[((h - 1) // {place_count} % {kind_count} + 1)::integer] as kind_of_name,
               ((h - 1) // {place_count * kind_count})::integer as edition,
               u('cms-teaching', h) < 0.25 as is_teaching,
               case when u('cms-ruca', h) < 0.6 then 0 else 1 + pick('cms-ruca-other', h, 4) end as ruca_number,
               -- ranks, not draws: small worlds have their share of habits too
               row_number() over (order by u('cms-habit', h)) / count(*) over () as habit
        from range(1, {int(hospitals)} + 1) r(h)
    )
    select d.h, s.*, r.ruca, r.ruca_text,
           s.code || lpad((800 + serial)::varchar, 4, '0') as ccn,
           place || ' ' || kind_of_name || case when edition > 0 then ' ' || (edition + 1) else '' end as hospital_name,
           (100 + h) || ' EXAMPLE STREET' as address, place as city,
           zip3 || lpad((h % 100)::varchar, 2, '0') as zip,
           case when is_teaching then round(0.08 + 0.5 * u('cms-residents', h), 4) else 0 end as residents,
           round(wage * (0.95 + 0.1 * u('cms-wage', h)) * case when ruca_number >= 2 then 0.93 else 1 end, 4)
               as wage_index,
           round(0.14 * u('cms-dsh', h) ** 2, 4) as dsh,
           exp(ln(600) + 0.65 * normal('cms-size', h) + case when is_teaching then 0.5 else 0 end) as volume,
           -- what the patients really have: sicker in teaching hospitals, whoever documents it
           0.22 * normal('cms-severity', h) + case when is_teaching then 0.25 else 0 end as severity,
           2.4 + 3.6 * u('cms-charges', h) as charge_level,
           case when habit <= 0.20 then 'under_documented' when habit > 0.95 then 'over_coded' else 'none' end as habit
    from drawn d join c_state s on s.i = d.i join c_ruca r on r.i = d.ruca_number""")


def _make_cells(con: duckdb.DuckDBPyConnection) -> None:
    """c_mix: true and billed shares within each family; c_cell: discharges and dollars by year, hospital and DRG."""
    con.execute("""
    create table c_mix as
    with true_odds as (
        select h.h, d.drg, d.f, d.level, d.levels,
               share * exp(severity * (levels - level) / greatest(levels - 1, 1)) as odds,
               case when levels > 1 and habit <> 'none' and u('cms-planted', h.h * 100 + d.f) < 0.6 then habit
                    else 'none' end as kind,
               0.35 + 0.25 * u('cms-strength', h.h * 100 + d.f) as strength
        from c_hospital h, c_drg d
    ),
    true_share as (select *, odds / sum(odds) over (partition by h, f) as supported from true_odds)
    -- a stay not documented falls one level; one coded too high rises one
    select *, case kind
        when 'under_documented' then supported * case when level < levels then 1 - strength else 1 end
             + coalesce(lag(supported) over family, 0) * strength
        when 'over_coded' then supported * case when level > 1 then 1 - 0.6 * strength else 1 end
             + coalesce(lead(supported) over family, 0) * 0.6 * strength
        else supported end as billed
    from true_share window family as (partition by h, f order by level);

    create table c_cell as
    with expected as (
        select w.y, h.h, w.drg, w.f, w.level, w.levels, w.weight, m.kind, m.supported, m.billed,
               h.volume * (0.97 + 0.06 * u('cms-year', w.y * 1000 + h.h)) * w.popularity
               / sum(w.popularity * w.share) over (partition by w.y, h.h)
               * exp(0.25 * normal('cms-focus', h.h * 100 + w.f)) as stays,
               h.h * 1000000 + w.y * 1000 + w.drg::integer as k
        from c_weight w, c_hospital h join c_mix m on m.h = h.h where m.drg = w.drg
    ),
    counted as (
        select *,
               greatest(0, round(stays * billed + sqrt(stays * billed) * normal('cms-count', k)))::integer as discharges
        from expected
    ),
    paid as (
        select c.*, (5200 + 90 * (y - 2011)) * weight * exp(0.04 * normal('cms-noise', k)) * case
                   when h.state = 'MD' then 1.15 + 0.4 * u('cms-maryland', c.h)   -- paid by a system of its own
                   else (0.676 * wage_index + 0.324) * (1 + 1.35 * ((1 + residents) ** 0.405 - 1) + dsh) end as average,
               charge_level * (0.9 + 0.2 * u('cms-charge-noise', k)) as charge_factor,
               0.84 + 0.06 * u('cms-share', k) as medicare_share
        from counted c join c_hospital h using (h)
    )
    select * exclude (charge_factor, medicare_share),
           usd(discharges * average) as total_payment, usd(discharges * average * medicare_share) as medicare_payment,
           usd(discharges * average * charge_factor) as charges
    from paid;

    create table c_answer as
    with shares as (
        select h, f, any_value(kind) as kind,
               sum(supported) filter (level = 1) as true_mcc_rate, sum(billed) filter (level = 1) as billed_mcc_rate,
               sum(supported) filter (level < levels) as true_severe_rate,
               sum(billed) filter (level < levels) as billed_severe_rate
        from c_mix where levels > 1 group by h, f
    ),
    stays as (
        select y, h, f, min(drg) as first_drg_code, sum(discharges)::integer as discharge_count,
               usd(sum(stays * (supported - billed) * average)) as supported_less_billed_amount
        from c_cell where levels > 1 group by y, h, f
    )
    select y as period_year, ccn, first_drg_code, true_mcc_rate, billed_mcc_rate, true_severe_rate, billed_severe_rate,
           kind, kind = 'under_documented' as is_planted, discharge_count, supported_less_billed_amount
    from stays join shares using (h, f) join c_hospital using (h);
    """)


def _period(year: int) -> str:
    return f"DY{year}" if year >= FIRST_MODERN_YEAR else f"FY{year}"


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path, options: str = "") -> int:
    """Writes a CSV file and returns its data rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    result = con.execute(f"copy ({query}) to '{path}' (format csv, header{options})").fetchone()
    return int(result[0]) if result else 0


def _folder(landing: Path, feed: str) -> Path:
    """Read by CMS's layouts, but sent by the demonstration: never mixed with CMS's own files."""
    return landing / feed / "source=demo"


def _average(amount: str, year: int) -> str:
    """SQL of a published average: to the cent in old files (`$1,234.50 ` in the oldest), many decimals in new ones."""
    if year >= FIRST_MODERN_YEAR:
        return f"trim(rtrim(printf('%.8f', ({amount})::double / n), '0'), '.')"
    if year <= LAST_YEAR_WITH_SIGNS:
        return f"'$' || format('{{:,.2f}}', round(({amount})::double / n, 2)) || ' '"
    return f"round(({amount})::double / n, 2)"


def _count(year: int) -> str:
    return "format('{:,}', n)" if year < FIRST_MODERN_YEAR else "n"


def _averages(year: int, names: tuple[str, str, str]) -> str:
    amounts = ("charges", "total_payment", "medicare_payment")
    return ", ".join(f'{_average(amount, year)} as "{name}"' for amount, name in zip(amounts, names, strict=True))


MODERN_AVERAGES = ("Avg_Submtd_Cvrd_Chrg", "Avg_Tot_Pymt_Amt", "Avg_Mdcr_Pymt_Amt")
LEGACY_AVERAGES = ("Average Covered Charges", "Average Total Payments", "Average Medicare Payments")


def _write_providers(con: duckdb.DuckDBPyConnection, landing: Path, year: int) -> int:
    """Payments by hospital and DRG, cells of 11 and more."""
    cells = (
        f"(select *, discharges as n from c_cell where y = {year} and discharges >= {SMALLEST_CELL}) c "
        "join c_hospital h using (h) join c_weight w on w.y = c.y and w.drg = c.drg"
    )
    path = _folder(landing, "ipps_provider_drg") / f"ipps_provider_drg_{_period(year)}.csv"
    if year >= FIRST_MODERN_YEAR:
        return _copy(
            con,
            f"""
            select ccn as "Rndrng_Prvdr_CCN", hospital_name as "Rndrng_Prvdr_Org_Name", city as "Rndrng_Prvdr_City",
                   address as "Rndrng_Prvdr_St", fips as "Rndrng_Prvdr_State_FIPS", zip as "Rndrng_Prvdr_Zip5",
                   state as "Rndrng_Prvdr_State_Abrvtn", ruca as "Rndrng_Prvdr_RUCA",
                   ruca_text as "Rndrng_Prvdr_RUCA_Desc", c.drg as "DRG_Cd", title_now as "DRG_Desc",
                   n as "Tot_Dschrgs", {_averages(year, MODERN_AVERAGES)}
            from {cells} order by ccn, c.drg""",
            path,
        )
    # Old files went through a spreadsheet: 010801 became 10801, and a ZIP of Massachusetts lost its zero too.
    region, tail, count = "Hospital Referral Region Description", "", '" Total Discharges "'
    if year > LAST_YEAR_WITH_SIGNS:
        region, tail, count = "Hospital Referral Region (HRR) Description", ", lat, lon", '"Total Discharges"'
    return _copy(
        con,
        f"""
        select c.drg || ' - ' || title as "DRG Definition", ccn::integer as "Provider Id",
               hospital_name as "Provider Name",
               address as "Provider Street Address", city as "Provider City", state as "Provider State",
               zip::integer as "Provider Zip Code", state || ' - ' || region as "{region}", {_count(year)} as {count},
               {_averages(year, LEGACY_AVERAGES)}{tail}
        from {cells} order by c.drg, ccn""",
        path,
    )


def _write_geography(con: duckdb.DuckDBPyConnection, landing: Path, year: int) -> int:
    """The same by state and nation: sums over all cells, those included that are too small to be published."""
    con.execute(f"""
    create or replace temp table c_area as
    select grouping(state) = 1 as is_nation, state, coalesce(fips, '') as fips,
           coalesce(state_name, 'National') as area, drg,
           any_value(title) as title, any_value(title_now) as title_now, sum(discharges)::integer as n,
           sum(charges) as charges, sum(total_payment) as total_payment, sum(medicare_payment) as medicare_payment
    from c_cell c join c_hospital h using (h) join c_weight w using (y, drg) where y = {year}
    group by grouping sets ((drg, state, fips, state_name), (drg)) having sum(discharges) >= {SMALLEST_CELL}""")
    folder = _folder(landing, "ipps_geography_drg")
    if year >= FIRST_MODERN_YEAR:
        return _copy(
            con,
            f"""
            select case when is_nation then 'National' else 'State' end as "Rndrng_Prvdr_Geo_Lvl",
                   fips as "Rndrng_Prvdr_Geo_Cd", area as "Rndrng_Prvdr_Geo_Desc",
                   drg as "DRG_Cd", title_now as "DRG_Desc", n as "Tot_Dschrgs", {_averages(year, MODERN_AVERAGES)}
            from c_area order by is_nation desc, fips, drg""",
            folder / f"ipps_geography_service_{_period(year)}.csv",
        )
    # As in CMS's release of 2016: dollar signs in the file by state, plain numbers in the one of the nation.
    signed = _averages(LAST_YEAR_WITH_SIGNS, LEGACY_AVERAGES)
    plain = _averages(LAST_YEAR_WITH_SIGNS + 1, LEGACY_AVERAGES)
    count = f'{_count(year)} as " Total Discharges "'
    by_state = f'"DRG Definition", state as "Provider State", {count}, {signed}'
    of_nation = f'"DRG Definition", {count}, {plain}'
    source = """from (select *, drg || ' - ' || title as "DRG Definition" from c_area)"""
    return _copy(
        con,
        f"select {by_state} {source} where not is_nation order by drg, state",
        folder / f"ipps_state_drg_FY{year}.csv",
    ) + _copy(
        con, f"select {of_nation} {source} where is_nation order by drg", folder / f"ipps_national_drg_FY{year}.csv"
    )


def _write_weights(con: duckdb.DuckDBPyConnection, landing: Path, year: int) -> int:
    """Table 5: tab-delimited, cp1252, a title above the header, footnotes below."""
    path = _folder(landing, "drg_weight") / f"table5_FY{year}.txt"
    rows = _copy(
        con,
        f"""
        select drg as "MS-DRG ",
               case when drg::integer % 3 = 0 then 'Yes' else 'No' end as "FY {year} Final Rule Post-Acute DRG",
               'No' as "FY {year} Final Rule Special Pay DRG", mdc as "MDC", kind as "TYPE", title as "MS-DRG Title",
               printf('%.4f', weight) as "Weights", printf('%.1f', days) as "Geometric mean LOS",
               printf('%.1f', days * 1.25) as "Arithmetic mean LOS"
        from (select drg, mdc, kind, title, weight, days from c_weight where y = {year}
              union all values ('998', '', '**', 'PRINCIPAL DIAGNOSIS INVALID AS DISCHARGE DIAGNOSIS', 0, 0),
                               ('999', '', '**', 'UNGROUPABLE', 0, 0))
        order by drg""",
        path,
        ", delimiter '\t'",
    )
    blank = "\t" * 8
    title = f'"TABLE 5.\u2014LIST OF MEDICARE SEVERITY DIAGNOSIS-RELATED GROUPS (MS-DRGS)\u2014FY {year}"'
    text = f"{title}{blank}\n{path.read_text(encoding='utf-8')}{blank}\n{FOOTNOTE}{blank}\n"
    path.write_bytes(text.encode("cp1252"))
    return rows


def _write_summary(con: duckdb.DuckDBPyConnection, landing: Path, year: int) -> int:
    """One row per hospital, the 57 columns of CMS, with its signs, commas and blanks for small counts."""
    people = "round(n * 0.74)"
    shown = "case when {0} >= 11 then format('{{:,}}', ({0})::bigint) end"
    dollars = "'$' || format('{{:,}}', round({0})::bigint)"
    ages = (("LT_65", 0.13), ("65_74", 0.33), ("75_84", 0.34), ("GT_84", 0.20))
    races = (("Wht", 0.78), ("Black", 0.12), ("API", 0.02), ("Hspnc", 0.05), ("NatInd", 0.005), ("Othr", 0.02))
    counts = [(f"Bene_Age_{name}_Cnt", share) for name, share in ages]
    counts += [("Bene_Feml_Cnt", 0.53), ("Bene_Male_Cnt", 0.47)]
    counts += [(f"Bene_Race_{name}_Cnt", share) for name, share in races]
    counts += [("Bene_Dual_Cnt", 0.24), ("Bene_Ndual_Cnt", 0.76)]
    counted = ", ".join(f'{shown.format(f"round({people} * {share})")} as "{name}"' for name, share in counts)
    shares = ", ".join(
        f"(5 + pick('{name}', h * 10000 + {year}, 60)) || '%' as \"{name}\"" for name in catalog.CHRONIC_SHARES
    )
    return _copy(
        con,
        f"""
        select ccn as "Rndrng_Prvdr_CCN", hospital_name as "Rndrng_Prvdr_Org_Name", address as "Rndrng_Prvdr_St",
               city as "Rndrng_Prvdr_City", zip as "Rndrng_Prvdr_Zip5", state as "Rndrng_Prvdr_State_Abrvtn",
               fips as "Rndrng_Prvdr_State_FIPS", ruca as "Rndrng_Prvdr_RUCA", ruca_text as "Rndrng_Prvdr_RUCA_Desc",
               {shown.format(people)} as "Tot_Benes", {dollars.format("charges")} as "Tot_Submtd_Cvrd_Chrg",
               {dollars.format("total_payment")} as "Tot_Pymt_Amt",
               {dollars.format("medicare_payment")} as "Tot_Mdcr_Pymt_Amt",
               format('{{:,}}', n) as "Tot_Dschrgs", format('{{:,}}', stay_days) as "Tot_Cvrd_Days",
               format('{{:,}}', (stay_days * 1.02)::bigint) as "Tot_Days",
               printf('%.1f', 73 + 4 * u('cms-age', h)) as "Bene_Avg_Age", {counted}, {shares},
               printf('%.3f', 1.7 * exp(0.6 * severity)) as "Bene_Avg_Risk_Scre"
        from (select h, sum(discharges)::bigint as n, sum(charges) as charges, sum(total_payment) as total_payment,
                     sum(medicare_payment) as medicare_payment, round(sum(discharges * days * 1.2))::bigint as stay_days
              from c_cell c join c_weight w using (y, drg) where y = {year} group by h)
        join c_hospital using (h) order by ccn""",
        _folder(landing, "hospital_medicare_year") / f"medicare_inpatient_by_provider_DY{year}.csv",
    )


def _write_hospitals(con: duckdb.DuckDBPyConnection, landing: Path) -> int:
    """Hospital information, with the causes of payment that CMS publishes elsewhere (wages, teaching, case mix)."""
    owners = "['Voluntary non-profit - Private', 'Proprietary', 'Government - Local', 'Voluntary non-profit - Church']"
    return _copy(
        con,
        f"""
        select ccn, hospital_name, address as address_line, city, state, zip as zip_code,
               'Acute Care Hospitals' as hospital_type,
               ({owners})[1 + pick('cms-owner', h, 4)] as hospital_ownership,
               case when u('cms-emergency', h) < 0.92 then 'true' else 'false' end as has_emergency_services,
               case when u('cms-unrated', h) >= 0.3 then 1 + pick('cms-stars', h, 5) end as star_rating,
               printf('%.4f', wage_index) as wage_index, printf('%.4f', residents) as resident_to_bed_ratio,
               printf('%.4f', case_mix) as case_mix_index
        from c_hospital join (select h, sum(discharges * weight) / sum(discharges) as case_mix from c_cell
                              where y = (select max(y) from c_year) group by h) using (h)
        order by ccn""",
        landing / "hospital" / "hospital.csv",
    )


def _write_readmissions(con: duckdb.DuckDBPyConnection, landing: Path) -> int:
    """Readmission ratios: `N/A` for hospitals with few stays, `Too Few to Report` for few readmissions."""
    (last,) = con.execute("select max(y) from c_year").fetchone() or (2023,)
    return _copy(
        con,
        f"""
        with stays as (
            select h.*, m.measure, m.i as number,
                   m.expected * (0.9 + 0.2 * u('cms-expected', h.h * 10 + m.i)) as expected_rate,
                   (volume * (0.02 + 0.1 * u('cms-measure', h.h * 10 + m.i)))::integer as n
            from c_hospital h, c_measure m
        ),
        rated as (
            select *, expected_rate * exp(0.08 * normal('cms-readmitted', h * 10 + number) + 0.1 * severity)
                      as predicted_rate
            from stays
        )
        select hospital_name as "Facility Name", ccn as "Facility ID", state as "State", measure as "Measure Name",
               case when n < 25 then 'N/A' else n::varchar end as "Number of Discharges",
               case when n < 25 then '1' end as "Footnote",
               case when n < 25 then 'N/A' else printf('%.4f', predicted_rate / expected_rate) end
                   as "Excess Readmission Ratio",
               case when n < 25 then 'N/A' else printf('%.4f', predicted_rate) end as "Predicted Readmission Rate",
               case when n < 25 then 'N/A' else printf('%.4f', expected_rate) end as "Expected Readmission Rate",
               case when n < 25 then 'N/A' when n * predicted_rate / 100 < 11 then 'Too Few to Report'
                    else round(n * predicted_rate / 100)::integer::varchar end as "Number of Readmissions",
               '07/01/{last - 3}' as "Start Date", '06/30/{last}' as "End Date"
        from rated order by ccn, measure""",
        _folder(landing, "hospital_readmission") / f"hospital_readmissions_reduction_{last}.csv",
    )
