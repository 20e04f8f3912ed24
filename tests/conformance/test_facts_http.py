"""Facts about PVE's HTTP: answers, refusals, bodies, formats."""

from __future__ import annotations

import pytest

from tests.lab.simulated import Lab

pytestmark = pytest.mark.conformance


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.cluster.add_vm("pve1", 100, {"name": "web", "scsi0": "local-lvm:1"})
    return made


@pytest.mark.requirement("http.success-200")
def test_a_write_without_a_result_answers_null(lab: Lab) -> None:
    answer = lab("POST", "/pools", {"poolid": "prod"})
    assert (answer.status, answer.body) == (200, b'{"data":null}')


@pytest.mark.requirement("http.beside-data")
def test_totals_and_changes_stand_beside_the_data(lab: Lab) -> None:
    upid = lab("POST", "/nodes/pve1/qemu/100/status/start").data
    lab.ended(upid)
    log = lab("GET", f"/nodes/pve1/tasks/{upid}/log").json()
    assert log["total"] == len(log["data"])
    lab("POST", "/nodes/pve1/network", {"iface": "vmbr9", "type": "bridge"})
    assert "vmbr9" in lab("GET", "/nodes/pve1/network").json()["changes"]


@pytest.mark.requirement("http.no-line-feed")
def test_a_message_ends_in_a_line_feed_and_the_document_does_not(lab: Lab) -> None:
    answer = lab("GET", "/nodes/pve1/qemu/9999/config")
    assert not answer.body.endswith(b"\n")
    assert answer.json()["message"] == answer.reason + "\n"


@pytest.mark.requirement("http.bad-login")
def test_a_failed_login_is_late_and_has_a_body(lab: Lab) -> None:
    params = {"username": "root@pam", "password": "wrong"}
    answer = lab("POST", "/access/ticket", params, headers={})
    assert (answer.status, answer.reason) == (401, "authentication failure")
    assert answer.json()["data"] is None
    assert lab.seconds == pytest.approx(3)


@pytest.mark.requirement("http.body-limit")
def test_a_body_over_half_a_mebibyte_is_refused(lab: Lab) -> None:
    with lab.http() as client:
        answer = client.post("/api2/json/pools", content=b"x=" + b"y" * 600_000)
    assert (answer.status_code, answer.reason_phrase) == (501, "for data too large")


@pytest.mark.requirement("http.other-methods")
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH"])
def test_methods_pve_does_not_know_are_501_without_a_body(lab: Lab, method: str) -> None:
    answer = lab(method, "/version")
    assert (answer.status, answer.body) == (501, b"")


@pytest.mark.requirement("http.bodies")
@pytest.mark.parametrize(
    ("kind", "body", "status", "text"),
    [
        ("application/json", b'{"userid": ', 500, "malformed JSON string"),
        ("application/json", b"[1,2]", 500, "Not a HASH reference at "),
        ("application/xml", b"<a/>", 506, "Content-Type 'application/xml' not implemented"),
    ],
)
def test_bodies_that_are_no_object_are_refused(
    lab: Lab, kind: str, body: bytes, status: int, text: str
) -> None:
    with lab.http() as client:
        answer = client.post("/api2/json/pools", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert text in answer.reason_phrase
    assert "content-type" not in answer.headers


@pytest.mark.requirement("http.gzip")
def test_short_answers_are_not_compressed(lab: Lab) -> None:
    from proxmox_client.testing.frontdoor import converse

    headers = {**lab.headers, "accept-encoding": "gzip"}
    said: dict[str, bool] = {}
    for path in ("/version", "/access/roles"):
        steps = converse(lab.cluster, "GET", f"/api2/json{path}", headers, b"", "pve1")
        with pytest.raises(StopIteration) as stop:
            next(steps)
        said[path] = ("Content-Encoding", "gzip") in stop.value.value.headers
    assert said == {"/version": False, "/access/roles": True}


@pytest.mark.requirement("http.slashes")
def test_slashes_too_many_do_not_matter(lab: Lab) -> None:
    plain, doubled, trailing = (lab("GET", path) for path in ("/pools", "//pools", "/pools/"))
    assert plain.data == doubled.data == trailing.data


@pytest.mark.requirement("http.extjs")
def test_extjs_is_always_200(lab: Lab) -> None:
    with lab.http() as client:
        good = client.get("/api2/extjs/version")
        missing = client.get("/api2/extjs/nosuchpath")
        bad = client.post("/api2/extjs/pools", data={"nope": "1"})
    assert [answer.status_code for answer in (good, missing, bad)] == [200, 200, 200]
    assert good.json()["success"] == 1
    assert (missing.json()["success"], missing.json()["status"]) == (0, 501)
    assert (bad.json()["success"], bad.json()["status"]) == (0, "400")


@pytest.mark.requirement("http.missing-objects")
@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/nodes/pve1/qemu/9999/config", 500, "Configuration file 'nodes/pve1/qemu-server/9999"),
        ("/storage/nope", 500, "storage 'nope' does not exist"),
        ("/pools/nope", 500, "pool 'nope' does not exist"),
        ("/nodes/pve1/network/nope0", 400, "Parameter verification failed."),
        ("/cluster/firewall/aliases/nope", 400, "Parameter verification failed."),
        ("/cluster/backup/nope", 400, "Parameter verification failed."),
    ],
)
def test_missing_objects_have_their_own_status(lab: Lab, path: str, status: int, text: str) -> None:
    answer = lab("GET", path)
    assert answer.status == status
    assert answer.reason.startswith(text)


@pytest.mark.requirement("http.upload")
@pytest.mark.parametrize(
    ("parts", "status", "text"),
    [
        (["file", "content"], 400, "content"),
        (["content", "wrong-name"], 500, "wrong field name 'upload'"),
        (["content", "file"], 200, "UPID:"),
    ],
)
def test_an_upload_has_its_fields_first_and_its_file_by_name(
    lab: Lab, parts: list[str], status: int, text: str
) -> None:
    forms = {
        "content": 'Content-Disposition: form-data; name="content"\r\n\r\niso\r\n',
        "file": 'Content-Disposition: form-data; name="filename"; filename="a.iso"\r\n\r\nx\r\n',
        "wrong-name": (
            'Content-Disposition: form-data; name="upload"; filename="a.iso"\r\n\r\nx\r\n'
        ),
    }
    body = "".join(f"--mark\r\n{forms[part]}" for part in parts) + "--mark--\r\n"
    params = {"username": "root@pam", "password": "pw"}
    lab.cluster.access.users["root@pam"].password = "pw"
    ticket = lab("POST", "/access/ticket", params, headers={}).data["ticket"]
    # With a ticket and no CSRF token: an upload needs none.
    with lab.http() as client:
        client.headers.pop("authorization")
        answer = client.post(
            "/api2/json/nodes/pve1/storage/local/upload",
            content=body.encode(),
            headers={
                "content-type": "multipart/form-data; boundary=mark",
                "authorization": f"PVEAuthCookie={ticket}",
            },
        )
    assert answer.status_code == status
    assert text in answer.text


@pytest.mark.requirement("http.repeated-parameter")
def test_a_path_parameter_in_the_body_does_not_change_the_path(lab: Lab) -> None:
    lab("PUT", "/nodes/pve1/qemu/100/config", {"vmid": 101, "name": "other"})
    assert lab.cluster.guests[100].name in ("other", "web")
    assert 101 not in lab.cluster.guests
