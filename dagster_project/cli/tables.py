"""The verb `describe`: what a published table and its columns mean.

Belongs here: printing the dictionary's entry of one table. Does not: making the dictionary.
"""

import difflib
from typing import Annotated, Any

import typer

from dagster_project.cli.data import AsJson
from dagster_project.cli.terminal import SET_ASIDE, Problem, console, show_json, table
from dagster_project.settings import Settings, load_settings

SQL = """
    select column_name, data_type, coalesce(comment, '') as meaning
    from duckdb_columns() where table_name = $1 and schema_name = 'main' order by column_index
"""


def describe(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="A published table.")], as_json: AsJson = False
) -> None:
    """Say what a published table holds: its grain, and each column's type and meaning."""
    settings = load_settings()
    about, row_count, columns = _look_up(settings, name)
    if as_json:
        show_json({"table": name, "description": about, "row_count": row_count, "columns": columns})
        return
    console().print(f"[bold]{name}[/bold]  {row_count:,} rows\n{about}\n")
    table("", ["column", "type", "meaning"], [list(column.values()) for column in columns], left=3)


def _look_up(settings: Settings, name: str) -> tuple[str, int, list[dict[str, Any]]]:
    from dagster_project.database import open_published

    if not settings.published_marts.exists():
        raise Problem(f"nothing is published at {settings.published}", "Publish first: claimhouse run", SET_ASIDE)
    with open_published(settings) as con:
        tables = dict(
            con.execute("select table_name, coalesce(comment, '') from duckdb_tables() order by 1").fetchall()
        )
        if name not in tables:
            nearest = difflib.get_close_matches(name, tables, n=1)
            raise Problem(
                f"no published table {name!r}" + (f"; did you mean {nearest[0]}?" if nearest else ""),
                f"There are: {', '.join(tables)}",
            )
        columns = [
            dict(zip(("column", "type", "meaning"), row, strict=True)) for row in con.execute(SQL, [name]).fetchall()
        ]
        count = con.execute(f'select count(*) from "{name}"').fetchone()
    return tables[name], count[0] if count else 0, columns
