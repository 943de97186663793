"""Reads and judges what is new in landing and accepts what the suite holds, as a person would whose sender changed his ways.

A day beside months is a thirtieth of what its sender used to send: the suite holds it, and is right. A benchmark of days must
therefore say yes before it runs. Belongs here: that yes. Does not: timing it.

CLAIMHOUSE_HOME=HOME python -m tests.bench.arrive
"""

from __future__ import annotations

from dagster_project.privacy.keys import load_key
from dagster_project.resources.tallies import waiting_loads
from dagster_project.settings import load_settings
from dagster_project.sources.contracts import load_contracts
from dagster_project.sources.loads import load_everything
from expectations.judge import accept_load, judge_loads


def main() -> None:
    settings, contracts = load_settings(), load_contracts()
    waiting_before = {load.load_id for load in waiting_loads(settings)}
    load_everything(settings, contracts, load_key(settings))
    for feed in contracts:
        judge_loads(settings, contracts, feed)
    for load in waiting_loads(settings):
        if load.verdict == "held" and load.load_id not in waiting_before:
            accept_load(settings, load.load_id, by="the benchmark", reason="the day of a sender who sent months before")


if __name__ == "__main__":
    main()
