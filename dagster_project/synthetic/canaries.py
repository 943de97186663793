"""Identities that no one has, planted among the members so that a search can prove that none of them leaks.

Belongs here: the planted strings. Does not: where they are written (people.py), where they are searched (tests).
"""

from __future__ import annotations

# (first name, last name, SSN, address, city, phone, e-mail, birth date, ZIP): one per canary member, unmistakable.
CANARY_PEOPLE = [
    (
        "Zyxcanaria",
        "Zyxcanaryova",
        "987-65-4320",
        "7731 Zyxcanary Loop",
        "Zyxcanaryville",
        "999-555-73101",
        "zyxcanaria@zyxcanary.example",
        "1913-02-17",
        "99951-7313",
    ),
    (
        "Zyxcanardo",
        "Zyxcanarysson",
        "987-65-4321",
        "7732 Zyxcanary Loop",
        "Zyxcanaryville",
        "999-555-73102",
        "zyxcanardo@zyxcanary.example",
        "1931-03-29",
        "99951-7314",
    ),
    (
        "Zyxcanella",
        "Zyxcanaryez",
        "987-65-4322",
        "7733 Zyxcanary Loop",
        "Zyxcanaryville",
        "999-555-73103",
        "zyxcanella@zyxcanary.example",
        "1988-05-23",
        "99951-7315",
    ),
    (
        "Zyxcanius",
        "Zyxcanaryic",
        "987-65-4323",
        "7734 Zyxcanary Loop",
        "Zyxcanaryville",
        "999-555-73104",
        "zyxcanius@zyxcanary.example",
        "1958-07-13",
        "99951-7316",
    ),
    (
        "Zyxcanina",
        "O'Zyxcanary",
        "987-65-4324",
        "7735 Zyxcanary Loop",
        "Zyxcanaryville",
        "999-555-73105",
        "zyxcanina@zyxcanary.example",
        "2009-11-29",
        "99951-7317",
    ),
]
CANARY_NOTE = "Zyxcanary-note: patient Zyxcanaria asks to be called at 999-555-73101"
# Every id of a canary member starts with ZYX: record, member, account, claim, encounter, authorization, fill …
CANARY_ID_PREFIXES = [
    "ZYXMEM",
    "ZYXMRN",
    "ZYXACCT",
    "ZYXCLM",
    "ZYXENC",
    "ZYXAUT",
    "ZYXAPT",
    "ZYXTRX",
    "ZYXWRK",
    "ZYXRX",
    "ZYXCTL",
]


def canaries() -> list[str]:
    """Strings of which no file outside landing/ may hold one; each is part of a planted identity."""
    return sorted(
        {text for person in CANARY_PEOPLE for text in person} | {CANARY_NOTE, "Zyxcanary"} | set(CANARY_ID_PREFIXES)
    )
