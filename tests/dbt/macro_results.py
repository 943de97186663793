"""What a macro of dbt's returns, without dbt: its text rendered with what it asks for given by hand.

Belongs here: rendering. Does not: what should come out.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from jinja2 import Environment

from dagster_project.settings import DBT_PROJECT


class Returned(Exception):
    """How a macro of dbt's ends: with a value, not with text."""


def result_of(call: str, file: str, con: duckdb.DuckDBPyConnection, **given: Any) -> Any:
    """What a call such as `held_build()` returns; the macro stands in this file of macros/, and asks this database."""
    text = (DBT_PROJECT / "macros" / file).read_text()
    (of_macro,) = re.findall(rf"\{{% macro {call.partition('(')[0]}\(.*?endmacro %\}}", text, flags=re.DOTALL)

    def give(value: Any) -> None:
        raise Returned(value)

    def run_query(query: str) -> Any:
        values = [value for (value,) in con.execute(query).fetchall()]
        return SimpleNamespace(columns=[SimpleNamespace(values=lambda: values)])

    template = Environment(autoescape=False).from_string(f"{of_macro}{{{{ {call} }}}}")
    template.globals |= {"return": give, "run_query": run_query, **given}
    with pytest.raises(Returned) as found:
        template.render()
    return found.value.args[0]
