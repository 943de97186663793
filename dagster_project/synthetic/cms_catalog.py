"""What the CMS-like files are about: states, DRG families with their severity levels, invented places and names.

Belongs here: plain lists. Numbers and titles of DRGs are CMS's (public domain), weights are near those of the years;
hospitals are invented. Does not: draws, files.
"""

from __future__ import annotations

# abbreviation, CMS state code (first two characters of a CCN), FIPS, name, ZIP prefix, referral region, latitude,
# longitude, wage level
STATES = [
    ("AL", "01", "01", "Alabama", "352", "Birmingham", "33.52", "-86.80", 0.80),
    ("AZ", "03", "04", "Arizona", "850", "Phoenix", "33.45", "-112.07", 1.02),
    ("CA", "05", "06", "California", "958", "Sacramento", "38.58", "-121.49", 1.48),
    ("CT", "07", "09", "Connecticut", "061", "Hartford", "41.76", "-72.67", 1.22),
    ("FL", "10", "12", "Florida", "328", "Orlando", "28.54", "-81.38", 0.90),
    ("IL", "14", "17", "Illinois", "627", "Springfield", "39.78", "-89.65", 0.95),
    ("MA", "22", "25", "Massachusetts", "016", "Worcester", "42.26", "-71.80", 1.26),
    ("MD", "21", "24", "Maryland", "212", "Baltimore", "39.29", "-76.61", 0.97),
    ("NJ", "31", "34", "New Jersey", "071", "Newark", "40.74", "-74.17", 1.15),
    ("OH", "36", "39", "Ohio", "432", "Columbus", "39.96", "-83.00", 0.93),
    ("TX", "45", "48", "Texas", "787", "Austin", "30.27", "-97.74", 0.92),
    ("WA", "50", "53", "Washington", "992", "Spokane", "47.66", "-117.43", 1.09),
]

PLACES = [
    "ELDERMERE",
    "THORNWICK",
    "HALLOWGLEN",
    "BRACKENDALE",
    "WESTERHOLM",
    "ASHCOMBE FALLS",
    "PINEHURSTON",
    "OAKVANE",
    "MARLOWE BAY",
    "STONEFERRY",
    "QUILLHAVEN",
    "LARKMEADOW",
    "FENWRIGHT",
    "GREYCLIFFE",
    "SUMMERFOLD",
    "HAZELTHORPE",
    "RIVERMOOR",
    "CALDERWYN",
    "BRIARHOLT",
    "NORTHQUAY",
    "WILLOWMERE",
    "DUNMORROW",
    "SILVERCREST",
    "APPLEFORD",
    "MISTRALE",
    "KESTRELTON",
    "FOXBOURNE",
    "HIGHLORNE",
    "VALEWORTH",
    "COPPERFIELDS",
]
KINDS = ["MEDICAL CENTER", "GENERAL HOSPITAL", "COMMUNITY HOSPITAL", "REGIONAL HEALTH CENTER", "MEMORIAL HOSPITAL"]

RUCAS = [
    ("1", "Metropolitan area core: primary flow within an urbanized area of 50,000 and greater"),
    ("2", "Metropolitan area high commuting: primary flow 30% or more to a urbanized area of 50,000"),
    ("4", "Micropolitan area core: primary flow within an urban cluster of 10,000 to 49,999"),
    ("7", "Small town core: primary flow within an urban cluster of 2,500 to 9,999"),
    ("10", "Rural areas: primary flow to a tract outside a urbanized area of 50,000 and greater or UC"),
]

Member = tuple[str, float, float, float]

# family, MDC, type, title, share of a hospital's stays, then (DRG, weight, days, share of the family) of MCC, CC,
# neither; two members where CMS does not split on CC, one where it does not split at all.
FAMILIES: list[tuple[str, str, str, str, float, list[Member]]] = [
    (
        "064",
        "01",
        "MED",
        "INTRACRANIAL HEMORRHAGE OR CEREBRAL INFARCTION",
        3.6,
        [("064", 1.7417, 4.7, 0.30), ("065", 1.0776, 3.5, 0.47), ("066", 0.7566, 2.5, 0.23)],
    ),
    (
        "163",
        "04",
        "SURG",
        "MAJOR CHEST PROCEDURES",
        0.9,
        [("163", 5.0952, 11.0, 0.28), ("164", 2.6002, 5.6, 0.42), ("165", 1.8000, 3.4, 0.30)],
    ),
    (
        "177",
        "04",
        "MED",
        "RESPIRATORY INFECTIONS & INFLAMMATIONS",
        2.5,
        [("177", 1.9934, 6.3, 0.48), ("178", 1.3955, 4.8, 0.38), ("179", 0.9761, 3.6, 0.14)],
    ),
    (
        "190",
        "04",
        "MED",
        "CHRONIC OBSTRUCTIVE PULMONARY DISEASE",
        5.2,
        [("190", 1.1743, 4.1, 0.42), ("191", 0.9370, 3.4, 0.34), ("192", 0.7190, 2.7, 0.24)],
    ),
    (
        "193",
        "04",
        "MED",
        "SIMPLE PNEUMONIA & PLEURISY",
        6.0,
        [("193", 1.4491, 5.0, 0.38), ("194", 0.9768, 3.8, 0.45), ("195", 0.7000, 2.9, 0.17)],
    ),
    (
        "280",
        "05",
        "MED",
        "ACUTE MYOCARDIAL INFARCTION, DISCHARGED ALIVE",
        2.8,
        [("280", 1.7431, 4.6, 0.46), ("281", 1.0568, 2.9, 0.32), ("282", 0.7551, 2.0, 0.22)],
    ),
    (
        "291",
        "05",
        "MED",
        "HEART FAILURE & SHOCK",
        7.5,
        [("291", 1.5031, 4.7, 0.40), ("292", 0.9824, 3.7, 0.44), ("293", 0.6723, 2.6, 0.16)],
    ),
    (
        "308",
        "05",
        "MED",
        "CARDIAC ARRHYTHMIA & CONDUCTION DISORDERS",
        4.4,
        [("308", 1.2150, 3.8, 0.26), ("309", 0.7835, 2.6, 0.38), ("310", 0.5576, 1.9, 0.36)],
    ),
    (
        "329",
        "06",
        "SURG",
        "MAJOR SMALL & LARGE BOWEL PROCEDURES",
        2.4,
        [("329", 5.1272, 11.9, 0.27), ("330", 2.5609, 7.1, 0.45), ("331", 1.6512, 4.3, 0.28)],
    ),
    (
        "377",
        "06",
        "MED",
        "G.I. HEMORRHAGE",
        3.9,
        [("377", 1.7829, 4.7, 0.29), ("378", 1.0029, 3.3, 0.56), ("379", 0.6776, 2.4, 0.15)],
    ),
    (
        "480",
        "08",
        "SURG",
        "HIP & FEMUR PROCEDURES EXCEPT MAJOR JOINT",
        2.6,
        [("480", 3.0171, 6.9, 0.20), ("481", 1.9690, 4.8, 0.57), ("482", 1.6234, 4.1, 0.23)],
    ),
    (
        "637",
        "10",
        "MED",
        "DIABETES",
        2.1,
        [("637", 1.3888, 4.1, 0.24), ("638", 0.8220, 3.0, 0.47), ("639", 0.5819, 2.2, 0.29)],
    ),
    (
        "682",
        "11",
        "MED",
        "RENAL FAILURE",
        4.5,
        [("682", 1.5320, 4.6, 0.35), ("683", 0.9512, 3.4, 0.52), ("684", 0.6320, 2.4, 0.13)],
    ),
    (
        "871",
        "18",
        "MED",
        "SEPTICEMIA OR SEVERE SEPSIS W/O MV >96 HOURS",
        9.0,
        [("871", 1.8527, 5.0, 0.70), ("872", 1.0528, 3.8, 0.30)],
    ),
    (
        "469",
        "08",
        "SURG",
        "MAJOR JOINT REPLACEMENT OR REATTACHMENT OF LOWER EXTREMITY",
        8.5,
        [("469", 3.3905, 5.8, 0.06), ("470", 2.0816, 2.8, 0.94)],
    ),
    ("602", "09", "MED", "CELLULITIS", 2.6, [("602", 1.4555, 4.9, 0.19), ("603", 0.8445, 3.5, 0.81)]),
    (
        "689",
        "11",
        "MED",
        "KIDNEY & URINARY TRACT INFECTIONS",
        4.0,
        [("689", 1.1300, 4.0, 0.31), ("690", 0.7828, 3.1, 0.69)],
    ),
    (
        "391",
        "06",
        "MED",
        "ESOPHAGITIS, GASTROENT & MISC DIGEST DISORDERS",
        4.2,
        [("391", 1.1976, 3.6, 0.21), ("392", 0.7500, 2.7, 0.79)],
    ),
    (
        "640",
        "10",
        "MED",
        "MISC DISORDERS OF NUTRITION, METABOLISM, FLUIDS/ELECTROLYTES",
        2.7,
        [("640", 1.1343, 3.2, 0.33), ("641", 0.7221, 2.6, 0.67)],
    ),
    (
        "246",
        "05",
        "SURG",
        "PERC CARDIOVASC PROC W DRUG-ELUTING STENT",
        2.3,
        [("246", 3.2494, 4.0, 0.34), ("247", 2.0771, 2.1, 0.66)],
    ),
    (
        "459",
        "08",
        "SURG",
        "SPINAL FUSION EXCEPT CERVICAL",
        1.5,
        [("459", 6.5455, 6.7, 0.06), ("460", 3.9595, 2.9, 0.94)],
    ),
    (
        "003",
        "PRE",
        "SURG",
        "ECMO OR TRACH W MV >96 HRS OR PDX EXC FACE, MOUTH & NECK W MAJ O.R.",
        0.3,
        [("003", 17.6369, 25.3, 1.0)],
    ),
    ("189", "04", "MED", "PULMONARY EDEMA & RESPIRATORY FAILURE", 2.9, [("189", 1.2265, 3.8, 1.0)]),
    ("313", "05", "MED", "CHEST PAIN", 1.8, [("313", 0.6752, 1.8, 1)]),
    ("885", "19", "MED", "PSYCHOSES", 1.4, [("885", 1.0405, 5.7, 1)]),
]

READMISSION_MEASURES = [
    ("READM-30-AMI-HRRP", 13.6),
    ("READM-30-CABG-HRRP", 10.4),
    ("READM-30-COPD-HRRP", 18.6),
    ("READM-30-HF-HRRP", 20.2),
    ("READM-30-HIP-KNEE-HRRP", 4.6),
    ("READM-30-PN-HRRP", 16.4),
]

# Columns of "Medicare Inpatient Hospitals by Provider", in its order: shares of patients with a chronic condition.
CHRONIC_SHARES = [
    f"Bene_CC_{name}_Pct"
    for name in (
        "BH_ADHD_OthCD_V1",
        "BH_Alcohol_Drug_V1",
        "BH_Tobacco_V1",
        "BH_Alz_NonAlzdem_V2",
        "BH_Anxiety_V1",
        "BH_Bipolar_V1",
        "BH_Mood_V2",
        "BH_Depress_V1",
        "BH_PD_V1",
        "BH_PTSD_V1",
        "BH_Schizo_OthPsy_V1",
        "PH_Asthma_V2",
        "PH_Afib_V2",
        "PH_Cancer6_V2",
        "PH_CKD_V2",
        "PH_COPD_V2",
        "PH_Diabetes_V2",
        "PH_HF_NonIHD_V2",
        "PH_Hyperlipidemia_V2",
        "PH_Hypertension_V2",
        "PH_IschemicHeart_V2",
        "PH_Osteoporosis_V2",
        "PH_Parkinson_V2",
        "PH_Arthritis_V2",
        "PH_Stroke_TIA_V2",
    )
]


def drg_rows() -> list[tuple[str | int | float, ...]]:
    """One per DRG: code, family, level, levels, MDC, type, title, title of today, popularity, weight, days, share.

    Level 1 is the most severe of its family. Titles end as CMS writes them: `W MCC`, `W/O CC/MCC`; `WITH MCC` today.
    """
    endings = {1: [""], 2: [" W MCC", " W/O MCC"], 3: [" W MCC", " W CC", " W/O CC/MCC"]}
    rows: list[tuple[str | int | float, ...]] = []
    for number, (_, mdc, kind, title, popularity, members) in enumerate(FAMILIES, start=1):
        for level, (drg, weight, days, share) in enumerate(members, start=1):
            ending = endings[len(members)][level - 1]
            today = ending.replace(" W/O ", " WITHOUT ").replace(" W ", " WITH ")
            rows.append(
                (
                    drg,
                    number,
                    level,
                    len(members),
                    mdc,
                    kind,
                    title + ending,
                    title + today,
                    popularity,
                    weight,
                    days,
                    share,
                )
            )
    return rows
