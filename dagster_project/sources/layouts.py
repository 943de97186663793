"""What a sender's layout may say: which source column feeds which column of the contract, and how.

Belongs here: the grammar of `layouts:` and what can be told from it alone (which source columns it needs).
Does not: reading files (read.py), finding out which layout a file has (recognise.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

CANONICAL = "claimhouse"
X12 = "x12"

# Names of sources go into file paths and into what is hashed into a token: plain, and without the separator '|'.
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]*")


def _as_text(value: Any) -> Any:
    """YAML reads `1` and `2.5` as numbers; in a layout they are text like everything else in a file."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else value


def _as_texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, dict):
        return {_as_text(key): _as_text(item) for key, item in value.items()}
    return value


Text = Annotated[str, BeforeValidator(_as_text)]
Texts = Annotated[list[str], BeforeValidator(_as_texts)]
Mapped = Annotated[dict[str, str], BeforeValidator(_as_texts)]


def checked_pattern(pattern: str, needs_group: bool = False, runs_in_sql: bool = True) -> None:
    """Refuses a broken regular expression, and one that RE2 (in DuckDB and Arrow) could not run."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"the regular expression {pattern!r} is broken: {error}") from None
    if runs_in_sql and re.search(r"\(\?(<?[=!]|>|\()|\\[1-9]", pattern):
        raise ValueError(f"the regular expression {pattern!r} looks around or back; plain ones only")
    if needs_group and groups < 1:
        raise ValueError(f"the regular expression {pattern!r} needs a group: (…) is what is taken")


class Strict(BaseModel):
    """Unknown keys are refused: a misspelt option must not be silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_mapping(value: Any) -> Any:
    return {"from": _as_text(value)} if not isinstance(value, dict | BaseModel) else value


Parts = list[Annotated["Mapping", BeforeValidator(_as_mapping)]]


class Mapping(Strict):
    """Where one column of the contract comes from. Exactly one of from, value, file, sum, first, concat, repeat."""

    from_: Text | None = Field(None, alias="from", description="a source column")
    value: Text | None = Field(None, description="a constant")
    file: str | None = Field(None, description="a regular expression on the file's name; group 1")
    sum: Texts | None = Field(None, description="exact sum of source columns; blank if all are blank")
    less: Texts = Field(default=[], description="with sum: source columns that are subtracted")
    first: Parts | None = Field(None, description="the first source column (or mapping) that is not blank")
    concat: Parts | None = Field(
        None, description="source columns (or mappings) one after another; blank if all are blank"
    )
    repeat: str | None = Field(None, pattern="^number$", description="the number of the repeat")
    separator: str = Field("", description="between the parts of concat")
    format: str | None = Field(None, description="date format")
    formats: list[str] | None = Field(None, description="date formats, tried in turn")
    map: Mapped | None = Field(None, description="source value: value of the contract")
    default: Text | None = Field(None, description="for blanks, and for values that map does not know")
    extract: str | None = Field(None, description="a regular expression; group 1 is the value")
    pad: int | None = Field(None, ge=1, description="zeros on the left up to this length, when all digits")
    issued_by: str | None = Field(
        None, description="of a column that becomes a token: who issued the id, where it is not the sender"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Mapping:
        origins = [self.from_, self.value, self.file, self.sum, self.first, self.concat, self.repeat]
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("a mapping has exactly one of: from, value, file, sum, first, concat, repeat")
        if self.issued_by is not None and not NAME_PATTERN.fullmatch(self.issued_by):
            raise ValueError(f"issued_by {self.issued_by!r}: use lower-case letters, digits and _")
        if any(part.issued_by for part in self.parts()[1:]):
            raise ValueError("issued_by is said of the whole column, not of a part of it")
        if self.less and self.sum is None:
            raise ValueError("less goes with sum")
        for pattern in (self.file, self.extract):
            if pattern is not None:
                checked_pattern(pattern, needs_group=True, runs_in_sql=pattern is self.extract)
        return self

    def source_columns(self) -> list[str]:
        """Source columns it reads, with their {placeholders}."""
        if self.from_ is not None:
            return [self.from_]
        parts = self.first or self.concat or []
        return [*(self.sum or []), *self.less, *(name for part in parts for name in part.source_columns())]

    def parts(self) -> list[Mapping]:
        """Itself and the mappings inside it."""
        return [self, *(inner for part in self.first or self.concat or [] for inner in part.parts())]

    @property
    def date_formats(self) -> list[str]:
        return self.formats or ([self.format] if self.format else [])


class Repeat(Strict):
    """One source row that holds several rows side by side: {n} in names is the number of the repeat."""

    times: int | None = Field(None, ge=1, le=500, description="how many repeats; they bind {n} to 1, 2, …")
    bindings: list[Mapped] | None = Field(None, description="what each repeat binds, by name")
    present: Texts = Field(default=[], description="a repeat is there if any of these is not blank; none given: always")

    @model_validator(mode="after")
    def _one_kind(self) -> Repeat:
        if (self.times is None) == (self.bindings is None):
            raise ValueError("a repeat has either times or bindings")
        return self

    def rounds(self) -> list[dict[str, str]]:
        """What each repeat puts in place of the {placeholders}."""
        if self.bindings is not None:
            return [{"n": str(number), **binding} for number, binding in enumerate(self.bindings, start=1)]
        return [{"n": str(number)} for number in range(1, (self.times or 0) + 1)]


class Exclusion(Strict):
    """A named exclusion: rows for which it holds are left out, and counted under its name."""

    column: Text
    in_: Texts | None = Field(None, alias="in")
    not_in: Texts | None = None
    blank: bool | None = None
    matches: str | None = None
    not_matches: str | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Exclusion:
        conditions = [self.in_, self.not_in, self.blank, self.matches, self.not_matches]
        if sum(condition is not None for condition in conditions) != 1:
            raise ValueError("an exclusion has exactly one of: in, not_in, blank, matches, not_matches")
        for pattern in (self.matches, self.not_matches):
            if pattern is not None:
                checked_pattern(pattern)
        return self


class Footer(Strict):
    """Lines that are no rows (notes, trailers). A trailer's totals are checked like those of a .ctl file."""

    matches: str = Field(description="a regular expression that such a line matches somewhere")
    row_count: str | None = Field(None, description="a regular expression; group 1 is the sender's row count")
    amount: str | None = Field(None, description="a regular expression; group 1 is the sender's amount")

    @model_validator(mode="after")
    def _patterns(self) -> Footer:
        checked_pattern(self.matches)
        for pattern in filter(None, (self.row_count, self.amount)):
            checked_pattern(pattern, needs_group=True, runs_in_sql=False)
        return self


class Layout(Strict):
    """One sender's way of writing one feed."""

    data_source: str | None = Field(None, description="who sends it, unless the operator says so by source=…")
    source: str | None = Field(None, description="where the layout is described")
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    x12: str | None = Field(
        None, description="rows of X12 of this kind, whose columns sources/x12/claims.py and payments.py name"
    )
    columns: dict[str, Annotated[Mapping, BeforeValidator(_as_mapping)]] = {}
    ignored: Texts = Field(default=[], description="source columns that are known and not wanted")
    optional: Texts = Field(default=[], description="source columns that a file may lack")
    absent: Texts = Field(
        default=[], description="columns of a wider file of the same sender, which this one never has"
    )
    exclude: dict[str, Exclusion] = {}
    apart: Annotated[Mapping, BeforeValidator(_as_mapping)] | None = Field(
        None, description="rows with one key repeat each other only where this is the same of both"
    )
    repeat: Repeat | None = None
    footer: Footer | None = None
    null_values: Texts = Field(default=[], description="cells that mean blank, such as N/A")

    @model_validator(mode="after")
    def _names(self) -> Layout:
        if self.data_source is not None and not NAME_PATTERN.fullmatch(self.data_source):
            raise ValueError(f"data_source {self.data_source!r}: use lower-case letters, digits and _")
        for name in self.exclude:
            if not NAME_PATTERN.fullmatch(name):
                raise ValueError(f"exclusion {name!r}: use lower-case letters, digits and _")
        if self.repeat is None and any(part.repeat for mapping in self.columns.values() for part in mapping.parts()):
            raise ValueError("a mapping takes the number of the repeat, but the layout has no repeat")
        return self

    def rounds(self) -> list[dict[str, str]]:
        return self.repeat.rounds() if self.repeat else [{}]

    def issuer(self, column: str) -> str | None:
        """Who issued the ids of a column of the contract; None where it is the sender."""
        mapping = self.columns.get(column)
        return mapping.issued_by if mapping else None

    def source_columns(self) -> list[str]:
        """Every source column it reads, placeholders filled in, in order and once."""
        return list(dict.fromkeys(self._each_source_column()))

    def _each_source_column(self) -> Iterator[str]:
        names = [name for mapping in self.columns.values() for name in mapping.source_columns()]
        names += [exclusion.column for exclusion in self.exclude.values()]
        names += self.apart.source_columns() if self.apart else []
        names += self.repeat.present if self.repeat else []
        for binding in self.rounds():
            yield from (fill(name, binding) for name in names)

    def needed_columns(self) -> list[str]:
        """Source columns without which a file does not have this layout."""
        optional = {fill(name, binding) for name in self.optional for binding in self.rounds()}
        return [name for name in self.source_columns() if name not in optional]


def fill(text: str, binding: dict[str, str]) -> str:
    """The text with each {name} of the binding put in; other braces stay (they may be a regular expression)."""
    for name, value in binding.items():
        text = text.replace("{" + name + "}", value)
    return text


def fill_mapping(mapping: Mapping, binding: dict[str, str]) -> Mapping:
    """The mapping of one repeat."""
    if not binding:
        return mapping
    changes: dict[str, Any] = {}
    for field in ("from_", "value", "default"):
        if (text := getattr(mapping, field)) is not None:
            changes[field] = fill(text, binding)
    if mapping.sum is not None:
        changes["sum"] = [fill(text, binding) for text in mapping.sum]
        changes["less"] = [fill(text, binding) for text in mapping.less]
    for field in ("first", "concat"):
        if (parts := getattr(mapping, field)) is not None:
            changes[field] = [fill_mapping(part, binding) for part in parts]
    if mapping.repeat is not None:
        changes |= {"repeat": None, "value": binding["n"]}
    return mapping.model_copy(update=changes)
