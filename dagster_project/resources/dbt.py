"""How dbt is called: as a process of its own, with this home's environment, artifacts in CLAIMHOUSE_HOME/dagster/dbt.

Belongs here: the dbt project object, the manifest's freshness, the command-line resource.
Does not: which models are assets (components/, defs/transformation).

dbt inside this process would never let go of DuckDB's lock, hence a process for each call.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from dagster_dbt import DbtCliResource, DbtProject
from packaging.version import Version

from dagster_project.settings import DBT_PROJECT, Settings

DBT = str(Path(sys.executable).with_name("dbt"))
BUILT = "built "  # begins the line of a step's log that tells of a model, which a run's progress follows
# Folders in which a change of a file may change the manifest.
PARSED = ("models", "macros", "seeds", "tests", "snapshots", "analyses")


class DbtFailed(RuntimeError):
    """dbt could not read the project; the message is dbt's own, which names the file."""


def dbt_project(settings: Settings) -> DbtProject:
    return DbtProject(DBT_PROJECT, target_path=settings.dbt_target, profiles_dir=DBT_PROJECT)


class OnlyDbt(DbtCliResource):
    """dagster-dbt without what it does before each call: asking the executable for its version and making an adapter
    in this process, which fetches columns and row counts. Nothing here uses either, and together they cost four to five seconds a call."""

    @cached_property
    def _cli_version(self) -> Version:
        return Version(importlib.metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        return None


def dbt_resource(settings: Settings) -> DbtCliResource:
    project: Any = dbt_project(settings)  # the parent's constructor takes it; of a subclass mypy sees the fields alone
    return OnlyDbt(project_dir=project, dbt_executable=DBT)


def ensure_manifest(settings: Settings) -> Path:
    """The manifest's path; dbt parses the project first if the manifest is missing, cut short, or older than its files."""
    manifest = settings.dbt_target / "manifest.json"
    if not _content(manifest) or manifest.stat().st_mtime < _last_change():
        settings.dbt_target.mkdir(parents=True, exist_ok=True)
        command = [DBT, "--quiet", "parse", "--project-dir", str(DBT_PROJECT)]
        done = subprocess.run(
            command, env={**os.environ, **settings.environment()}, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise DbtFailed(f"dbt cannot read {DBT_PROJECT}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        os.utime(manifest)
    return manifest


def load_manifest(settings: Settings) -> dict[str, Any]:
    """The manifest; whoever asks gets the same object, which is not to be changed."""
    return _content(ensure_manifest(settings))


def _content(manifest: Path) -> dict[str, Any]:
    """Nothing where it is missing or no whole JSON: dbt writes it in place, a disk that filled up left half of one, and every
    run after it fell over."""
    try:
        about = manifest.stat()
        return _parsed(manifest, about.st_mtime_ns, about.st_size)
    except (FileNotFoundError, ValueError):
        return {}


@lru_cache(maxsize=2)
def _parsed(manifest: Path, modified_ns: int, byte_count: int) -> dict[str, Any]:
    """Asked for by half a dozen definitions of one graph; three megabytes."""
    content: dict[str, Any] = json.loads(manifest.read_bytes())
    return content


def _last_change() -> float:
    return max((path.stat().st_mtime for path in _parsed_files()), default=0.0)


def _parsed_files() -> Iterator[Path]:
    yield from DBT_PROJECT.glob("*.yml")
    for folder in PARSED:
        # A folder's own time moves when a file in it is deleted.
        yield from (path for path in (DBT_PROJECT / folder).rglob("*") if path.suffix in {".sql", ".yml", ".csv", ""})
