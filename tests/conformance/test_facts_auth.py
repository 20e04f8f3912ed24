"""Facts about who may ask: tokens, tickets, what tokens may not."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.lab.simulated import Lab

pytestmark = pytest.mark.conformance


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.cluster.access.users["root@pam"].password = "pw"
    return made


def log_in(lab: Lab, user: str = "root@pam", password: str = "pw") -> tuple[str, str]:
    params = {"username": user, "password": password}
    found = lab("POST", "/access/ticket", params, headers={}).data
    return found["ticket"], found["CSRFPreventionToken"]


@pytest.mark.requirement("auth.token")
def test_a_token_may_stand_after_a_space(lab: Lab) -> None:
    text = lab.headers["authorization"].replace("=", " ", 1)
    assert lab("GET", "/version", headers={"authorization": text}).status == 200


@pytest.mark.requirement("auth.ticket")
def test_a_ticket_is_good_at_every_node_as_cookie_and_as_header(lab: Lab) -> None:
    ticket, csrf = log_in(lab)
    for via, headers in (
        ("pve2", {"cookie": f"PVEAuthCookie={quote(ticket)}"}),
        ("pve3", {"authorization": f"PVEAuthCookie={ticket}"}),
    ):
        assert lab("GET", "/version", headers=headers, via=via).status == 200
        write = {**headers, "csrfpreventiontoken": csrf}
        path = f"/pools/{via}"
        assert lab("POST", "/pools", {"poolid": via}, headers=write, via=via).status == 200
        assert lab("DELETE", path, headers=headers, via="pve2").status == 401


@pytest.mark.requirement("auth.disabled")
def test_a_deleted_users_ticket_fails_at_once(lab: Lab) -> None:
    lab("POST", "/access/users", {"userid": "bob@pve", "password": "password1"})
    ticket, _ = log_in(lab, "bob@pve", "password1")
    headers = {"cookie": f"PVEAuthCookie={quote(ticket)}"}
    assert lab("GET", "/version", headers=headers).status == 200
    lab("DELETE", "/access/users/bob@pve")
    assert lab("GET", "/version", headers=headers).status == 401


@pytest.mark.requirement("auth.ticket-only")
def test_tokens_cannot_call_everything(lab: Lab) -> None:
    answer = lab("PUT", "/access/password", {"userid": "root@pam", "password": "password1"})
    assert answer.status == 403
    assert "not available with API token, need proper ticket." in answer.reason
