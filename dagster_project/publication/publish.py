"""One publication: build beside the old one, then swap. A crash at any moment leaves the last good one visible.

Belongs here: the order of steps, the manifest, the comparison with the warehouse. Does not: file formats, links.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.database import literal, open_published
from dagster_project.publication import files, swap
from dagster_project.publication.marts import Content, Mart, PublicationError, made_from, published_marts, read_content
from dagster_project.settings import MARTS_FILE, REPOSITORY, Settings

WAREHOUSE = "warehouse"
MANIFEST = "manifest.json"
CHUNK = 1 << 20


@dataclass(frozen=True)
class Publication:
    """What was published. `linked` are the marts that had not changed and were not written again."""

    publication_id: str
    path: Path
    row_counts: Mapping[str, int]
    linked: tuple[str, ...]
    byte_count: int
    seconds: float


@dataclass(frozen=True)
class Difference:
    """A mart whose published rows are not the warehouse's; None where a form of it is missing."""

    mart: str
    warehouse_rows: int
    duckdb_rows: int | None
    delta_rows: int | None


def publish(settings: Settings, manifest_path: Path, run_id: str) -> Publication:
    """Publishes every model tagged `published`. Safe to repeat: what did not change is linked, not written again.

    Raises PublicationError, leaving the last publication visible, when a mart is missing in the warehouse.
    """
    started = time.monotonic()
    publications = settings.home / "publications"
    with swap.only_publisher(publications):
        swap.clear_partial(publications)
        publication_id = _new_id(run_id)
        partial = publications / f"{publication_id}{swap.PARTIAL}"
        (partial / "delta").mkdir(parents=True)
        previous = swap.current(settings.published)
        with _warehouse(settings, publications) as con:
            marts = {mart.name: mart for mart in published_marts(manifest_path)}
            if not marts:
                raise PublicationError("no model carries the tag 'published'; there is nothing to publish")
            told = _told(previous)
            origins = made_from(con, WAREHOUSE)
            contents = {
                name: read_content(
                    con, mart, f"{WAREHOUSE}.{mart.relation}", told[name] if _is_as_told(mart, origins, told) else None
                )
                for name, mart in marts.items()
            }
            linked = _write(con, partial, marts, contents, previous, told)
            manifest = _manifest(con, settings, publication_id, run_id, marts, contents, origins)
        manifest["files"] = _checksums(partial, previous)
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
        folder = swap.finish(partial)
        swap.swap(settings.published, folder)
        swap.prune(publications, settings.published)
    size = sum(file["bytes"] for file in manifest["files"].values())
    rows = {name: content.row_count for name, content in contents.items()}
    return Publication(publication_id, folder, rows, linked, size, time.monotonic() - started)


def read_manifest(settings: Settings) -> dict[str, Any] | None:
    """The manifest of what readers see now; None when nothing has been published."""
    path = settings.published / MANIFEST
    if not path.exists():
        return None
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def differences(settings: Settings, manifest_path: Path) -> list[Difference]:
    """The marts whose published rows, in either form, are not as many as the warehouse's."""
    with _warehouse(settings, settings.home / "publications") as con:
        counted = {mart.name: _rows(con, f"{WAREHOUSE}.{mart.relation}") for mart in published_marts(manifest_path)}
    with open_published(settings) as con:
        in_file = {
            name: _rows(con, f'main."{name}"')
            for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()
        }
    found = [Difference(name, rows, in_file.get(name), _delta_rows(settings, name)) for name, rows in counted.items()]
    return [one for one in found if not one.warehouse_rows == one.duckdb_rows == one.delta_rows]


def _write(
    con: duckdb.DuckDBPyConnection,
    partial: Path,
    marts: Mapping[str, Mart],
    contents: Mapping[str, Content],
    previous: Path | None,
    told: Mapping[str, Any],
) -> tuple[str, ...]:
    """Both forms of every mart; returns the names of those that were linked from the previous publication."""
    before = {
        name: files.Before(mart["columns"], {part: held["fingerprint"] for part, held in mart["parts"].items()})
        for name, mart in told.items()
    }
    now = {name: content.fingerprint for name, content in contents.items()}
    same = tuple(name for name in marts if name in before and told[name]["fingerprint"] == now[name])
    for name, mart in marts.items():
        written = partial / "delta" / name
        old = previous / "delta" / name if previous else None
        if old and name in same:
            swap.link_tree(old, written)
        else:
            files.write_delta(con, written, mart, contents[name], WAREHOUSE, old, before.get(name))
    database = previous / MARTS_FILE if previous and before else None
    if database and len(same) == len(marts) == len(told):
        (partial / MARTS_FILE).hardlink_to(database)
    else:
        files.write_duckdb(con, partial / MARTS_FILE, marts, contents, WAREHOUSE, database, before)
    return same


def _told(previous: Path | None) -> dict[str, Any]:
    """What the previous publication says of its marts; nothing of one that it wrote in another form than this code does."""
    marts: dict[str, Any] = json.loads((previous / MANIFEST).read_text())["marts"] if previous else {}
    return {name: mart for name, mart in marts.items() if "made_from" in mart}


def _is_as_told(mart: Mart, origins: Mapping[str, str], told: Mapping[str, Any]) -> bool:
    """Whether the mart was made from the same as the one published, and is parted alike."""
    before = told.get(mart.name)
    return before is not None and (before["made_from"], before["month"]) == (origins.get(mart.name, ""), mart.month)


def _manifest(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    publication_id: str,
    run_id: str,
    marts: Mapping[str, Mart],
    contents: Mapping[str, Content],
    origins: Mapping[str, str],
) -> dict[str, Any]:
    loads = con.execute(
        f"select load_id from {WAREHOUSE}.intermediate.int_lake__active_loads order by load_id"
    ).fetchall()
    load_ids = [load_id for (load_id,) in loads]
    versions = con.execute(
        "select distinct key_version from read_parquet($1, union_by_name = true) "
        "where list_contains($2, load_id) order by key_version",
        [str(settings.lake / "loads" / "*.parquet"), load_ids],
    ).fetchall()
    return {
        "publication_id": publication_id,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "run_id": run_id,
        "git_commit": _git_commit(),
        "token_key_versions": [version for (version,) in versions if version is not None],
        "load_ids": load_ids,
        "marts": {
            name: {
                "row_count": content.row_count,
                "fingerprint": content.fingerprint,
                "columns": dict(content.column_types),
                "parts": {part: asdict(held) for part, held in content.parts.items()},
                "month": marts[name].month,
                "made_from": origins.get(name),
            }
            for name, content in contents.items()
        },
    }


def _checksums(folder: Path, previous: Path | None) -> dict[str, dict[str, Any]]:
    """SHA-256 of every file. One that is the previous publication's own file keeps the checksum it had."""
    known = json.loads((previous / MANIFEST).read_text())["files"] if previous else {}
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if previous and name in known and path.samefile(previous / name):
            found[name] = known[name]
        else:
            found[name] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    return found


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _git_commit() -> str | None:
    """The commit this code stands at; None outside a clone."""
    try:
        done = subprocess.run(
            ["git", "-C", str(REPOSITORY), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _new_id(run_id: str) -> str:
    """Sorts by time, to the microsecond, so that the newest are the last by name."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{run_id[:8]}"


@contextmanager
def _warehouse(settings: Settings, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the warehouse attached read-only; what does not fit in memory spills beside the marts."""
    if not settings.warehouse.exists():
        raise PublicationError(f"there is no warehouse at {settings.warehouse}; build it first: claimhouse run")
    config: dict[str, Any] = {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "temp_directory": str(spill / ".spill"),
        "max_vacuum_tasks": 2,  # as in dbt_project/profiles.yml
    }
    with duckdb.connect(config=config) as con:
        con.execute("set timezone = 'UTC'")  # our times are UTC
        con.execute(f"attach {literal(str(settings.warehouse))} as {WAREHOUSE} (read_only)")
        yield con


def _rows(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = con.execute(f"select count(*) from {relation}").fetchone()
    assert row is not None
    return int(row[0])


def _delta_rows(settings: Settings, mart: str) -> int | None:
    """As a reader of Delta counts them, from the files that the table's log names."""
    from deltalake import DeltaTable

    folder = settings.published.resolve() / "delta" / mart
    return int(DeltaTable(folder).count()) if DeltaTable.is_deltatable(str(folder)) else None
