"""Payers, plans, organizations and clinicians of the invented world, with the rules and habits that cause things.

Belongs here: who pays, under which rules and prices, and who treats. Does not: patients, care,
    codes of care (catalog.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from dagster_project.database import literal

# payer, name, market, state, price level (Medicare = 1), days to file, days to answer, payment weekday (0 = Sunday),
# share of missing authorizations that it denies, strictness on medical necessity, on network, on documentation
PAYERS: list[tuple[object, ...]] = [
    ("HLH", "Harborlight Health Plan", "commercial", "PA", 1.75, 180, 14, 4, 0.80, 0.7, 0.25, 0.8),
    ("MRM", "Meridian Mutual Assurance", "commercial", "OH", 2.05, 120, 21, 2, 0.92, 1.3, 0.45, 1.2),
    ("BSX", "Bluestem Exchange Health", "exchange", "PA", 1.45, 90, 26, 3, 0.95, 1.6, 0.60, 1.4),
    ("SVA", "Silverbrook Advantage", "medicare_advantage", "FL", 1.04, 120, 18, 5, 0.90, 1.4, 0.35, 1.1),
    ("OMC", "Original Medicare, Part A and B", "medicare", "MD", 1.00, 365, 14, 1, 0.55, 0.9, 0.05, 0.9),
    ("PSM", "Prairie State Medicaid", "medicaid", "PA", 0.72, 150, 30, 4, 0.85, 1.0, 0.30, 1.2),
]

# plan, payer, name, deductible, out-of-pocket maximum, coinsurance, copays: office, emergency, pharmacy
PLANS: list[tuple[object, ...]] = [
    ("HLH-GOLD", "HLH", "Harborlight Gold PPO", 500, 3500, 0.10, 20, 150, 10),
    ("HLH-CORE", "HLH", "Harborlight Core PPO", 1500, 6000, 0.20, 30, 250, 15),
    ("HLH-SAVE", "HLH", "Harborlight Saver HDHP", 3000, 7000, 0.20, 0, 0, 20),
    ("MRM-CHOICE", "MRM", "Meridian Choice", 1000, 5000, 0.20, 25, 200, 15),
    ("MRM-BASIC", "MRM", "Meridian Basic", 2500, 7500, 0.30, 40, 300, 20),
    ("BSX-SILVER", "BSX", "Bluestem Silver", 3500, 8500, 0.30, 40, 350, 20),
    ("BSX-BRONZE", "BSX", "Bluestem Bronze", 6500, 9000, 0.40, 60, 400, 25),
    ("SVA-PLUS", "SVA", "Silverbrook Plus HMO", 0, 4900, 0.10, 15, 110, 8),
    ("SVA-FLEX", "SVA", "Silverbrook Flex PPO", 250, 6700, 0.20, 25, 125, 12),
    ("OMC-AB", "OMC", "Medicare Part A and B", 240, 8000, 0.20, 0, 0, 10),
    ("PSM-STD", "PSM", "Prairie State Standard", 0, 500, 0.00, 2, 3, 1),
    ("PSM-FAM", "PSM", "Prairie State Family", 0, 300, 0.00, 0, 0, 1),
]

# Which payer wants an authorization for which class of service.
AUTHORIZATION_RULES: dict[str, str] = {
    "HLH": "surgery infusion sleep",
    "MRM": "imaging surgery infusion dme sleep",
    "BSX": "imaging surgery infusion dme sleep therapy",
    "SVA": "imaging surgery infusion dme sleep therapy",
    "OMC": "dme",
    "PSM": "imaging surgery infusion dme",
}

# Hospitals and clinics: name, specialty, city, ZIP, price factor, charge factor, habit of forgetting authorizations
ORGANIZATIONS: list[tuple[object, ...]] = [
    ("Larkspur Regional Hospital", "acute care hospital", "Larkspur", "17101", 1.15, 3.6, 0.06),
    ("Saint Brannoc Medical Center", "acute care hospital", "Brannoc", "19019", 1.00, 3.1, 0.13),
    ("Fennimore Community Hospital", "acute care hospital", "Fennimore", "15901", 0.88, 2.6, 0.20),
    ("Harborlight Clinic North", "multispecialty clinic", "Larkspur", "17102", 1.05, 2.1, 0.05),
    ("Harborlight Clinic South", "multispecialty clinic", "Brannoc", "19020", 1.00, 2.0, 0.10),
    ("Clínica Peña del Río", "multispecialty clinic", "Río Verde", "19140", 0.92, 1.9, 0.16),
    ("Müller & Sœur Orthopedics", "orthopedic clinic", "Fennimore", "15902", 1.20, 2.6, 0.09),
    ("Fennimore Family Practice", "primary care clinic", "Fennimore", "15905", 0.90, 1.8, 0.18),
    ("Quillby Urgent Care", "urgent care", "Larkspur", "17103", 1.00, 2.2, 0.08),
    ("Tamarack Dialysis Center", "dialysis facility", "Brannoc", "19021", 1.10, 3.0, 0.04),
    ("Tamarack Home Medical", "medical equipment supplier", "Brannoc", "19022", 1.00, 2.4, 0.22),
    ("Elderbloom Pharmacy", "pharmacy", "Larkspur", "17104", 1.00, 1.3, 0.0),
    ("Corner Mortar Pharmacy", "pharmacy", "Fennimore", "15906", 1.00, 1.4, 0.0),
    ("Nightjar Mail Pharmacy", "pharmacy", "Río Verde", "19141", 0.95, 1.2, 0.0),
]
SPECIALTIES = [
    "family medicine",
    "internal medicine",
    "pediatrics",
    "cardiology",
    "orthopedic surgery",
    "gastroenterology",
    "emergency medicine",
    "hospital medicine",
    "radiology",
    "anesthesiology",
    "oncology",
    "nephrology",
    "psychology",
    "physical therapy",
    "pulmonology",
    "dermatology",
]
GIVEN = [
    "Ada",
    "Bruno",
    "Celia",
    "Dmitri",
    "Esme",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaya",
    "Leon",
    "Mira",
    "Nils",
    "Opal",
    "Pavel",
    "Rosa",
    "Sami",
    "Tess",
    "Umar",
    "Vera",
    "Wim",
    "Yara",
    "Zeno",
    "Amara",
    "Björn",
    "Chloé",
    "Deniz",
    "Elif",
    "Fynn",
]
FAMILY = [
    "Ashgrove",
    "Bellweather",
    "Castellan",
    "Dunmore",
    "Everhart",
    "Fairbairn",
    "Greenhalgh",
    "Hollis",
    "Iverson",
    "Jessop",
    "Kestrel",
    "Lindqvist",
    "Marchetti",
    "Northcote",
    "Okonjo",
    "Pemberton",
    "Quillon",
    "Ravensworth",
    "Santangelo",
    "Thistlewood",
    "Umberfield",
    "Vandermeer",
    "Whitlock",
    "Yarrow",
    "Zimmerling",
    "Abernathy",
    "Núñez",
    "Costigan",
    "Åkesson",
    "Eastlake",
]


def values_table(con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Sequence[Sequence[object]]) -> None:
    """A small table of constants; only lists of this package go through here, never data."""
    body = ",\n".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in rows)
    con.execute(f"create or replace table {name} as select * from (values {body}) as constants({columns})")


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return literal(value)
    return f"{value}::double" if isinstance(value, float) else str(value)


def make_reference(con: duckdb.DuckDBPyConnection, members: int) -> None:
    """Tables of payers, plans, contracts and providers; the number of clinicians grows with the members."""
    values_table(
        con,
        "w_payer",
        "payer_id, payer_name, line_of_business, state, price_level, filing_days, adjudication_days, "
        "payment_weekday, authorization_strictness, necessity_strictness, network_strictness, "
        "documentation_strictness",
        PAYERS,
    )
    values_table(
        con,
        "w_plan",
        "plan_id, payer_id, plan_name, deductible, out_of_pocket, coinsurance, copay_office, copay_emergency, "
        "copay_pharmacy",
        PLANS,
    )
    values_table(
        con,
        "w_authorization_rule",
        "payer_id, service_class",
        [(payer, service) for payer, services in AUTHORIZATION_RULES.items() for service in services.split()],
    )
    values_table(
        con,
        "w_organization",
        "name, specialty, city, zip, price_factor, charge_factor, forgets_authorization, org",
        [(*row, number) for number, row in enumerate(ORGANIZATIONS)],
    )
    values_table(con, "w_specialty", "specialty, number", list(zip(SPECIALTIES, range(len(SPECIALTIES)), strict=True)))
    values_table(con, "w_given", "name, number", list(zip(GIVEN, range(len(GIVEN)), strict=True)))
    values_table(con, "w_family", "name, number", list(zip(FAMILY, range(len(FAMILY)), strict=True)))
    clinicians = max(48, (members // 60) // len(SPECIALTIES) * len(SPECIALTIES))
    con.execute(f"""
    create or replace table w_clinician as
    select c as clinician, c % {len(SPECIALTIES)} as specialty_number, '1' || lpad((c * 7919 + 203450011)::varchar, 9,
        '0') as npi,
           -- the first three organizations are hospitals, the next five clinics
           case when c % {len(SPECIALTIES)} in (6, 7, 8, 9, 10) then c // {len(SPECIALTIES)} % 3
                else 3 + c // {len(SPECIALTIES)} % 5 end as org,
           0.985 - 0.13 * u('clinician-documents', c) ** 2 as documents_well,
           u('clinician-is-out', c) < 0.035 as is_often_out_of_network
    from range({clinicians}) numbers(c);
    create or replace table w_provider as
    select '2' || lpad((org * 104729 + 308451237)::varchar, 9, '0') as provider_id, * from w_organization;
    -- prices differ by contract: the same hospital has another level with each payer
    create or replace table w_contract as
    select org, payer_id, price_level * price_factor * (0.9 + 0.2 * u('contract',
        org::varchar || payer_id)) as price_level,
           org >= 3 and line_of_business not in ('medicare', 'medicaid') and u('org-out',
               org::varchar || payer_id) < 0.05
               as is_out_of_network
    from w_organization, w_payer;
    """)


def write_reference_feeds(con: duckdb.DuckDBPyConnection, first_year: int, last_year: int) -> None:
    """Feeds payer, benefit_plan and provider."""
    con.execute(f"""
    create or replace table payer as
    select payer_id, payer_name, line_of_business as payer_type, state from w_payer order by payer_id;
    create or replace table w_benefit as
    select plan_id, payer_id, plan_name, line_of_business, y as benefit_year,
           -- amounts rise by about four percent a year and stay round
           (round(deductible * (1 + 0.04 * (y - {first_year})) / 10) * 10)::decimal(18, 2) as deductible,
           (round(out_of_pocket * (1 + 0.04 * (y - {first_year})) / 50) * 50)::decimal(18, 2) as out_of_pocket,
           coinsurance::decimal(9, 4) as coinsurance, copay_office::decimal(18, 2) as copay_office,
           copay_emergency::decimal(18, 2) as copay_emergency, copay_pharmacy::decimal(18, 2) as copay_pharmacy
    from w_plan join w_payer using (payer_id), range({first_year - 1}, {last_year + 2}) years(y);
    create or replace table benefit_plan as
    select plan_id, payer_id, plan_name, line_of_business, make_date(benefit_year, 1, 1) as effective_from_date,
           make_date(benefit_year, 12, 31) as effective_to_date, deductible as individual_deductible_amount,
           (deductible * 2)::decimal(18, 2) as family_deductible_amount,
               out_of_pocket as individual_out_of_pocket_maximum_amount,
           (out_of_pocket * 2)::decimal(18, 2) as family_out_of_pocket_maximum_amount, coinsurance as coinsurance_rate,
           copay_office as office_copayment_amount, copay_emergency as emergency_copayment_amount,
           copay_pharmacy as pharmacy_copayment_amount
    from w_benefit order by plan_id, effective_from_date;
    create or replace table provider as
    select provider_id, provider_id as npi, case when org < 3 then '39' || lpad((9 + org * 37)::varchar, 4, '0')
        end as ccn,
           'organization' as provider_type, name as provider_name, specialty, null::varchar as organization_id,
           (100 + org * 11)::varchar || ' Market Street' as address_line, city, 'PA' as state, zip as zip_code
    from w_provider
    union all
    select c.npi, c.npi, null, 'individual', g.name || ' ' || f.name || ', MD', s.specialty, o.provider_id,
           (100 + o.org * 11)::varchar || ' Market Street', o.city, 'PA', o.zip
    from w_clinician c
    join w_specialty s on s.number = c.specialty_number
    join w_provider o on o.org = c.org
    join w_given g on g.number = pick('clinician-given', c.clinician, {len(GIVEN)})
    join w_family f on f.number = pick('clinician-family', c.clinician, {len(FAMILY)})
    order by provider_id;
    """)
