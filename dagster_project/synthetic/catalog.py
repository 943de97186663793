"""What care consists of: conditions, acute reasons, stays, services and drugs, each with codes, frequency and price.

Belongs here: lists of codes (no one's wording) with invented frequencies and prices. Does not: who gets which
(care.py).
"""

from __future__ import annotations

import duckdb

from dagster_project.synthetic.reference import values_table

OFFICE, TELEHEALTH, URGENT, OUTPATIENT, EMERGENCY, OBSERVATION, INPATIENT, DIALYSIS, CHEMOTHERAPY = range(1, 10)

# number, ICD-10-CM, share at age 50, log-odds per year of age,
# added yearly visits: office, outpatient, emergency, inpatient
CONDITIONS: list[tuple[object, ...]] = [
    (1, "I10", 0.26, 0.055, 0.5, 0.1, 0.01, 0.002),
    (2, "E785", 0.24, 0.050, 0.3, 0.2, 0.0, 0.0),
    (3, "E119", 0.11, 0.040, 1.2, 0.4, 0.06, 0.015),
    (4, "N1830", 0.03, 0.060, 1.0, 0.5, 0.05, 0.03),
    (5, "N186", 0.002, 0.030, 1.0, 1.0, 0.5, 0.35),
    (6, "I5022", 0.012, 0.075, 1.8, 0.8, 0.4, 0.28),
    (7, "J449", 0.03, 0.055, 1.2, 0.4, 0.35, 0.13),
    (8, "J45909", 0.08, -0.015, 0.7, 0.1, 0.15, 0.015),
    (9, "F331", 0.10, -0.005, 2.2, 0.05, 0.06, 0.012),
    (10, "I2510", 0.035, 0.065, 1.0, 0.7, 0.16, 0.07),
    (11, "M0579", 0.02, 0.025, 1.8, 0.9, 0.03, 0.02),
    (12, "C50911", 0.009, 0.040, 1.5, 1.8, 0.2, 0.14),
    (13, "C3490", 0.003, 0.055, 1.5, 2.0, 0.4, 0.40),
    (14, "K5090", 0.012, -0.005, 1.2, 0.8, 0.15, 0.08),
    (15, "M1711", 0.07, 0.055, 1.0, 0.5, 0.01, 0.035),
    (16, "I4891", 0.02, 0.080, 1.0, 0.4, 0.15, 0.06),
    (17, "E039", 0.07, 0.020, 0.4, 0.2, 0.0, 0.0),
    (18, "F419", 0.10, -0.010, 1.2, 0.0, 0.05, 0.003),
    (19, "M5450", 0.09, 0.010, 1.6, 0.4, 0.05, 0.008),
    (20, "E6601", 0.08, 0.0, 0.5, 0.1, 0.01, 0.004),
]

# ICD-10-CM, weight in summer, weight in winter, kinds of encounter where it is the reason
ACUTE: list[tuple[object, ...]] = [
    ("J069", 8, 26, "1,2,3"),
    ("J101", 0.5, 14, "1,3,5"),
    ("J209", 3, 9, "1,2,3"),
    ("J189", 1.5, 5, "1,5,6"),
    ("U071", 4, 9, "1,2,3,5"),
    ("N390", 6, 6, "1,2,3,5"),
    ("S93401A", 5, 3, "3,5"),
    ("R079", 6, 6, "5,6"),
    ("R109", 6, 6, "1,5,6"),
    ("K529", 4, 5, "3,5"),
    ("H6690", 4, 7, "1,3"),
    ("L03115", 3, 2, "1,5,6"),
    ("S060X0A", 2, 1.5, "5"),
    ("Z0000", 16, 14, "1"),
    ("R519", 4, 4, "1,2,5"),
    ("M25561", 6, 5, "1,4"),
    ("J029", 5, 9, "1,3"),
    ("B349", 4, 8, "1,2,3"),
    ("L309", 4, 3, "1,2"),
    ("R55", 2, 2, "5,6"),
    ("Z1231", 6, 6, "4"),
    ("Z1211", 6, 6, "4"),
    ("R9431", 3, 3, "4"),
    ("R0602", 3, 4, "4,5"),
    ("K219", 4, 4, "1,4"),
    ("H2511", 3, 3, "4"),
    ("G4733", 3, 3, "4"),
    ("D649", 4, 4, "4"),
    ("Z7901", 3, 3, "4"),
    ("M5450", 4, 4, "1,4"),
]

# MS-DRG, weight for the draw, relative weight, mean days, principal diagnosis, other diagnosis, ICD-10-PCS,
# condition it needs (0 none), # youngest age, oldest age, sex, winter factor
STAYS: list[tuple[object, ...]] = [
    ("871", 7, 1.94, 6.0, "A419", "R6521", None, 0, 30, 120, None, 1.4),
    ("872", 6, 1.05, 4.0, "A419", "N390", None, 0, 18, 120, None, 1.3),
    ("193", 5, 1.30, 4.6, "J189", "J9601", None, 0, 40, 120, None, 2.6),
    ("194", 5, 0.86, 3.4, "J189", "J449", None, 0, 1, 120, None, 2.6),
    ("291", 12, 1.27, 5.0, "I5023", "N179", None, 6, 30, 120, None, 1.3),
    ("190", 12, 1.10, 4.0, "J441", "J9601", None, 7, 30, 120, None, 1.8),
    ("280", 2, 1.61, 4.8, "I214", "I5021", "4A023N7", 10, 35, 120, None, 1.2),
    ("322", 4, 2.05, 2.6, "I214", "I2510", "027034Z", 10, 35, 120, None, 1.1),
    ("065", 4, 1.02, 3.6, "I639", "I4891", None, 0, 45, 120, None, 1.0),
    ("470", 9, 1.90, 1.9, "M1711", "I10", "0SRC0J9", 15, 45, 120, None, 0.9),
    ("481", 3, 2.11, 4.6, "S72141A", "D62", "0QS636Z", 0, 65, 120, None, 1.1),
    ("392", 6, 0.76, 2.8, "K529", "E860", None, 0, 1, 120, None, 1.0),
    ("690", 4, 0.80, 3.2, "N390", "E860", None, 0, 18, 120, None, 1.0),
    ("603", 4, 0.84, 3.6, "L03115", "E119", None, 0, 10, 120, None, 0.9),
    ("399", 3, 1.05, 1.6, "K3580", None, "0DTJ4ZZ", 0, 4, 60, None, 1.0),
    ("788", 6, 0.98, 2.9, "O82", "Z370", "10D00Z1", 0, 18, 44, "female", 1.0),
    ("807", 12, 0.66, 2.0, "O80", "Z370", "10E0XZZ", 0, 18, 44, "female", 1.0),
    ("795", 10, 0.19, 1.8, "Z3800", None, None, 0, 0, 1, None, 1.0),
    ("885", 7, 1.23, 6.8, "F332", "F419", None, 9, 12, 120, None, 1.0),
    ("682", 4, 1.46, 4.6, "N179", "N1830", None, 4, 40, 120, None, 1.0),
    ("236", 1.5, 4.0, 6.2, "I2510", "I10", "021009W", 10, 40, 85, None, 1.0),
    ("870", 0.8, 6.6, 12.0, "A419", "J9601", "5A1955Z", 0, 30, 120, None, 1.3),
    ("207", 0.6, 5.9, 11.0, "J9601", "J449", "5A1955Z", 0, 30, 120, None, 1.4),
    ("003", 0.12, 19.2, 24.0, "J9601", "A419", "0B110F4", 0, 18, 120, None, 1.0),
    ("834", 0.3, 5.6, 14.0, "C9200", "D701", "3E04305", 0, 2, 120, None, 1.0),
    ("790", 0.25, 5.1, 16.0, "P0716", None, None, 0, 0, 1, None, 1.0),
]

# template, kind, weight, age from, to, sex, service class,
# fixed diagnosis (null: the encounter's own), condition it needs (0 none), risk
TEMPLATES: list[tuple[object, ...]] = [
    (101, 1, 30, 0, 120, None, None, None, 0, None),
    (102, 1, 30, 0, 120, None, None, None, 0, None),
    (103, 1, 8, 0, 120, None, None, None, 0, None),
    (104, 1, 13, 0, 120, None, None, "Z0000", 0, None),
    (105, 1, 5, 18, 120, None, None, "M25561", 0, "bundling"),
    (106, 1, 14, 10, 120, None, "therapy", "M5450", 0, "limit"),
    (107, 1, 4, 10, 120, None, None, "L570", 0, "bundling"),
    (108, 1, 9, 8, 120, None, None, "F331", 0, "necessity"),
    (109, 1, 3, 16, 120, None, None, "M9903", 0, "uncovered"),
    (201, 2, 60, 0, 120, None, None, None, 0, "place"),
    (202, 2, 40, 8, 120, None, None, "F419", 0, "place"),
    (301, 3, 100, 0, 120, None, None, None, 0, None),
    (401, 4, 38, 0, 120, None, None, None, 0, "necessity"),
    (402, 4, 7, 12, 120, None, "imaging", None, 0, "necessity"),
    (403, 4, 7, 12, 120, None, "imaging", None, 0, "necessity"),
    (404, 4, 9, 40, 85, "female", None, "Z1231", 0, "limit"),
    (405, 4, 7, 40, 80, None, None, "Z1211", 0, "bundling"),
    (406, 4, 3, 18, 75, None, "surgery", "M23221", 0, "necessity"),
    (407, 4, 3, 58, 95, None, "surgery", "H2511", 0, None),
    (408, 4, 7, 30, 120, None, None, None, 0, "necessity"),
    (409, 4, 30, 12, 120, None, "infusion", None, 11, "necessity"),
    (410, 4, 2, 25, 80, None, "sleep", "G4733", 0, "necessity"),
    (411, 4, 6, 25, 120, None, "dme", "G4733", 0, "uncovered"),
    (412, 4, 30, 12, 120, None, "infusion", None, 14, "necessity"),
    (501, 5, 40, 0, 120, None, None, None, 0, None),
    (502, 5, 35, 0, 120, None, None, None, 0, None),
    (503, 5, 25, 18, 120, None, None, None, 0, "necessity"),
    (601, 6, 100, 18, 120, None, None, None, 0, "necessity"),
    (701, 7, 100, 0, 120, None, None, None, 0, None),
    (801, 8, 100, 0, 120, None, None, "N186", 0, None),
    (901, 9, 100, 0, 120, None, "infusion", None, 0, "necessity"),
]

# template, form 0 facility/only, 1 attending, 2 surgeon; line, claim type, revenue code,
# HCPCS, modifier, POS, units, price, share of encounters
LINES: list[tuple[object, ...]] = []


def _lines(template: int, form: int, claim_type: str, place: str | None, *lines: tuple[object, ...]) -> None:
    """Adds lines (revenue code, HCPCS, modifier, units, price of a unit, share of the encounters that have it)."""
    for number, (revenue, hcpcs, modifier, units, price, share) in enumerate(lines, start=1):
        LINES.append((template, form, number, claim_type, revenue, hcpcs, modifier, place, units, price, share))


PRO, INS = "professional", "institutional"
_lines(
    101,
    0,
    PRO,
    "11",
    (None, "99213", None, 1, 92, 1),
    (None, "36415", None, 1, 8, 0.5),
    (None, "80053", None, 1, 13, 0.45),
    (None, "85025", None, 1, 9, 0.45),
    (None, "83036", None, 1, 12, 0.3),
)
_lines(
    102,
    0,
    PRO,
    "11",
    (None, "99214", None, 1, 131, 1),
    (None, "93000", None, 1, 18, 0.4),
    (None, "80061", None, 1, 16, 0.45),
    (None, "36415", None, 1, 8, 0.5),
    (None, "81002", None, 1, 4, 0.3),
)
_lines(
    103,
    0,
    PRO,
    "11",
    (None, "99203", None, 1, 113, 1),
    (None, "85025", None, 1, 9, 0.3),
    (None, "36415", None, 1, 8, 0.3),
)
_lines(
    104,
    0,
    PRO,
    "11",
    (None, "99396", None, 1, 135, 1),
    (None, "90686", None, 1, 21, 0.4),
    (None, "90471", None, 1, 20, 0.4),
    (None, "G0444", None, 1, 18, 0.3),
    (None, "80061", None, 1, 16, 0.4),
)
_lines(
    105,
    0,
    PRO,
    "11",
    (None, "99213", "25", 1, 92, 1),
    (None, "20610", "RT", 1, 68, 1),
    (None, "J1030", None, 1, 8, 0.9),
)
_lines(
    106,
    0,
    PRO,
    "11",
    (None, "97110", "GP", 2, 30, 1),
    (None, "97140", "GP", 1, 28, 0.9),
    (None, "97530", "GP", 1, 37, 0.45),
)
_lines(
    107,
    0,
    PRO,
    "11",
    (None, "99212", "25", 1, 57, 1),
    (None, "17000", None, 1, 66, 1),
    (None, "17003", None, 3, 6, 0.5),
)
_lines(108, 0, PRO, "11", (None, "90834", None, 1, 101, 1), (None, "96127", None, 1, 5, 0.4))
_lines(109, 0, PRO, "11", (None, "98941", "AT", 1, 41, 1), (None, "97140", "59", 1, 28, 0.4))
_lines(201, 0, PRO, "10", (None, "99213", "95", 1, 92, 1))
_lines(202, 0, PRO, "10", (None, "90834", "95", 1, 101, 1))
_lines(
    301,
    0,
    PRO,
    "20",
    (None, "99203", None, 1, 113, 1),
    (None, "87880", None, 1, 16, 0.35),
    (None, "87804", None, 2, 16, 0.3),
    (None, "71046", None, 1, 30, 0.2),
    (None, "12001", None, 1, 92, 0.1),
)
_lines(
    401,
    0,
    INS,
    None,
    ("0300", "80053", None, 1, 14, 0.9),
    ("0300", "80061", None, 1, 18, 0.5),
    ("0301", "83036", None, 1, 13, 0.4),
    ("0305", "85025", None, 1, 11, 0.8),
    ("0300", "36415", None, 1, 9, 0.9),
    ("0301", "84443", None, 1, 22, 0.35),
)
_lines(402, 0, INS, None, ("0611", "70553", None, 1, 390, 1), ("0255", "A9579", None, 15, 3, 0.8))
_lines(402, 1, PRO, "22", (None, "70553", "26", 1, 112, 1))
_lines(
    403,
    0,
    INS,
    None,
    ("0352", "74177", None, 1, 330, 1),
    ("0255", "Q9967", None, 100, 0.4, 0.9),
    ("0300", "82565", None, 1, 8, 0.6),
)
_lines(403, 1, PRO, "22", (None, "74177", "26", 1, 88, 1))
_lines(404, 0, INS, None, ("0403", "77067", None, 1, 105, 1), ("0403", "77063", None, 1, 40, 0.7))
_lines(404, 1, PRO, "22", (None, "77067", "26", 1, 38, 1))
_lines(
    405,
    0,
    INS,
    None,
    ("0750", "45380", None, 1, 840, 1),
    ("0312", "88305", None, 2, 45, 0.8),
    ("0250", None, None, 1, 40, 0.8),
)
_lines(405, 1, PRO, "22", (None, "45380", None, 1, 210, 1), (None, "45385", "59", 1, 120, 0.3))
_lines(
    406,
    0,
    INS,
    None,
    ("0360", "29881", "RT", 1, 2350, 1),
    ("0250", None, None, 1, 110, 1),
    ("0270", None, None, 1, 260, 1),
    ("0710", None, None, 1, 240, 1),
    ("0370", None, None, 1, 180, 0.9),
)
_lines(406, 1, PRO, "22", (None, "29881", "RT", 1, 560, 1))
_lines(
    407,
    0,
    INS,
    None,
    ("0360", "66984", "RT", 1, 1720, 1),
    ("0276", "V2632", None, 1, 150, 1),
    ("0250", None, None, 1, 60, 0.9),
)
_lines(407, 1, PRO, "22", (None, "66984", "RT", 1, 545, 1))
_lines(408, 0, INS, None, ("0480", "93306", None, 1, 460, 1), ("0730", "93005", None, 1, 14, 0.6))
_lines(408, 1, PRO, "22", (None, "93306", "26", 1, 72, 1))
for _template, _drug, _price in ((409, "J1745", 50.0), (412, "J3380", 22.0)):
    _lines(
        _template,
        0,
        INS,
        None,
        ("0335", "96413", None, 1, 150, 1),
        ("0636", _drug, None, 60 if _template == 409 else 300, _price, 1),
        ("0300", "85025", None, 1, 11, 0.7),
    )
_lines(410, 0, INS, None, ("0920", "95810", None, 1, 610, 1))
_lines(
    411,
    0,
    PRO,
    "12",
    (None, "E0601", "RR", 1, 78, 1),
    (None, "A7030", "NU", 1, 120, 0.4),
    (None, "A7038", "NU", 2, 5, 0.5),
)
_ED = (
    ("0300", "80053", None, 1, 14, 0.6),
    ("0305", "85025", None, 1, 11, 0.6),
    ("0324", "71046", None, 1, 62, 0.4),
    ("0730", "93005", None, 1, 22, 0.4),
    ("0260", "96374", None, 1, 120, 0.3),
)
_lines(501, 0, INS, None, ("0450", "99283", None, 1, 265, 1), *_ED[:2])
_lines(501, 1, PRO, "23", (None, "99283", None, 1, 72, 1))
_lines(502, 0, INS, None, ("0450", "99284", None, 1, 410, 1), *_ED, ("0351", "70450", None, 1, 130, 0.25))
_lines(502, 1, PRO, "23", (None, "99284", None, 1, 121, 1), (None, "93010", None, 1, 9, 0.4))
_lines(503, 0, INS, None, ("0450", "99285", None, 1, 590, 1), *_ED, ("0352", "74177", None, 1, 330, 0.4))
_lines(503, 1, PRO, "23", (None, "99285", None, 1, 176, 1), (None, "93010", None, 1, 9, 0.6))
_lines(
    601,
    0,
    INS,
    None,
    ("0762", "G0378", None, 26, 62, 1),
    ("0450", "99285", None, 1, 590, 0.9),
    ("0480", "93306", None, 1, 460, 0.4),
    *_ED,
)
_lines(601, 1, PRO, "22", (None, "99222", None, 1, 132, 1), (None, "99238", None, 1, 82, 0.8))
# prices of inpatient facility lines are shares of the stay's payment; units of room and board become the days
_lines(
    701,
    0,
    INS,
    None,
    ("0120", None, None, 1, 0.38, 1),
    ("0250", None, None, 1, 0.17, 1),
    ("0270", None, None, 1, 0.12, 0.8),
    ("0300", None, None, 1, 0.12, 1),
    ("0320", None, None, 1, 0.07, 0.7),
    ("0360", None, None, 1, 0.30, 1),
    ("0450", None, None, 1, 0.06, 0.6),
    ("0730", None, None, 1, 0.02, 0.5),
)
_lines(
    701,
    1,
    PRO,
    "21",
    (None, "99223", None, 1, 182, 1),
    (None, "99232", None, 1, 80, 1),
    (None, "99239", None, 1, 116, 1),
)
_lines(701, 2, PRO, "21", (None, "27447", None, 1, 1180, 1), (None, "76937", "26", 1, 15, 0.3))
_lines(
    801,
    0,
    INS,
    None,
    ("0821", "90999", None, 13, 268, 1),
    ("0634", "Q5105", None, 60, 0.9, 0.8),
    ("0636", "J1756", None, 100, 0.3, 0.6),
)
_lines(801, 1, PRO, "65", (None, "90960", None, 1, 285, 1))
_lines(
    901,
    0,
    INS,
    None,
    ("0335", "96413", None, 1, 150, 1),
    ("0636", "J9271", None, 200, 46, 0.7),
    ("0636", "J2405", None, 8, 0.4, 0.8),
    ("0305", "85025", None, 1, 11, 1),
)
_lines(901, 1, PRO, "22", (None, "99215", None, 1, 183, 1))

# NDC, condition (0: acute), price of a fill, days, quantity, monthly share of those with the condition
DRUGS: list[tuple[object, ...]] = [
    ("00093515298", 1, 14, 30, 30, 0.8),
    ("00071015523", 2, 19, 90, 90, 0.27),
    ("00087606005", 3, 12, 30, 60, 0.7),
    ("00169413212", 3, 940, 28, 1, 0.35),
    ("00002143380", 20, 1050, 28, 2, 0.22),
    ("00006027731", 3, 560, 30, 30, 0.32),
    ("00078065920", 6, 640, 30, 60, 0.45),
    ("00173069600", 7, 390, 30, 60, 0.55),
    ("00310728020", 8, 310, 30, 1, 0.45),
    ("00093505698", 9, 16, 30, 30, 0.62),
    ("63653117101", 10, 21, 30, 30, 0.75),
    ("00074055402", 11, 6100, 28, 2, 0.6),
    ("00310048230", 12, 38, 30, 30, 0.6),
    ("50242006401", 13, 8900, 30, 30, 0.7),
    ("57894006103", 14, 11800, 56, 1, 0.5),
    ("00003089421", 16, 590, 30, 60, 0.65),
    ("00074662490", 17, 17, 90, 90, 0.3),
    ("00093720198", 18, 13, 30, 30, 0.45),
    ("00228202750", 19, 11, 30, 60, 0.2),
    ("55513000204", 5, 780, 30, 4, 0.5),
    ("00781185220", 0, 14, 10, 20, 0.055),
    ("00093314705", 0, 18, 7, 28, 0.02),
    ("59310057922", 0, 48, 30, 1, 0.02),
]


def make_catalog(con: duckdb.DuckDBPyConnection) -> None:
    """The lists as tables, and slot tables from which a weighted choice is one hash join."""
    values_table(
        con, "w_condition", "condition, code, share, slope, office, outpatient, emergency, inpatient", CONDITIONS
    )
    values_table(con, "w_acute", "code, summer, winter, kinds", ACUTE)
    values_table(
        con,
        "w_stay",
        "drg, weight, relative_weight, days, diagnosis, second_diagnosis, procedure, "
        "condition, age_from, age_to, sex, winter",
        STAYS,
    )
    values_table(
        con,
        "w_template",
        "template, kind, weight, age_from, age_to, sex, service_class, diagnosis, condition, risk",
        TEMPLATES,
    )
    values_table(
        con,
        "w_template_line",
        "template, form, line, claim_type, revenue, hcpcs, modifier, place, units, price, share",
        LINES,
    )
    values_table(con, "w_drug", "ndc, condition, price, days, quantity, share", DRUGS)
    con.execute("""
    create or replace table w_acute_slot as
    with weighted as (
        select kind::integer as kind, is_winter, code, case when is_winter then winter else summer end as weight
        from w_acute, unnest(string_split(kinds, ',')) as split(kind), (values (true), (false)) as seasons(is_winter)
    ), ranged as (
        select *, sum(weight) over (partition by kind, is_winter order by code) / sum(weight) over season as upper,
               weight / sum(weight) over season as width
        from weighted window season as (partition by kind, is_winter)
    )
    select kind, is_winter, slot::integer as slot, code
    from ranged join range(1000) slots(slot) on (slot + 0.5) / 1000 >= upper - width and (slot + 0.5) / 1000 < upper;
    """)
