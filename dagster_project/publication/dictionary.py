"""Writes docs/dictionary.md and docs/entities.md: `python -m dagster_project.publication.dictionary`.

Belongs here: what a person reads about tables, columns and joins, taken from dbt's manifest and the contracts' YAML.
Does not: saying anything that those two do not say. A test says that the files are what this module writes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dagster_project.settings import DBT_PROJECT, REPOSITORY, Settings, load_settings

CONTRACTS = REPOSITORY / "dagster_project" / "sources" / "contracts"
DICTIONARY = REPOSITORY / "docs" / "dictionary.md"
ENTITIES = REPOSITORY / "docs" / "entities.md"
WRITTEN = "<!-- Written by `python -m dagster_project.publication.dictionary`. Do not edit. -->\n"

_RANK = {"dim": 0, "fct": 1, "mart": 2}
TREATMENTS = {
    "keep": "kept",
    "drop": "dropped",
    "generalise:birth_year": "year only, ages above 89 pooled",
    "generalise:year": "year only",
    "generalise:zip3": "three digits, blank in small areas",
}


@dataclass(frozen=True)
class ColumnDoc:
    name: str
    type: str
    about: str


@dataclass(frozen=True)
class TableDoc:
    """One table as the project describes it. `keys` are columns that no two rows share."""

    name: str
    layer: str
    domain: str
    about: str
    columns: tuple[ColumnDoc, ...] = field(repr=False)
    keys: tuple[str, ...] = ()

    @property
    def grain(self) -> str:
        """The description's first sentence, which says what one row is."""
        return self.about.split(". ")[0].rstrip(".") + "." if self.about else ""


@dataclass(frozen=True)
class Join:
    """Rows of `child` carry `column`, the key of one row of `parent`; `is_single` where at most one row does."""

    parent: str
    child: str
    column: str
    is_single: bool = False

    def __str__(self) -> str:
        return f"{self.parent} ||--o{'|' if self.is_single else '{'} {self.child} : {self.column}"


def marts(manifest: Mapping[str, Any]) -> list[TableDoc]:
    """Every mart, by name."""
    return _tables(manifest, "marts", lambda node: node["resource_type"] == "model" and node["fqn"][1] == "marts")


def seeds(manifest: Mapping[str, Any]) -> list[TableDoc]:
    """Every table of dated rules or codes, by name."""
    return _tables(manifest, "seeds", lambda node: node["resource_type"] == "seed")


def joins(manifest: Mapping[str, Any], tables: Sequence[TableDoc]) -> list[Join]:
    """How tables join: by tests of relationships, and by a column that is the only key of another table."""
    names = {table.name for table in tables}
    found = {Join(*related) for related in _relationships(manifest) if {related[0], related[1]} <= names}
    # Where several tables have the same key, it is the dimension's, or else the fact's: the others hold facts about it.
    owner: dict[str, str] = {}
    for table in sorted(tables, key=lambda table: (_RANK.get(table.name.split("_")[0], 9), table.name)):
        for key in table.keys:
            owner.setdefault(key, table.name)
    found |= {
        Join(owner[column.name], table.name, column.name, is_single=column.name in table.keys)
        for table in tables
        for column in table.columns
        if column.name in owner and owner[column.name] != table.name
    }
    return sorted(found, key=lambda join: (join.parent, join.child, join.column))


def dictionary(manifest: Mapping[str, Any], contracts: Iterable[Mapping[str, Any]]) -> str:
    """The whole of docs/dictionary.md."""
    all_marts, all_seeds, feeds = marts(manifest), seeds(manifest), list(contracts)
    parts = [
        WRITTEN,
        "# Data dictionary\n",
        "What analysts read first, what it is made from last: published [marts](#marts), dated [rules](#rules),",
        "raw [feeds](#feeds).",
        "How the marts join is drawn in [entities.md](entities.md); how names are made is in [naming.md](naming.md).\n",
        "## Marts\n",
        _rows(["mart", "one row is"], [[f"[{doc.name}](#{doc.name})", doc.grain] for doc in all_marts]),
        *(_table_section(doc) for doc in all_marts),
        "## Rules\n",
        "Dated rows with their source, in `dbt_project/seeds/`. A rule that changes gets a new row, no new code.\n",
        _rows(["table", "domain", "what it says"], [[doc.name, doc.domain, doc.about] for doc in all_seeds]),
        "\n## Feeds\n",
        "As `dagster_project/sources/contracts/<feed>.yml` describes them, with what happens to each identity between",
        "the landing folder and the lake.\n",
        *(_feed_section(contract) for contract in feeds),
    ]
    return "\n".join(parts).rstrip() + "\n"


def entities(manifest: Mapping[str, Any]) -> str:
    """The whole of docs/entities.md: a Mermaid diagram of the marts that share a key, and a list of the others."""
    tables = marts(manifest)
    found = joins(manifest, tables)
    joined = {name for join in found for name in (join.parent, join.child)}
    lines = [
        WRITTEN,
        "# Entity diagram\n",
        "Marts that share a key, with their key columns only; every column is in [dictionary.md](dictionary.md).",
        "`PK` no two rows share, `FK` names one row of another mart. Keys are made of `data_source`, so a join never",
        "mixes senders.\n",
        "```mermaid",
        "erDiagram",
        *(f"    {join}" for join in found),
        *(line for table in tables if table.name in joined for line in _entity(table, found)),
        "```\n",
        "Marts that stand alone (reports, joined by dates, payers and codes):\n",
        *(f"- `{table.name}`: {table.grain}" for table in tables if table.name not in joined),
    ]
    return "\n".join(lines).rstrip() + "\n"


def read_contracts(folder: Path = CONTRACTS) -> list[dict[str, Any]]:
    """The contracts' YAML as written, every scalar as text: this is for reading, sources/ is for using."""
    return [yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) for path in sorted(folder.glob("*.yml"))]  # noqa: S506


def parse(settings: Settings) -> dict[str, Any]:
    """dbt's manifest of the project as it is now; a process of its own, artifacts under the home."""
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("dbt")), "--quiet", "parse", "--project-dir", str(DBT_PROJECT)]
    done = subprocess.run(
        command, env={**os.environ, **settings.environment()}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"dbt cannot read {DBT_PROJECT}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    manifest: dict[str, Any] = json.loads((settings.dbt_target / "manifest.json").read_text())
    return manifest


def write(manifest: Mapping[str, Any]) -> None:
    DICTIONARY.write_text(dictionary(manifest, read_contracts()), encoding="utf-8")
    ENTITIES.write_text(entities(manifest), encoding="utf-8")


def _tables(manifest: Mapping[str, Any], layer: str, wanted: Any) -> list[TableDoc]:
    unique = _unique_columns(manifest)
    nodes = sorted((node for node in manifest["nodes"].values() if wanted(node)), key=lambda node: str(node["name"]))
    return [
        TableDoc(
            name=node["name"],
            layer=layer,
            domain=node["fqn"][-2] if len(node["fqn"]) > 2 else layer,
            about=_one_line(node.get("description")),
            columns=tuple(
                ColumnDoc(column["name"], str(column.get("data_type") or ""), _one_line(column.get("description")))
                for column in node["columns"].values()
            ),
            keys=tuple(sorted(unique.get(node["unique_id"], ()))),
        )
        for node in nodes
    ]


def _tests(manifest: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    for node in manifest["nodes"].values():
        if (
            node["resource_type"] == "test"
            and (node.get("test_metadata") or {}).get("name") == name
            and node.get("column_name")
        ):
            yield node


def _unique_columns(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for test in _tests(manifest, "unique"):
        found.setdefault(test["attached_node"], set()).add(test["column_name"])
    return found


def _relationships(manifest: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    for test in _tests(manifest, "relationships"):
        arguments = test["test_metadata"]["kwargs"]
        parents = [node for node in test["depends_on"]["nodes"] if node != test["attached_node"]]
        if parents and arguments.get("field"):
            yield parents[0].split(".")[-1], str(test["attached_node"]).split(".")[-1], test["column_name"]


def _entity(table: TableDoc, found: Sequence[Join]) -> Iterable[str]:
    foreign = {join.column for join in found if join.child == table.name}
    yield f"    {table.name} {{"
    for column in table.columns:
        if column.name in table.keys or column.name in foreign:
            kind = (column.type or "unknown").split("(")[0]
            yield f"        {kind} {column.name} {'PK' if column.name in table.keys else 'FK'}"
    yield "    }"


def _table_section(doc: TableDoc) -> str:
    rows = [[f"`{column.name}`", column.type, column.about] for column in doc.columns]
    return f"\n### {doc.name}\n\n{doc.about}\n\n{_rows(['column', 'type', 'meaning'], rows)}"


def _feed_section(contract: Mapping[str, Any]) -> str:
    rows = [
        [f"`{name}`", column["type"], _treatment(column["identity"]), _about(column)]
        for name, column in contract["columns"].items()
    ]
    layouts = ", ".join(f"`{name}`" for name in contract["layouts"])
    head = f"\n### {contract['feed']}\n\n{contract['grain']} {contract['about']} Layouts: {layouts}.\n"
    return f"{head}\n{_rows(['column', 'type', 'identity', 'meaning'], rows)}"


def _treatment(identity: str) -> str:
    return f"token of kind {identity.removeprefix('token:')}" if identity.startswith("token:") else TREATMENTS[identity]


def _about(column: Mapping[str, Any]) -> str:
    text = _one_line(column["about"]) + (f" ({column['unit']})" if column.get("unit") else "")
    text += ", required" if column.get("required") == "true" else ""
    return text + (f". One of: {', '.join(column['allowed'])}" if column.get("allowed") else "")


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def _one_line(text: Any) -> str:
    return " ".join(str(text or "").split())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="claimhouse-dictionary-") as home:
        write(parse(load_settings({"CLAIMHOUSE_HOME": home})))
