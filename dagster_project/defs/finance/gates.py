"""The blocking checks before publication: ledger explained, claims matched, loads conserved, due files there.

Belongs here: which mart each gate is a check of. Does not: what a gate asks (resources/gates).
"""

import dagster as dg

from dagster_project.resources.gates import GATES, as_check, blocks
from dagster_project.resources.house import House


def gate_check(name: str) -> dg.AssetChecksDefinition:
    mart, gate = GATES[name]

    @dg.asset_check(name=name, asset=["marts", mart], blocking=True, pool="warehouse", description=gate.__doc__)
    def check(house: House) -> dg.AssetCheckResult:
        answer = gate(house.settings)
        return as_check(answer, blocks(house.settings, name, answer))

    return check


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(asset_checks=[gate_check(name) for name in GATES])
