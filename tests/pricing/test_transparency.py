"""Proposed prices as the files that CMS has insurers and hospitals publish: what they say, and that CMS's schemas take them."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from decimal import Decimal
from typing import Any

import jsonschema
import pandas as pd
import pytest
from cms_schemas import IN_NETWORK, OF_BOTH, OF_IN_NETWORK, OF_STANDARD_CHARGES, SERVICE_CODES, STANDARD_CHARGES, STATES
from publishers import publisher
from pydantic import ValidationError

from optimization.pricing import transparency
from optimization.pricing.transparency import Transparency, TransparencyError

TODAY = dt.date(2026, 11, 26)
PRICES = pd.DataFrame(
    [
        ("P1", "MRI", Decimal("900.00")),
        ("P2", "MRI", Decimal("900.00")),
        ("P1", "CT", Decimal("400.50")),
        ("P2", "CT", Decimal("410.00")),
    ],
    columns=["provider", "procedure", "price"],
)


@pytest.fixture
def about() -> Transparency:
    return Transparency(**publisher())


def with_code(about: Transparency, **said: Any) -> Transparency:
    """The publisher with one code for both procedures."""
    code = transparency.Code(**({"code": "1"} | said))
    return about.model_copy(update={"procedures": {"MRI": code, "CT": code.model_copy(update={"code": "2"})}})


def refused(schema: dict[str, Any], document: Any) -> list[str]:
    """Where the schema does not take a document, as paths; empty where it does."""
    checker = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    return sorted("/".join(map(str, found.absolute_path)) or found.message for found in checker.iter_errors(document))


def in_network(about: Transparency, prices: pd.DataFrame = PRICES) -> Any:
    return json.loads(transparency.written(transparency.in_network(prices, about, TODAY)))


def standard_charges(about: Transparency, prices: pd.DataFrame = PRICES) -> Any:
    return json.loads(transparency.written(transparency.standard_charges(prices, "P1", about, TODAY)))


def test_cms_schemas_take_both_files(about):
    assert refused(IN_NETWORK, in_network(about)) == []
    assert refused(STANDARD_CHARGES, standard_charges(about)) == []


def test_cms_schemas_take_what_any_scenario_may_say_of_a_code(about):
    classes = ("professional", "institutional", "both")
    for setting, billing_class in itertools.product(("inpatient", "outpatient", "both"), classes):
        said = with_code(about, setting=setting, billing_class=billing_class, service_code=["11", "22", "11"])
        assert refused(IN_NETWORK, in_network(said)) == []
        charges = standard_charges(said)
        assert refused(STANDARD_CHARGES, charges) == []
        (charge, _) = (one for item in charges["standard_charge_information"] for one in item["standard_charges"])
        assert charge["setting"] == setting
        (paid,) = charge["payers_information"]
        assert paid["methodology"] == ("case rate" if setting == "inpatient" else "fee schedule")


def test_each_file_takes_the_code_types_that_are_its_own(about):
    assert {*OF_BOTH, *OF_IN_NETWORK} == transparency.IN_NETWORK_TYPES
    assert {*OF_BOTH, *OF_STANDARD_CHARGES} - {"NDC"} == transparency.STANDARD_CHARGE_TYPES
    assert set(STATES) == transparency.STATES and set(SERVICE_CODES) == transparency.SERVICE_CODES
    for kind in transparency.IN_NETWORK_TYPES:
        assert refused(IN_NETWORK, in_network(with_code(about, type=kind))) == []
    for kind in transparency.STANDARD_CHARGE_TYPES:
        assert refused(STANDARD_CHARGES, standard_charges(with_code(about, type=kind))) == []
    for kind, ours in (("DRG", transparency.in_network), ("CSTM-ALL", transparency.standard_charges)):
        parties = [PRICES, "P1", with_code(about, type=kind), TODAY]
        with pytest.raises(TransparencyError, match=f"no code type '{kind}'"):
            ours(*(parties if ours is transparency.standard_charges else [PRICES, *parties[2:]]))


def test_a_plan_may_be_sparse_and_a_hospital_licensed(about):
    """Neither an issuer's name nor a TIN needs to be known; a license and another expiry may be."""
    bare = about.model_copy(
        update={
            "providers": {
                name: transparency.Party(**(party.model_dump() | {"tin": None, "license_number": "H-7"}))
                for name, party in about.providers.items()
            }
        }
    )
    sent = in_network(bare)
    assert refused(IN_NETWORK, sent) == []
    assert sent["issuer_name"] == "Example Health Plan"
    assert [one["provider_groups"][0]["tin"]["type"] for one in sent["provider_references"]] == ["npi", "npi"]
    charges = standard_charges(bare)
    assert refused(STANDARD_CHARGES, charges) == []
    assert charges["license_information"] == {"license_number": "H-7", "state": "LA"}
    ends = about.model_copy(update={"expires": dt.date(2027, 12, 31), "issuer_name": "Example Insurer"})
    (first, *_) = in_network(ends)["in_network"]
    assert first["negotiated_rates"][0]["negotiated_prices"][0]["expiration_date"] == "2027-12-31"
    assert (
        standard_charges(ends)["standard_charge_information"][0]["standard_charges"][0]["payers_information"][0][
            "payer_name"
        ]
        == "Example Insurer"
    )


def test_providers_at_the_same_price_share_an_entry(about):
    mri = next(item for item in in_network(about)["in_network"] if item["billing_code"] == "70551")
    assert [rate["provider_references"] for rate in mri["negotiated_rates"]] == [[1, 2]]


def test_what_cms_would_refuse_is_said_before_a_file_is_written(about):
    """A drug by NDC asks for its unit, a charge is above zero, states and places of service are of a list, an NPI has ten digits."""
    with pytest.raises(TransparencyError, match="no code type 'NDC'"):
        standard_charges(with_code(about, type="NDC"))
    with pytest.raises(TransparencyError, match="above zero by CMS's schema, and this one is 0"):
        standard_charges(about, PRICES.assign(price=Decimal(0)))
    party = about.providers["P1"].model_copy(update={"state": "XX"})
    with pytest.raises(TransparencyError, match="no state 'XX'"):
        standard_charges(about.model_copy(update={"providers": {"P1": party}}))
    with pytest.raises(TransparencyError, match="service_code '100'"):
        in_network(with_code(about, billing_class="professional", service_code=["11", "100"]))
    with pytest.raises(TransparencyError, match="names its places of service"):
        in_network(with_code(about, billing_class="professional"))
    with pytest.raises(TransparencyError, match="no price of provider 'P1'"):
        standard_charges(about, PRICES[PRICES["provider"] == "P2"])
    with pytest.raises(ValidationError, match="npi"):
        transparency.Party(npi=["12345"])


def test_the_in_network_file_has_what_the_schema_requires(about):
    document = json.loads(transparency.written(transparency.in_network(PRICES, about, TODAY)))
    assert {
        "reporting_entity_name",
        "reporting_entity_type",
        "last_updated_on",
        "version",
        "in_network",
        "provider_references",
    } <= document.keys()
    groups = {one["provider_group_id"]: one for one in document["provider_references"]}
    assert all(one["network_name"] and one["provider_groups"][0]["npi"] for one in groups.values())
    assert groups[1]["provider_groups"][0]["tin"] == {
        "type": "ein",
        "value": "12-3456789",
        "business_name": "First Hospital",
    }
    assert groups[2]["provider_groups"][0]["tin"] == {"type": "npi", "value": "1245319599"}
    seen = {}
    for item in document["in_network"]:
        assert {
            "negotiation_arrangement",
            "name",
            "billing_code_type",
            "billing_code_type_version",
            "billing_code",
            "description",
        } <= item.keys()
        for rate in item["negotiated_rates"]:
            (price,) = rate["negotiated_prices"]
            assert {"negotiated_type", "billing_class", "negotiated_rate", "expiration_date", "setting"} <= price.keys()
            assert price["billing_class"] != "professional" or price["service_code"]
            seen |= {
                (groups[number]["provider_group_id"], item["billing_code"]): price["negotiated_rate"]
                for number in rate["provider_references"]
            }
    codes = {"MRI": "70551", "CT": "70450"}
    numbers = {"P1": 1, "P2": 2}
    proposed = PRICES.assign(provider=PRICES["provider"].map(numbers), procedure=PRICES["procedure"].map(codes))
    assert seen == proposed.set_index(["provider", "procedure"])["price"].astype(float).to_dict()


def test_prices_keep_their_decimals_in_published_files(about):
    odd = PRICES.assign(price=[Decimal("900.10"), Decimal("930.30"), Decimal("4E+2"), Decimal("410")])
    text = transparency.written(transparency.in_network(odd, about, TODAY))
    assert '"negotiated_rate": 900.10,' in text and '"negotiated_rate": 930.30,' in text
    assert '"negotiated_rate": 400,' in text


def test_a_standard_charges_file_attests_nothing(about):
    document = transparency.standard_charges(PRICES, "P1", about, TODAY)
    required = {"hospital_name", "standard_charge_information", "last_updated_on", "location_name", "hospital_address"}
    assert required | {"type_2_npi", "license_information", "attestation", "version"} <= document.keys()
    assert document["attestation"]["confirm_attestation"] is False
    json.loads(transparency.written(document))
    (first, *_) = document["standard_charge_information"]
    (charge,) = first["standard_charges"]
    assert charge["minimum"] == charge["maximum"] == charge["payers_information"][0]["standard_charge_dollar"]


def test_a_provider_without_an_npi_is_an_error_that_names_it(about):
    with pytest.raises(transparency.TransparencyError, match="no NPI of 'P2'"):
        transparency.in_network(PRICES, about.model_copy(update={"providers": {"P1": about.providers["P1"]}}), TODAY)
    with pytest.raises(transparency.TransparencyError, match="name and address and state"):
        transparency.standard_charges(PRICES, "P2", about, TODAY)


def test_what_cms_schemas_do_not_take_is_an_error_and_not_a_file(about):
    """Both schemas list the code types they know, and a plan that is named says what kind of network it is."""
    unsaid = about.model_copy(update={"product_network_type": None})
    with pytest.raises(transparency.TransparencyError, match="product_network_type"):
        transparency.in_network(PRICES, unsaid, TODAY)
    odd = about.model_copy(update={"procedures": {}, "code_type": "CPT4"})
    with pytest.raises(transparency.TransparencyError, match="no code type 'CPT4'; did you mean 'CPT'"):
        transparency.in_network(PRICES, odd, TODAY)
    with pytest.raises(transparency.TransparencyError, match="no code type 'CPT4'"):
        transparency.standard_charges(PRICES, "P1", odd, TODAY)
