"""Who publishes the proposed prices of small questions: an invented plan, two invented hospitals, two real codes.

Belongs here: what `transparency:` of a scenario says. Does not: prices, what CMS asks for (cms_schemas.py).
"""

from __future__ import annotations

from typing import Any


def publisher() -> dict[str, Any]:
    """As a scenario says it. P1 has all that a hospital's own file needs, P2 no more than an NPI; MRI is institutional, CT professional."""
    return {
        "entity_name": "Example Health Plan",
        "plan_name": "Example PPO",
        "plan_id": "12345678901234",
        "product_network_type": "PPO",
        "providers": {
            "P1": {
                "npi": ["1234567893"],
                "tin": "12-3456789",
                "name": "First Hospital",
                "address": "1 Main Street",
                "state": "LA",
            },
            "P2": {"npi": ["1245319599"]},
        },
        "procedures": {
            "MRI": {"code": "70551", "name": "MRI of the brain, without contrast"},
            "CT": {"code": "70450", "billing_class": "professional", "service_code": ["11"]},
        },
    }
