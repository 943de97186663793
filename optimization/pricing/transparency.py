"""Writes proposed prices as the files that CMS has insurers and hospitals publish.

Belongs here: the in-network file of the Transparency in Coverage rule (schema 2.0.0, github.com/CMSgov/price-transparency-guide)
and the standard charges of the hospital rule (schema 3.0.0, github.com/CMSgov/hospital-price-transparency), from a price list
and what a scenario says of the parties. Does not: which prices; any identifier that nobody stated (a missing NPI is an error).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from optimization.pricing.strict import Strict, nearest

IN_NETWORK_VERSION = "2.0.0"
STANDARD_CHARGES_VERSION = "3.0.0"
ATTESTATION = (
    "To the best of its knowledge and belief, this hospital has included all applicable standard charge information in "
    "accordance with the requirements of 45 CFR 180.50, and the information encoded is true, accurate, and complete as of "
    "the date in the file. This hospital has included all payer-specific negotiated charges in dollars that can be expressed "
    "as a dollar amount. For payer-specific negotiated charges that cannot be expressed as a dollar amount in the "
    "machine-readable file or not knowable in advance, the hospital attests that the payer-specific negotiated charge is "
    "based on a contractual algorithm, percentage or formula that precludes the provision of a dollar amount and has provided "
    "all necessary information available to the hospital for the public to be able to derive the dollar amount, including, "
    "but not limited to, the specific fee schedule or components referenced in such percentage, algorithm or formula."
)
PROPOSED = "Proposed price, not yet contracted"


# The code types that CMS's schemas know: both files, and what only one of them takes.
OF_BOTH = frozenset(
    [
        "CPT",
        "HCPCS",
        "ICD",
        "MS-DRG",
        "R-DRG",
        "S-DRG",
        "APS-DRG",
        "AP-DRG",
        "APR-DRG",
        "APC",
        "NDC",
        "HIPPS",
        "LOCAL",
        "EAPG",
        "CDT",
        "RC",
    ]
)
IN_NETWORK_TYPES = OF_BOTH | {"CSTM-ALL"}
# Of a drug by NDC the hospital's file asks for unit and quantity too, which a price list does not know.
STANDARD_CHARGE_TYPES = (OF_BOTH - {"NDC"}) | {"DRG", "TRIS-DRG", "CDM", "CMG", "MS-LTC-DRG"}
SERVICE_CODES = frozenset([*(f"{number:02}" for number in range(1, 100)), "CSTM-00"])
STATES = frozenset([
    "AL", "AK", "AS", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FM", "FL", "GA", "GU", "HI",
    "ID", "IL", "IN", "IA", "KS", "KY", "LA", "ME", "MH", "MD", "MA", "MI", "MN", "MS", "MO",
    "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "MP", "OH", "OK", "OR", "PW", "PA",
    "PR", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VI", "VA", "WA", "WV", "WI", "WY",
])  # fmt: skip


class TransparencyError(ValueError):
    """A file cannot be written; the message says what is missing and where to say it."""


class Party(Strict):
    """One provider as the published files name it."""

    npi: list[Annotated[str, Field(pattern="^[0-9]{10}$")]] = Field(min_length=1, description="ten digits each")
    tin: str | None = Field(
        default=None, description="employer identification number, 12-3456789; the NPI stands for it where absent"
    )
    name: str | None = None
    address: str | None = None
    state: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    license_number: str | None = None


class Code(Strict):
    """One procedure as the published files name it."""

    code: str
    type: str = "CPT"
    version: str = "2026"
    name: str | None = None
    setting: str = Field(default="outpatient", pattern="^(inpatient|outpatient|both)$")
    billing_class: str = Field(default="institutional", pattern="^(professional|institutional|both)$")
    service_code: list[str] = []


class Transparency(Strict):
    """What the published files say beside the prices: who publishes, of which plan, and which ids the parties go by."""

    entity_name: str
    entity_type: str = "health insurance issuer"
    issuer_name: str | None = None
    plan_name: str
    plan_id_type: str = Field(default="hios", pattern="^(ein|hios)$")
    plan_id: str
    plan_market_type: str = Field(default="group", pattern="^(group|individual)$")
    product_network_type: str | None = Field(
        default=None,
        pattern="^(HMO|PPO|EPO|POS|HDHP|Catastrophic|Bronze|Silver|Gold|Platinum|FFS)$",
        description="the in-network file must say it wherever it names the plan",
    )
    network_name: str = "proposed network"
    expires: dt.date = dt.date(9999, 12, 31)
    providers: dict[str, Party]
    procedures: dict[str, Code] = Field(
        default={}, description="a procedure that is absent is its own code, of type code_type"
    )
    code_type: str = "LOCAL"


def in_network(prices: pd.DataFrame, about: Transparency, today: dt.date) -> dict[str, Any]:
    """The insurer's in-network file of a price list (columns provider, procedure, price). Providers at the same price of a
    procedure share an entry, as the schema asks. Raises TransparencyError for a provider without a stated NPI, a plan without its
    kind of network, or a code of a type that the schema does not know."""
    if about.product_network_type is None:
        raise TransparencyError(
            "transparency → product_network_type: an in-network file that names its plan says HMO, PPO, EPO, POS, HDHP or another"
        )
    order = {provider: number for number, provider in enumerate(sorted(prices["provider"].unique()), start=1)}
    references = [
        {
            "provider_group_id": number,
            "network_name": [about.network_name],
            "provider_groups": [_group(_party(about, provider))],
        }
        for provider, number in order.items()
    ]
    items = []
    for procedure, of_procedure in prices.sort_values(["procedure", "price", "provider"]).groupby(
        "procedure", sort=True
    ):
        code = _of_known_type(_code(about, str(procedure)), IN_NETWORK_TYPES)
        rates = [
            {
                "provider_references": [order[provider] for provider in same["provider"]],
                "negotiated_prices": [_negotiated_price(price, code, about)],
            }
            for price, same in of_procedure.groupby("price", sort=True)
        ]
        items.append(
            {
                "negotiation_arrangement": "ffs",
                "name": code.name or str(procedure),
                "billing_code_type": code.type,
                "billing_code_type_version": code.version,
                "billing_code": code.code,
                "description": code.name or str(procedure),
                "negotiated_rates": rates,
            }
        )
    return {
        "reporting_entity_name": about.entity_name,
        "reporting_entity_type": about.entity_type,
        "issuer_name": about.issuer_name or about.entity_name,
        "plan_name": about.plan_name,
        "plan_id_type": about.plan_id_type,
        "plan_id": about.plan_id,
        "plan_market_type": about.plan_market_type,
        "product_network_type": about.product_network_type,
        "last_updated_on": today.isoformat(),
        "version": IN_NETWORK_VERSION,
        "provider_references": references,
        "in_network": items,
    }


def standard_charges(prices: pd.DataFrame, provider: str, about: Transparency, today: dt.date) -> dict[str, Any]:
    """One hospital's standard charges file with the proposed prices as the payer's negotiated dollars.

    `confirm_attestation` is false and names nobody: a proposal is attested by no one. Raises TransparencyError where the
    scenario does not say the hospital's name, address and state."""
    party = _party(about, provider)
    missing = [field for field in ("name", "address", "state") if not getattr(party, field)]
    if missing:
        raise TransparencyError(
            f"transparency → providers → {provider}: a standard charges file needs {' and '.join(missing)}"
        )
    if party.state not in STATES:
        raise TransparencyError(
            f"transparency → providers → {provider}: CMS's schema knows no state {party.state!r}{nearest(str(party.state), STATES)}"
        )
    of_provider = prices[prices["provider"] == provider].sort_values("procedure")
    if of_provider.empty:
        raise TransparencyError(f"no price of provider {provider!r}{nearest(provider, prices['provider'].unique())}")
    return {
        "hospital_name": party.name,
        "last_updated_on": today.isoformat(),
        "version": STANDARD_CHARGES_VERSION,
        "location_name": [party.name],
        "hospital_address": [party.address],
        "license_information": {
            **({"license_number": party.license_number} if party.license_number else {}),
            "state": party.state,
        },
        "type_2_npi": party.npi,
        "attestation": {
            "attestation": ATTESTATION,
            "confirm_attestation": False,
            "attester_name": "Nobody: proposed prices are not attested",
        },
        "standard_charge_information": [
            _charge(_of_known_type(_code(about, procedure), STANDARD_CHARGE_TYPES), procedure, price, about)
            for procedure, price in zip(of_provider["procedure"], of_provider["price"], strict=True)
        ],
    }


def written(document: Mapping[str, Any]) -> str:
    """The document as JSON; prices keep the decimals they have, since a float would print 101.10000000000001."""
    text = json.dumps(document, indent=1, default=_marked)
    return re.sub(r'"decimal:(-?[0-9.]+)"', r"\1", text)


def _marked(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"decimal:{value:f}"
    raise TypeError(f"{type(value).__name__} is not of JSON")


def _party(about: Transparency, provider: str) -> Party:
    party = about.providers.get(provider)
    if party is None:
        raise TransparencyError(
            f"transparency → providers: no NPI of {provider!r}{nearest(provider, about.providers)}; a published file "
            "names every provider by NPI"
        )
    return party


def _group(party: Party) -> dict[str, Any]:
    tin = {"type": "ein", "value": party.tin} if party.tin else {"type": "npi", "value": party.npi[0]}
    if party.name and party.tin:
        tin["business_name"] = party.name
    return {"npi": [int(npi) for npi in dict.fromkeys(party.npi)], "tin": tin}


def _code(about: Transparency, procedure: str) -> Code:
    return about.procedures.get(procedure) or Code(code=procedure, type=about.code_type)


def _of_known_type(code: Code, known: frozenset[str]) -> Code:
    if code.type not in known:
        raise TransparencyError(
            f"procedure {code.code}: CMS's schema knows no code type {code.type!r}{nearest(code.type, known)}"
        )
    return code


def _negotiated_price(price: Any, code: Code, about: Transparency) -> dict[str, Any]:
    if code.billing_class == "professional" and not code.service_code:
        raise TransparencyError(
            f"procedure {code.code}: a professional rate names its places of service (service_code)"
        )
    for place in code.service_code:
        if place not in SERVICE_CODES:
            raise TransparencyError(
                f"procedure {code.code}: CMS's schema knows no service_code {place!r}; there are 01 to 99 and CSTM-00"
            )
    return {
        "negotiated_type": "negotiated",
        "negotiated_rate": Decimal(str(price)),
        "expiration_date": about.expires.isoformat(),
        **({"service_code": sorted(set(code.service_code))} if code.service_code else {}),
        "billing_class": code.billing_class,
        "setting": code.setting,
        "billing_code_modifier": [],
    }


def _charge(code: Code, procedure: str, price: Any, about: Transparency) -> dict[str, Any]:
    amount = Decimal(str(price))
    if amount <= 0:
        raise TransparencyError(
            f"procedure {code.code}: a standard charge is above zero by CMS's schema, and this one is {amount:f}"
        )
    return {
        "description": code.name or procedure,
        "code_information": [{"code": code.code, "type": code.type}],
        "standard_charges": [
            {
                "setting": code.setting,
                "minimum": amount,
                "maximum": amount,
                "payers_information": [
                    {
                        "payer_name": about.issuer_name or about.entity_name,
                        "plan_name": about.plan_name,
                        "standard_charge_dollar": amount,
                        "methodology": "case rate" if code.setting == "inpatient" else "fee schedule",
                        "additional_payer_notes": PROPOSED,
                    }
                ],
            }
        ],
    }
