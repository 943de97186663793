"""What CMS's JSON schemas ask of the two files that prices are published in, as far as we write them.

Belongs here: the schemas' types, lists of words, required fields and conditions, transcribed on 2026-11-27 from
`schemas/in-network-rates/in-network-rates.json` of github.com/CMSgov/price-transparency-guide (commit 0355a9cf) and
`documentation/JSON/schemas/V3.0.0_Hospital_price_transparency_schema.json` of github.com/CMSgov/hospital-price-transparency (commit
33833d4c). Does not: the files themselves, whose licence was not at hand; parts that we never write (bundles, covered services, drugs,
modifiers, percentages), so a field that is not here is a mistake: everything is closed (`additionalProperties`), which CMS's are not.
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1}
OF_BOTH = [
    "CPT", "HCPCS", "ICD", "MS-DRG", "R-DRG", "S-DRG", "APS-DRG", "AP-DRG", "APR-DRG", "APC", "NDC", "HIPPS", "LOCAL", "EAPG", "CDT", "RC",
]  # fmt: skip
OF_IN_NETWORK = ["CSTM-ALL"]
OF_STANDARD_CHARGES = ["DRG", "TRIS-DRG", "CDM", "CMG", "MS-LTC-DRG"]
SERVICE_CODES = [*(f"{number:02}" for number in range(1, 100)), "CSTM-00"]
SETTING = {"enum": ["inpatient", "outpatient", "both"]}
STATES = [
    "AL",
    "AK",
    "AS",
    "AZ",
    "AR",
    "CA",
    "CO",
    "CT",
    "DE",
    "DC",
    "FM",
    "FL",
    "GA",
    "GU",
    "HI",
    "ID",
    "IL",
    "IN",
    "IA",
    "KS",
    "KY",
    "LA",
    "ME",
    "MH",
    "MD",
    "MA",
    "MI",
    "MN",
    "MS",
    "MO",
    "MT",
    "NE",
    "NV",
    "NH",
    "NJ",
    "NM",
    "NY",
    "NC",
    "ND",
    "MP",
    "OH",
    "OK",
    "OR",
    "PW",
    "PA",
    "PR",
    "RI",
    "SC",
    "SD",
    "TN",
    "TX",
    "UT",
    "VT",
    "VI",
    "VA",
    "WA",
    "WV",
    "WI",
    "WY",
]


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    properties = required | (optional or {})
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    } | more


def listed(items: dict[str, Any], least: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least} | more


IN_NETWORK = closed(
    {
        "reporting_entity_name": TEXT,
        "reporting_entity_type": TEXT,
        "last_updated_on": TEXT | {"format": "date"},
        "version": {"const": "2.0.0"},
        "in_network": listed(
            closed(
                {
                    "negotiation_arrangement": {"enum": ["ffs", "bundle", "capitation"]},
                    "name": TEXT,
                    "billing_code_type": {"enum": [*OF_BOTH, *OF_IN_NETWORK]},
                    "billing_code_type_version": TEXT,
                    "billing_code": TEXT,
                    "description": TEXT,
                    "negotiated_rates": listed(
                        closed(
                            {
                                "provider_references": listed({"type": "number"}, uniqueItems=True),
                                "negotiated_prices": listed(
                                    closed(
                                        {
                                            "negotiated_type": {
                                                "enum": [
                                                    "negotiated",
                                                    "derived",
                                                    "fee schedule",
                                                    "percentage",
                                                    "per diem",
                                                ]
                                            },
                                            "billing_class": {"enum": ["professional", "institutional", "both"]},
                                            "negotiated_rate": {"type": "number"},
                                            "expiration_date": TEXT | {"format": "date"},
                                            "setting": SETTING,
                                        },
                                        {
                                            "service_code": listed(
                                                {"enum": SERVICE_CODES},
                                                uniqueItems=True,
                                            ),
                                            "billing_code_modifier": listed({"type": "string"}, 0, uniqueItems=True),
                                        },
                                        **{
                                            "if": {"properties": {"billing_class": {"const": "professional"}}},
                                            "then": {"required": ["service_code"]},
                                        },
                                    ),
                                    uniqueItems=True,
                                ),
                            }
                        )
                    ),
                }
            )
        ),
    },
    {
        "issuer_name": TEXT,
        "plan_name": TEXT,
        "plan_id_type": {"enum": ["ein", "hios"]},
        "plan_id": TEXT,
        "plan_market_type": {"enum": ["group", "individual"]},
        "product_network_type": {
            "enum": ["HMO", "PPO", "EPO", "POS", "HDHP", "Catastrophic", "Bronze", "Silver", "Gold", "Platinum", "FFS"]
        },
        "provider_references": listed(
            closed(
                {
                    "provider_group_id": {"type": "number"},
                    "provider_groups": listed(
                        closed(
                            {
                                "npi": listed({"type": "number"}, uniqueItems=True),
                                "tin": closed(
                                    {"type": {"enum": ["ein", "npi"]}, "value": TEXT}, {"business_name": TEXT}
                                ),
                            }
                        ),
                        uniqueItems=True,
                    ),
                },
                {"network_name": listed(TEXT)},
            )
        ),
    },
    dependencies={
        field: ["plan_name", "plan_id_type", "plan_id", "plan_market_type", "product_network_type"]
        for field in ("plan_name", "plan_id_type", "plan_id", "plan_market_type", "product_network_type")
    },
)

ABOVE_ZERO = {"type": "number", "exclusiveMinimum": 0}
STANDARD_CHARGES = closed(
    {
        "hospital_name": TEXT,
        "last_updated_on": TEXT | {"format": "date"},
        "version": {"const": "3.0.0"},
        "location_name": listed(TEXT),
        "hospital_address": listed(TEXT),
        "type_2_npi": listed(TEXT),
        "license_information": closed({"state": {"enum": STATES}}, {"license_number": TEXT}),
        "attestation": closed(
            {
                # CMS's schema holds the whole text; here are its ends and its length.
                "attestation": {
                    "type": "string",
                    "pattern": "^To the best of its knowledge and belief, this hospital has included all applicable .* percentage, "
                    "algorithm or formula\\.$",
                    "minLength": 927,
                    "maxLength": 927,
                },
                "confirm_attestation": {"type": "boolean"},
                "attester_name": TEXT,
            }
        ),
        "standard_charge_information": listed(
            closed(
                {
                    "description": TEXT,
                    # A code of type NDC asks for drug_information, which is not written.
                    "code_information": listed(
                        closed(
                            {
                                "code": TEXT,
                                "type": {
                                    "enum": [*OF_BOTH, *OF_STANDARD_CHARGES],
                                    "not": {"const": "NDC"},
                                },
                            }
                        )
                    ),
                    "standard_charges": listed(
                        closed(
                            {
                                "setting": SETTING,
                                "minimum": ABOVE_ZERO,
                                "maximum": ABOVE_ZERO,
                                "payers_information": listed(
                                    closed(
                                        {
                                            "payer_name": TEXT,
                                            "plan_name": TEXT,
                                            "standard_charge_dollar": ABOVE_ZERO,
                                            "methodology": {
                                                "enum": [
                                                    "case rate",
                                                    "fee schedule",
                                                    "percent of total billed charges",
                                                    "per diem",
                                                    "other",
                                                ]
                                            },
                                        },
                                        {"additional_payer_notes": TEXT},
                                    )
                                ),
                            }
                        )
                    ),
                }
            )
        ),
    }
)
