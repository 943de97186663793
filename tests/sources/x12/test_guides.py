"""No real 277CA and 999 is at hand: those that the tests are written from are held to the guides by another's validator."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pyx12.params import params
from pyx12.x12n_document import x12n_document

from tests.sources.x12.written import (
    ACCEPTED_AND_REJECTED,
    READ_AND_UNREADABLE,
    WHOLE_GROUP,
    acceptances,
    readabilities,
)


def errors(data: bytes) -> list[tuple[str, str]]:
    """What pyx12 finds wrong by the guides' maps: code and words of each error."""
    told = io.StringIO()
    x12n_document(params(), io.StringIO(data.decode()), None, None, fd_json=told)
    return sorted(_errors(json.loads(told.getvalue())))


def _errors(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _errors(item)
    elif isinstance(node, dict):
        if "err_cde" in node:
            yield node["err_cde"], node["err_str"]
        for item in node.values():
            yield from _errors(item)


@pytest.mark.parametrize(
    "data",
    [
        acceptances(ACCEPTED_AND_REJECTED),
        acceptances(ACCEPTED_AND_REJECTED, ACCEPTED_AND_REJECTED),
        readabilities(READ_AND_UNREADABLE),
        readabilities(WHOLE_GROUP),
    ],
)
def test_our_acknowledgements_are_as_the_guides_want_them(data: bytes) -> None:
    assert errors(data) == []


@pytest.mark.parametrize(
    "data",
    [
        acceptances(ACCEPTED_AND_REJECTED.replace("TRN*2*A1~", "")),
        acceptances(ACCEPTED_AND_REJECTED.replace("*WQ*80~REF", "*WQ*8O~REF")),
        readabilities(READ_AND_UNREADABLE.replace("IK5*A~", "IK5*Q~")),
        readabilities(READ_AND_UNREADABLE, counted=1),
    ],
)
def test_the_validator_sees_what_is_wrong(data: bytes) -> None:
    assert errors(data) != []
