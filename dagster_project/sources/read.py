"""SQL that reads one file for one feed: every physical line becomes rows, each typed or with what is wrong with it.

Belongs here: statements over the lines of a file, built from a contract and a layout. Rows stay in DuckDB.
Does not: finding files, tokens, writing the lake.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.database import literal
from dagster_project.privacy.generalise import generalised_sql
from dagster_project.sources import casts
from dagster_project.sources.casts import name
from dagster_project.sources.contracts import Contract
from dagster_project.sources.layouts import Exclusion, Layout, Mapping, fill, fill_mapping
from dagster_project.sources.recognise import position

ROWS = "typed_rows"
LINES = "numbered_lines"
PLACES = "places_in_interchanges"  # line, interchange_number, transaction_number of rows of X12 that are set aside; else empty
MAX_LINE_BYTES = 8 << 20

# A field of a line that holds quotes, with the delimiter before it: quoted, or bare text that starts without a quote.
QUOTED_FIELD = r'{d}(?:{b}*"(?:[^"]|"")*"{b}*|[^{c}"][^{c}]*|)'


@dataclass(frozen=True)
class Problem:
    """Why rows are not accepted; or what is noted of a file, which keeps no row from being so."""

    outcome: str  # set_aside, excluded, noted
    column: str | None
    reason_code: str


@dataclass(frozen=True)
class Reading:
    """One file, read for one feed."""

    path: Path  # what DuckDB opens: clean text, plain or gzipped
    is_gzip: bool
    has_return: bool  # lines end in CR LF
    contract: Contract
    layout: Layout
    header: tuple[str, ...]
    header_line_number: int
    delimiter: str
    file_name: str  # as landed, for values taken from it
    period: str | None  # the operator's word
    today: dt.date
    is_leading: bool = True  # of the feeds that read the file the one that tells what is to be told once


class MissingInName(Exception):
    """A layout takes a value from the file's name, which does not have it."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def read_rows(con: duckdb.DuckDBPyConnection, reading: Reading) -> list[Problem]:
    """Makes the tables PLACES and ROWS: line, part, problem (0 none, else the place in the list returned), amount, columns.

    Columns are the lake's, except that ids that will be tokens still are what was sent, under the contract's name. What a layout
    tells rows of one key apart by is a column besides.
    """
    builder = Builder(reading)
    # Rows of a table are numbered in the order in which they were put in, which is the file's, on all cores; counting
    # them by a window would run on one.
    con.execute(f"create or replace temp table {LINES} as {builder.lines()}")
    problems = make_rows(con, builder, [builder.statement()])
    con.execute(f"drop table {LINES}")
    con.execute(
        f"create or replace temp table {PLACES} (line bigint, interchange_number bigint, transaction_number bigint)"
    )
    return problems


def make_rows(con: duckdb.DuckDBPyConnection, builder: Builder, statements: Iterable[str]) -> list[Problem]:
    """ROWS from what the builder's statements give one after the other, each row that repeats a key set aside as well."""
    for number, statement in enumerate(statements):
        con.execute(
            f"insert into {ROWS} {statement}" if number else f"create or replace temp table {ROWS} as {statement}"
        )
    problems = [*builder.problems, Problem("set_aside", None, "duplicate_key")]
    _mark_duplicates(con, [*builder.contract.key, *builder.apart], len(problems))
    return problems


def _mark_duplicates(con: duckdb.DuckDBPyConnection, columns: list[str], number: int) -> None:
    """Of several rows with one key the first is kept."""
    key = ", ".join(map(name, columns))
    con.execute(
        f"create or replace temp table repeated_keys as select {key}, min(line * 512 + part) as first_place "
        f"from {ROWS} where problem = 0 group by {key} having count(*) > 1"
    )
    if con.execute("select count(*) from repeated_keys").fetchone() != (0,):
        same = " and ".join(f"{ROWS}.{name(column)} is not distinct from k.{name(column)}" for column in columns)
        con.execute(
            f"update {ROWS} set problem = {number} from repeated_keys k "
            f"where {same} and {ROWS}.problem = 0 and {ROWS}.line * 512 + {ROWS}.part > k.first_place"
        )
    con.execute("drop table repeated_keys")


class Builder:
    """Puts the statement together; `problems` fills while it does."""

    flags: tuple[str, ...] = ("line", "part", "is_footer", "is_open", "is_uneven")
    damages: tuple[str, ...] = ()  # reasons that a row comes with, in a column `damage` beside these flags

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.contract, self.layout = reading.contract, reading.layout
        self.problems: list[Problem] = []
        self.rounds = self.layout.rounds()
        # Of a column that is dropped nothing is read; of one that nothing is mapped to there is nothing to read.
        self.columns = {
            column: definition
            for column, definition in self.contract.columns.items()
            if definition.identity != "drop" and column in self.layout.columns
        }
        # Columns whose cells are first held against their type's own spelling.
        kinds = {
            column: casts.plain_type(definition, self._date_formats(column))
            for column, definition in self.columns.items()
        }
        self.plain = {column: kind for column, kind in kinds.items() if kind}
        # What tells rows of one key apart beside it; the lake has no such column.
        self.apart = ["told apart by"] if self.layout.apart else []

    def statement(self) -> str:
        problem = self._problem()
        return "\n".join(
            [
                f"with cells as ({self._cells()}),",
                f"parts as ({self._parts()}),",
                f"texts as ({self._texts()}),",
                f"cast_texts as ({self._cast_texts()}),",
                f"prepared as ({self._prepared()}),",
                f"typed as ({self._typed()})",
                f"select line, part, {problem} as problem, {self._amount()} as amount,",
                f"{', '.join([*map(name, self.apart), *self._kept()])} from typed",
            ]
        )

    def lines(self) -> str:
        """All physical lines in their order: the first has row number 0."""
        reading = self.reading
        new_line = "\\r\\n" if reading.has_return else "\\n"
        return (
            f"select text from read_csv({literal(str(reading.path))}, columns = {{'text': 'VARCHAR'}}, "
            f"header = false, auto_detect = false, delim = chr(1), quote = '', escape = '', "
            f"new_line = '{new_line}', max_line_size = {MAX_LINE_BYTES}, buffer_size = {4 * MAX_LINE_BYTES}, "
            f"compression = '{'gzip' if reading.is_gzip else 'none'}')"
        )

    def _cells(self) -> str:
        delimiter = self.reading.delimiter
        escaped = re.escape(delimiter)
        blank = "[ ]" if delimiter == "\t" else "[ \\t]"
        pattern = literal(QUOTED_FIELD.format(d=escaped, c=escaped, b=blank))
        fields = f"regexp_extract_all({literal(delimiter)} || text, {pattern}, 0)"
        bare = f"trim(substr(field, 2), {casts.BLANKS})"
        inner = f"trim(replace(substr({bare}, 2, length({bare}) - 2), '\"\"', '\"'), {casts.BLANKS})"
        unquoted = f"case when {bare} like '\"%' then {inner} else {bare} end"
        quoted = (
            f"case when array_to_string({fields}, '') = {literal(delimiter)} || text "
            f"then list_transform({fields}, lambda field: {unquoted}) end"
        )
        cells = f"string_split(text, {literal(delimiter)})"
        trimmed = f"list_transform({cells}, lambda field: trim(field, {casts.BLANKS}))"
        bare_cells = f"case when {self._may_be_padded()} then {trimmed} else {cells} end"
        split = f"case when contains(text, '\"') then {quoted} else {bare_cells} end"
        footer = f"regexp_matches(text, {literal(self.layout.footer.matches)})" if self.layout.footer else "false"
        # Without the header, what stands before it, and blank lines. A line that begins with a visible ASCII character
        # is not blank: for nearly all that settles it.
        return (
            f"select rowid + 1 as line, {footer} as is_footer, {split} as c from {LINES} "
            f"where rowid >= {self.reading.header_line_number} "
            f"and ((text >= '!' and text < chr(127)) or regexp_matches(text, '[^{casts.BLANK_CHARACTERS}]'))"
        )

    def _may_be_padded(self) -> str:
        """Hardly any line has blanks around its values; one look at the line is cheaper than trimming every cell."""
        delimiter = self.reading.delimiter
        looks = []
        for blank in casts.BLANK_CHARACTERS.replace(delimiter, ""):
            if blank == " ":  # the only one that stands within values, too
                looks += [f"contains(text, {literal(delimiter + ' ')})", f"contains(text, {literal(' ' + delimiter)})"]
                looks += ["starts_with(text, ' ')", "ends_with(text, ' ')"]
            else:
                looks.append(f"contains(text, chr({ord(blank)}))")
        return f"({' or '.join(looks)})"

    def _parts(self) -> str:
        width = len(self.reading.header)
        flags = f"is_footer, c is null as is_open, len(c) <> {width} as is_uneven"
        if self.layout.repeat is None:
            return f"select line, 1 as part, {flags}, c from cells"
        present = ", ".join(
            f"case when {self._is_present(binding)} then {number} end"
            for number, binding in enumerate(self.rounds, start=1)
        )
        found = f"list_filter([{present}], lambda part: part is not null)"
        parts = (
            f"case when is_footer or c is null or len(c) <> {width} then [1] "
            f"when len({found}) = 0 then [0] else {found} end"
        )
        return f"select line, unnest({parts}) as part, {flags}, c from cells"

    def _is_present(self, binding: dict[str, str]) -> str:
        cells = (
            [self._cell(fill(column, binding)) for column in self.layout.repeat.present] if self.layout.repeat else []
        )
        return "(" + " or ".join(f"{cell} is not null" for cell in cells) + ")" if cells else "true"

    def _cell(self, column: str) -> str:
        """The text of a source column: trimmed, blanks and the layout's words for blank as NULL."""
        place = position(self.reading.header, column)
        if place is None:
            return "cast(null as varchar)"
        text = f"nullif(c[{place + 1}], '')"
        if self.layout.null_values:
            return f"case when {text} not in ({', '.join(map(literal, self.layout.null_values))}) then {text} end"
        return text

    def _texts(self) -> str:
        columns = [
            f"{self._each_round(self.layout.columns[column], column)} as {name(column)}" for column in self.columns
        ]
        excluded = [
            f"{self._condition_each_round(rule)} as {name('excluded ' + rule_name)}"
            for rule_name, rule in self.layout.exclude.items()
        ]
        apart = [f"{self._each_round(self.layout.apart, '')} as {name(self.apart[0])}"] if self.layout.apart else []
        return f"select {', '.join([*self.flags, *columns, *excluded, *apart])} from parts"

    def _each_round(self, mapping: Mapping, column: str) -> str:
        return self._by_part([self._text(fill_mapping(mapping, binding), column) for binding in self.rounds])

    def _condition_each_round(self, rule: Exclusion) -> str:
        return self._by_part([self._condition(rule, fill(rule.column, binding)) for binding in self.rounds])

    @staticmethod
    def _by_part(expressions: list[str]) -> str:
        if len(set(expressions)) == 1:
            return expressions[0]
        branches = " ".join(
            f"when {number} then {expression}" for number, expression in enumerate(expressions, start=1)
        )
        return f"case part {branches} end"

    def _text(self, mapping: Mapping, column: str) -> str:
        text = self._origin(mapping, column)
        if mapping.extract is not None:
            text = f"nullif(regexp_extract({text}, {literal(mapping.extract)}, 1), '')"
        if mapping.map is not None:
            branches = " ".join(f"when {literal(key)} then {literal(value)}" for key, value in mapping.map.items())
            other = literal(mapping.default) if mapping.default is not None else text
            text = f"nullif(case {text} {branches} else {other} end, '')" if branches else text
        elif mapping.default is not None:
            text = f"coalesce({text}, {literal(mapping.default)})"
        return casts.padded(f"({text})", mapping.pad) if mapping.pad else text

    def _origin(self, mapping: Mapping, column: str) -> str:
        if mapping.from_ is not None:
            return self._cell(mapping.from_)
        if mapping.value is not None:
            return literal(mapping.value)
        if mapping.file is not None:
            return literal(self._from_name(mapping.file, column))
        if mapping.sum is not None:
            return self._sum(mapping.sum, mapping.less)
        parts = [self._text(part, column) for part in mapping.first or mapping.concat or []]
        if mapping.first is not None:
            return f"coalesce({', '.join(parts)})"
        together = f" || {literal(mapping.separator)} || ".join(f"coalesce({part}, '')" for part in parts)
        return f"case when coalesce({', '.join(parts)}) is not null then {together} end"

    def _sum(self, added: list[str], subtracted: list[str]) -> str:
        cells = [self._cell(column) for column in [*added, *subtracted]]
        amounts = [casts.amount_of(f"({casts.cleaned_number(cell)})") for cell in cells]
        wrong = " or ".join(
            f"({cell} is not null and {amount} is null)" for cell, amount in zip(cells, amounts, strict=True)
        )
        signs = ["+"] * len(added) + ["-"] * len(subtracted)
        total = " ".join(f"{sign} coalesce({amount}, 0)" for sign, amount in zip(signs, amounts, strict=True))
        # Text again, so that a sum is judged like any other number; an addend that is none makes the sum none.
        is_blank = f"coalesce({', '.join(cells)}) is null"
        # Ordinary amounts are added in half the digits, since wide decimals took most of the time of a remittance.
        ordinary = " and ".join(f"coalesce({cell} ~ '{casts.ORDINARY_AMOUNT}', true)" for cell in cells)
        short = " ".join(
            f"{sign} coalesce(try_cast({cell} as decimal(18, 2)), 0)" for sign, cell in zip(signs, cells, strict=True)
        )
        return (
            f"case when {is_blank} then null when {ordinary} then cast(cast({short} as decimal(18, 2)) as varchar) "
            f"when {wrong} then '?' else cast({total} as varchar) end"
        )

    def _from_name(self, pattern: str, column: str) -> str:
        reading = self.reading
        if reading.period:  # the operator's word: as a name would have it (FY2016), or the bare number
            if found := re.search(pattern, reading.period):
                return found[1] or ""
            if self.contract.columns[column].type == "integer":
                return reading.period
        if found := re.search(pattern, reading.file_name.rsplit("/", 1)[-1]):
            return found[1] or ""
        raise MissingInName(column)

    def _condition(self, rule: Exclusion, column: str) -> str:
        text = f"coalesce({self._cell(column)}, '')"
        if rule.blank is not None:
            return f"{text} = ''" if rule.blank else f"{text} <> ''"
        if rule.in_ is not None or rule.not_in is not None:
            values = ", ".join(map(literal, rule.in_ or rule.not_in or [""]))
            return f"{text} {'in' if rule.in_ is not None else 'not in'} ({values})"
        if rule.matches is not None:
            return f"regexp_matches({text}, {literal(rule.matches)})"
        return f"not regexp_matches({text}, {literal(rule.not_matches or '')})"

    def _cast_texts(self) -> str:
        casted = [
            f"try_cast({name(column)} as {kind}) as {name('cast ' + column)}" for column, kind in self.plain.items()
        ]
        return f"select {', '.join(['*', *casted])} from texts"

    def _prepared(self) -> str:
        columns = []
        for column, definition in self.columns.items():
            text = name(column)
            if column not in self.plain:
                columns.append(f"{casts.prepared(definition, text)} as {text}")
                continue
            value = name("cast " + column)
            is_plain = casts.is_plain(definition, text, value)
            columns.append(f"case when {is_plain} then {text} else {casts.prepared(definition, text)} end as {text}")
            columns.append(f"case when {is_plain} then {value} end as {name('plain ' + column)}")
        return f"select {', '.join([*self._carried(), *columns])} from cast_texts"

    def _typed(self) -> str:
        columns = []
        for column, definition in self.columns.items():
            value = casts.typed(definition, name(column), self._date_formats(column))
            if column in self.plain:
                value = f"coalesce({name('plain ' + column)}, {value})"
            columns.append(f"{name(column)} as {name('text ' + column)}")
            columns.append(f"{value} as {name(column)}")
        return f"select {', '.join([*self._carried(), *columns])} from prepared"

    def _date_formats(self, column: str) -> list[str]:
        return [item for part in self.layout.columns[column].parts() for item in part.date_formats]

    def _carried(self) -> list[str]:
        return [*self.flags, *(name("excluded " + rule) for rule in self.layout.exclude), *map(name, self.apart)]

    def _problem(self) -> str:
        branches = " ".join(f"when {condition} then {self._number(problem)}" for condition, problem in self._problems())
        return f"cast(case {branches} else 0 end as smallint)"

    def _number(self, problem: Problem) -> int:
        if problem not in self.problems:
            self.problems.append(problem)
        return self.problems.index(problem) + 1

    def _problems(self) -> Iterator[tuple[str, Problem]]:
        yield "is_footer", Problem("excluded", None, "footer")
        yield "is_open", Problem("set_aside", None, "open_quote")
        yield "is_uneven", Problem("set_aside", None, "wrong_field_count")
        yield "part = 0", Problem("excluded", None, "no_repeat_present")
        for reason in self.damages:
            yield f"damage = {literal(reason)}", Problem("set_aside", None, reason)
        for rule in self.layout.exclude:
            yield name("excluded " + rule), Problem("excluded", None, rule)
        for column, definition in self.contract.columns.items():
            if column in self.columns:
                text, value = name("text " + column), name(column)
                for condition, reason in casts.reasons(definition, text, value, self.reading.today):
                    yield condition, Problem("set_aside", column, reason)

    def _amount(self) -> str:
        amount = self.contract.amount
        if amount is None or amount not in self.columns:
            return "cast(0 as decimal(38, 10))"
        known = f"coalesce(cast({name(amount)} as decimal(38, 10)), {casts.amount_of(name('text ' + amount))}, 0)"
        return f"case when is_footer or is_open or is_uneven or part = 0 then 0 else {known} end"

    def _kept(self) -> list[str]:
        columns = []
        for column, definition in self.contract.columns.items():
            if definition.identity == "drop":
                continue
            value = name(column) if column in self.columns else f"cast(null as {definition.duckdb_type})"
            if definition.generalised_to:
                values = generalised_sql(definition.generalised_to, value, self.reading.today)
                lake_names = [lake.name for lake in self.contract.lake_columns() if lake.source == column]
                columns += [f"{item} as {name(called)}" for item, called in zip(values, lake_names, strict=True)]
            else:
                columns.append(f"{value} as {name(column)}")
        return columns
