"""The resource every asset takes: one home with its settings, its contracts and its key.

Belongs here: what an asset needs to call a library. Does not: any work of its own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dagster as dg

from dagster_project.settings import Settings, load_settings

if TYPE_CHECKING:
    from dagster_project.privacy.keys import TokenKey
    from dagster_project.sources.contracts import Contract


class House(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One home. The key is read when it is asked for and never becomes configuration, which Dagster would store."""

    home: str

    @property
    def settings(self) -> Settings:
        return load_settings({**os.environ, "CLAIMHOUSE_HOME": self.home})

    @property
    def contracts(self) -> dict[str, Contract]:
        from dagster_project.sources.contracts import load_contracts

        return load_contracts()

    @property
    def key(self) -> TokenKey:
        from dagster_project.privacy.keys import load_key

        return load_key(self.settings)
