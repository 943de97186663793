"""Where everything lies and which limits hold, typed; an unknown `CLAIMHOUSE_…` variable is an error.

Belongs here: paths below CLAIMHOUSE_HOME, limits that are no dated rule. Does not: rules of the field (seeds), secrets
(privacy/), anything that reads data.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

REPOSITORY = Path(__file__).resolve().parent.parent
DBT_PROJECT = REPOSITORY / "dbt_project"
MARTS_FILE = "marts.duckdb"

# Secrets and test switches that other modules read themselves.
OTHER_VARIABLES = {
    "CLAIMHOUSE_TOKEN_KEY",
    "CLAIMHOUSE_TOKEN_KEY_VERSION",
    "CLAIMHOUSE_REAL_DATA",
    "CLAIMHOUSE_RULES",
}


class SettingsError(ValueError):
    """A setting is unknown or has a value that cannot be used; the message names it and what to do."""


class Settings(BaseModel):
    """All paths below one home folder, and limits. Frozen: make another with `model_copy(update=…)`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    # 30 since 2026-11: a writer that paused 9 s in the middle of a line was taken for done after one.
    quiet_seconds: float = Field(
        30.0, ge=0, description="a file younger than this may still be written; it is left for the next run"
    )
    memory_limit: str = Field("3.5GB", description="DuckDB's memory limit of one step")
    threads: int = Field(2, ge=1)

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.home / "published"

    @property
    def published_marts(self) -> Path:
        return self.published / MARTS_FILE

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine"

    @property
    def protected(self) -> Path:
        return self.home / "protected"

    @property
    def dagster(self) -> Path:
        return self.home / "dagster"

    @property
    def answers(self) -> Path:
        return self.home / "answers"

    @property
    def scenarios(self) -> Path:
        """Pricing scenarios of this house: YAML, or instances in JSON, one file each."""
        return self.home / "scenarios"

    @property
    def prices(self) -> Path:
        """What came of each scenario, a folder each: its instance, price list and report."""
        return self.home / "prices"

    @property
    def scratch(self) -> Path:
        """Short-lived copies of landed files (unpacked, transcoded): they hold identities, so they lie in protected/."""
        return self.protected / "scratch"

    @property
    def dbt_target(self) -> Path:
        """dbt's artifacts: apart for each home, since they hold its paths."""
        return self.dagster / "dbt" / "target"

    def environment(self) -> dict[str, str]:
        """What a child process (dbt, the webserver) must see to work on this home."""
        return {
            "CLAIMHOUSE_HOME": str(self.home),
            "DAGSTER_HOME": str(self.dagster),
            "DBT_TARGET_PATH": str(self.dbt_target),
            "DBT_LOG_PATH": str(self.dagster / "dbt" / "logs"),
            "DBT_PROFILES_DIR": str(DBT_PROJECT),
            # A run's events go to Dagster; writing each of them to a file as well was a fifth of dbt's time in a small home, and
            # ten megabytes a run. What is written all the same is for people.
            "DBT_LOG_LEVEL_FILE": "info",
            "DBT_LOG_FORMAT_FILE": "text",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "CLAIMHOUSE_RULES": rules_version(),
        }


def rules_version() -> str:
    """A hash over everything that decides what a row becomes: SQL, macros, rule tables and code lists of dbt_project."""
    digest = hashlib.sha256()
    for folder in ("macros", "models", "reference", "seeds"):
        for path in sorted((DBT_PROJECT / folder).rglob("*")):
            if path.suffix in {".sql", ".csv", ".gz"}:
                digest.update(path.relative_to(DBT_PROJECT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `CLAIMHOUSE_<NAME>` variables; home defaults to ./data.

    Raises SettingsError for a variable that no setting has, naming the nearest one.
    """
    environ = os.environ if environ is None else environ
    given = {
        name: value for name, value in environ.items() if name.startswith("CLAIMHOUSE_") and name not in OTHER_VARIABLES
    }
    known = {f"CLAIMHOUSE_{field.upper()}": field for field in Settings.model_fields}
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, [*known, *OTHER_VARIABLES], n=1)
            raise SettingsError(f"unknown setting {name}" + (f"; did you mean {nearest[0]}?" if nearest else ""))
    values: dict[str, object] = {known[name]: value for name, value in given.items()}
    values["home"] = Path(str(values.get("home", "data"))).expanduser().resolve()
    try:
        return Settings.model_validate(values)
    except ValueError as error:
        raise SettingsError(f"a setting cannot be used: {error}") from error
