"""Whatever is sent, the simulator's parameter check accepts it or refuses it in PVE's form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxmox_client import schema
from proxmox_client.testing import PveFault
from proxmox_client.testing.propertystrings import PropertyStringCheck
from proxmox_client.testing.validation import Validator, checker_of

OPERATIONS = [entry for entry in schema.operations("9.2") if entry.parameters]
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=12),
    st.integers(-5, 100_000),
    st.booleans(),
    st.sampled_from(
        ["", "local:1", "virtio,bridge=vmbr0", "a=1,b=2", "10.0.0.1/24", "::1", "x@pve", "1,2;3"]
    ),
    st.lists(st.integers(0, 5), max_size=3),
    st.none(),
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[schema.OperationFacts, dict[str, Any]]:
    facts = draw(st.sampled_from(OPERATIONS))
    names = [
        parameter.stem + "0" if parameter.is_family else name
        for name, parameter in facts.parameters.items()
    ]
    chosen = draw(st.lists(st.sampled_from([*names, "nosuchthing"]), max_size=6, unique=True))
    return facts, {name: draw(VALUES) for name in chosen}


def outcome(facts: schema.OperationFacts, sent: dict[str, Any]) -> dict[str, Any] | PveFault:
    try:
        return Validator(facts).check(sent)
    except PveFault as fault:
        return fault


@pytest.mark.requirement("http.bad-parameters")
@settings(max_examples=300, deadline=None)
@given(requests())
def test_a_request_is_accepted_or_refused_per_parameter(
    request: tuple[schema.OperationFacts, dict[str, Any]],
) -> None:
    facts, sent = request
    result = outcome(facts, sent)
    if isinstance(result, PveFault):
        assert result.status == 400
        assert result.errors
        assert all(result.errors.values())
    else:
        assert result.keys() == {name for name, value in sent.items() if value is not None}


@pytest.mark.requirement("http.property-strings")
@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="virtomdelbg0123=,.:- ", max_size=40))
def test_a_network_card_is_parsed_or_refused(text: str) -> None:
    parameter = schema.operation("PUT", "/nodes/{node}/qemu/{vmid}/config").parameter("net0")
    assert parameter is not None
    assert isinstance(parameter.format, schema.PropertyFormat)
    complaint = PropertyStringCheck(parameter.format, checker_of).complaint("net0", text)
    assert complaint is None or complaint.endswith("\n")
