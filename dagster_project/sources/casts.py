"""SQL that turns the text of one cell into a contract's type, and says what is wrong with it.

Belongs here: expressions over one value. Does not: files, layouts, statements.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from dagster_project.database import literal
from dagster_project.sources.amounts import decimal
from dagster_project.sources.contracts import TODAY, Bound, Column

BLANK_CHARACTERS = " \t\r\xa0"
BLANKS = "' ' || chr(9) || chr(13) || chr(160)"
ISO_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
_TIMESTAMP = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d(:?\d\d)?)?"
_NUMBER = r"-?(\d+\.?\d*|\.\d+)"
# 18 digits before the point: no sum of a file's amounts can then leave 38 digits, which once ended a whole run.
AMOUNT_DIGITS = r"-?(\d{1,18}(\.\d{0,10}0*)?|\.\d{1,10}0*)"

# As nearly all amounts are written; a few hundred of them still add up to eighteen digits.
ORDINARY_AMOUNT = r"-?[0-9]{1,13}(\.[0-9]{1,2})?"

# What may be cleaned: commas and blanks between digits stand before three digits. `12,50` is a European 12.50 and no
# 1250, which it once was read as; and `12 50` is two numbers.
WRITTEN_NUMBER = r"[-+($ \t\r\x{a0}]*(\d{1,3}([, \t\r\x{a0}]\d{3})+|\d*)(\.\d*)?[)$ \t\r\x{a0}]*"

# What a spreadsheet leaves of a text that looked like a number, or of a formula: no text or code is ever meant so.
_SPREADSHEET_DAMAGE = r"(?i)=\".*\"|#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|#+)|\d(\.\d+)?E\+\d+"
# Words of databases and programs for nothing. As an id they would make one person of all who have none, and behind a
# token nobody would see it. A layout whose sender means blank by them says so in null_values.
_NO_ID = r"(?i)null|\(null\)|<null>|n/?a|<na>|nan|none|nil|\\n"
_EARLIEST = "date '1800-01-01'"


def name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def cleaned_number(value: str) -> str:
    """Without $, thousands commas, blanks and a leading +; parentheses mean negative."""
    bare = f"translate({value}, '$, ' || chr(9) || chr(13) || chr(160), '')"
    return (
        f"case when {value} is null then null when not regexp_full_match({value}, '{WRITTEN_NUMBER}') then {value} "
        f"when {bare} like '(%)' then '-' || substr({bare}, 2, length({bare}) - 2) else ltrim({bare}, '+') end"
    )


def amount_of(number: str) -> str:
    """What a number's text counts for in sums of dollars, however many decimals it has; NULL if it is no number."""
    return f"case when regexp_full_match({number}, '{AMOUNT_DIGITS}') then {decimal(number, 38, 10)} end"


def is_numeric(column: Column) -> bool:
    return column.type == "integer" or column.decimals is not None


def plain_type(column: Column, date_formats: list[str]) -> str | None:
    """The type whose own spelling of a value nearly all cells have (12.50, 7, 2025-01-31), if there is one.

    A text that the cast gives back letter for letter needs no pattern to be judged by: comparing is several times faster.
    """
    if column.type == "integer":
        return "bigint"
    if column.decimals and column.decimals[0] <= 18:
        return f"decimal({column.decimals[0]}, {column.decimals[1]})"
    return "date" if column.type == "date" and (date_formats or ISO_DATES)[0] == ISO_DATES[0] else None


def is_plain(column: Column, text: str, value: str) -> str:
    """Whether a text is its type's own spelling. Years are of four digits: strptime knows no others."""
    same = f"cast({value} as varchar) = {text}"
    return f"({same} and strlen({text}) = 10)" if column.type == "date" else same


def prepared(column: Column, value: str) -> str:
    """The text that is judged and cast: numbers cleaned, codes in one case, zeros given back."""
    if is_numeric(column):
        # Most numbers are plain; cleaning the rest only keeps reading fast.
        return f"case when regexp_full_match({value}, '{_NUMBER}') then {value} else {cleaned_number(value)} end"
    if column.type == "boolean":
        return f"lower({value})"
    expression = padded(value, column.pad) if column.pad else value
    if column.type == "code":
        return f"{'lower' if column.is_lower_case else 'upper'}({expression})"
    return expression


def padded(value: str, length: int) -> str:
    """Zeros on the left, when it is all digits: spreadsheets eat them."""
    is_short = f"regexp_full_match({value}, '[0-9]+') and length({value}) < {length}"
    return f"case when {is_short} then lpad({value}, {length}, '0') else {value} end"


def typed(column: Column, text: str, date_formats: list[str]) -> str:
    """The value in the contract's type; NULL where the text is not one."""
    if column.type in ("text", "code", "free_text"):
        return text
    if column.type == "integer":
        return f"case when regexp_full_match({text}, '-?\\d+(\\.0*)?') then try_cast({text} as bigint) end"
    if column.decimals:
        digits, decimals = column.decimals
        return (
            f"case when regexp_full_match({text}, "
            f"'-?(\\d+(\\.\\d{{0,{decimals}}}0*)?|\\.\\d{{1,{max(decimals, 1)}}}0*)') "
            f"then {decimal(text, digits, decimals)} end"
        )
    if column.type == "date":
        return f"cast(try_strptime({text}, [{', '.join(map(literal, date_formats or ISO_DATES))}]) as date)"
    if column.type == "timestamp":
        if date_formats:
            return f"try_strptime({text}, [{', '.join(map(literal, date_formats))}])"
        moment = f"cast(try_cast({text} as timestamptz) as timestamp)"
        return f"case when regexp_full_match({text}, '{_TIMESTAMP}') then {moment} end"
    return (
        f"case when {text} in ('true', 't', 'yes', 'y', '1') then true "
        f"when {text} in ('false', 'f', 'no', 'n', '0') then false end"
    )


def reasons(column: Column, text: str, value: str, today: dt.date) -> list[tuple[str, str]]:
    """(condition, reason code) in the order in which they are told."""
    found = []
    if column.required:
        found.append((f"{text} is null", "missing"))
    if column.type == "integer":
        found.append((f"{value} is null and {text} is not null", "not_a_number"))
    elif column.decimals:
        found.append(
            (f"{value} is null and {text} is not null and not regexp_full_match({text}, '{_NUMBER}')", "not_a_number")
        )
        decimals = column.decimals[1]
        found.append(
            (
                f"{value} is null and {text} is not null and regexp_matches({text}, '\\.\\d{{{decimals}}}\\d*[1-9]')",
                "too_many_decimals",
            )
        )
        found.append((f"{value} is null and {text} is not null", "out_of_range"))
    elif column.type in ("date", "timestamp"):
        found.append((f"{value} is null and {text} is not null", f"not_a_{column.type}"))
    elif column.type == "boolean":
        found.append((f"{value} is null and {text} is not null", "not_allowed"))
    elif column.type in ("text", "code"):
        found += _never_meant(column, value)
    if column.allowed is not None:
        allowed = [item.lower() if column.is_lower_case else item.upper() for item in column.allowed]
        chosen = allowed if column.type == "code" else column.allowed
        found.append((f"{value} not in ({', '.join(map(literal, chosen))})", "not_allowed"))
    if column.pattern is not None:
        found.append((f"not regexp_full_match({value}, {literal(column.pattern)})", "pattern"))
    if column.between is not None:
        low, high = (_bound(item, today) for item in column.between)
        if column.type == "timestamp":
            value = f"cast({value} as date)"
        found.append((f"{value} not between {low} and {high}", "out_of_range"))
    elif column.type in ("date", "timestamp"):
        # A two-digit year read by a format with four is one of the first century.
        found.append((f"{value} < {_EARLIEST}", "out_of_range"))
    if column.minimum is not None:
        found.append((f"{value} < {_bound(column.minimum, today)}", "out_of_range"))
    return found


def _never_meant(column: Column, value: str) -> list[tuple[str, str]]:
    """Texts that look like values and are damage. Cheap looks come first: hardly any value needs the expression."""
    found = []
    if column.allowed is None and column.pattern is None:  # those find it themselves
        suspect = f"(contains({value}, '+') or starts_with({value}, '#') or starts_with({value}, '='))"
        found.append((f"{suspect} and regexp_full_match({value}, '{_SPREADSHEET_DAMAGE}')", "spreadsheet_damage"))
    if column.token_kind:
        replaced = f"contains({value}, chr(65533))"  # a character that somebody lost: unpack.py, or the sender
        is_word = f"(strlen({value}) < 7 and regexp_full_match({value}, '{_NO_ID}'))"
        found.append((f"{replaced} or {is_word}", "not_an_id"))
    return found


def _bound(bound: Bound, today: dt.date) -> str:
    if bound == TODAY:
        bound = today
    return f"date '{bound.isoformat()}'" if isinstance(bound, dt.date) else str(Decimal(bound))
