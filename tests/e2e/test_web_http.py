"""`pmpc web` as a client meets it: a process on loopback, spoken to over HTTP."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from tests.e2e.site import Site

PMPC = str(Path(sys.executable).with_name("pmpc"))
MANIFEST = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
"""
RESOURCES = """
query ($kind: String, $limit: Int!) { resources(kind: $kind, limit: $limit) { name node config } }
"""
PLAN = """
mutation ($text: String!) { plan(manifests: $text) { id empty objects { address action } } }
"""


@attrs.frozen
class Served:
    """A running `pmpc web`."""

    url: str
    token: str

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, trust_env=False)

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        answer = httpx.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def data(self, query: str, **variables: object) -> dict[str, Any]:
        document = self.ask(query, **variables)
        assert "errors" not in document, document["errors"]
        return dict(document["data"])


@contextmanager
def web(site: Site) -> Generator[Served]:
    command = [PMPC, "web", "--port", "0"]
    with subprocess.Popen(command, env=site.environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            text = "".join(process.stdout.readline() for _ in range(3))
            url = re.search(r"http://[\d.]+:\d+", text)
            token = re.search(r"Bearer (\S+)", text)
            assert url, text
            assert token, text
            yield Served(url.group(), token.group(1))
        finally:
            process.terminate()


def sync(site: Site) -> None:
    subprocess.run([PMPC, "sync"], env=site.environ, check=True, capture_output=True)


def test_health_answers_without_a_token(site: Site) -> None:
    with web(site) as served:
        answer = served.get("/api/v1/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["cluster"] == "lab"


def test_health_fails_when_there_is_nothing_to_serve(site: Site) -> None:
    with web(site) as served:
        Path(site.environ["PMPC_CONFIG"]).unlink()
        answer = served.get("/api/v1/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"


def test_resources_are_filtered_and_paged(site: Site) -> None:
    sync(site)
    with web(site) as served:
        every = served.data(RESOURCES, kind="qemu", limit=100)["resources"]
        assert {item["config"]["name"] for item in every} == {"debian-13", "db-1"}
        assert len(served.data(RESOURCES, kind="qemu", limit=1)["resources"]) == 1
        one = served.data('{ resource(name: "db-1") { config node } }')["resource"]
    assert one["node"] == "pve2"
    assert str(one["config"]["cores"]) == "2"


def test_pages_tell_their_total_and_how_to_go_on(site: Site) -> None:
    sync(site)
    page = """query ($after: String) {
        resourcePage(kind: "qemu", limit: 1, after: $after) { items { key } total next } }"""
    with web(site) as served:
        first = served.data(page)["resourcePage"]
        last = served.data(page, after=first["next"])["resourcePage"]
        snapshots = served.data("{ snapshotPage { items { name } total next } }")["snapshotPage"]
        log = served.data('{ logPage(name: "db-1", limit: 1) { items { action } total next } }')
        none = served.data('{ changePage(since: "-1h") { items { key } total next } }')
        plans = served.data("{ planPage { items { id } total next } }")["planPage"]
    assert (first["total"], last["total"], last["next"]) == (2, 2, None)
    assert len({one["key"] for one in (*first["items"], *last["items"])}) == 2
    assert snapshots == plans == {"items": [], "total": 0, "next": None}
    assert len(log["logPage"]["items"]) == 1
    assert (log["logPage"]["total"] > 1) is (log["logPage"]["next"] is not None)
    assert none["changePage"] == {"items": [], "total": 0, "next": None}


def test_changes_between_two_times_name_fields(site: Site) -> None:
    sync(site)
    subprocess.run([PMPC, "snapshot", "before"], env=site.environ, check=True)
    site.cluster.edit(100, user="alice@pve", cores=4)
    sync(site)
    with web(site) as served:
        assert [s["name"] for s in served.data("{ snapshots { name } }")["snapshots"]] == ["before"]
        filtered = '{ snapshots(filter: "name!=before", sort: "-taken_at", limit: 5) { name } }'
        assert served.data(filtered)["snapshots"] == []
        query = '{ changes(since: "before") { key change fields { path old new } } }'
        changes = served.data(query)["changes"]
    fields = [field for item in changes if item["key"] == "100" for field in item["fields"]]
    assert ("cores", "2", "4") in [(f["path"], str(f["old"]), str(f["new"])) for f in fields]


def test_a_plan_is_made_stored_and_shown_again_without_a_write(site: Site) -> None:
    with web(site) as served:
        made = served.data(PLAN, text=MANIFEST)["plan"]
        assert made["objects"] == [{"address": "VirtualMachine/web-1", "action": "create"}]
        assert [plan["id"] for plan in served.data("{ plans { id } }")["plans"]] == [made["id"]]
        failed = '{ plans(filter: "status=failed or release=other", offset: 0) { id } }'
        assert served.data(failed)["plans"] == []
        shown = served.data("query ($id: ID!) { plan(id: $id) { explanation } }", id=made["id"])
    assert "web-1" in shown["plan"]["explanation"]
    assert len(site.cluster.guests) == 2


def test_mistakes_are_explained_and_nothing_else_is_shown(site: Site) -> None:
    sync(site)
    with web(site) as served:
        wrong = served.ask(
            "mutation ($text: String!) { plan(manifests: $text) { id } }",
            text=MANIFEST.replace("cores", "coers"),
        )
        nothing = served.ask('{ resource(name: "nobody") { key } }')
    assert "cores" in wrong["errors"][0]["message"]
    assert "nobody" in nothing["errors"][0]["message"]
    assert site.token.rpartition("=")[2] not in repr([wrong, nothing])


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic cm9vdDpyb290"])
def test_callers_without_the_token_are_refused(site: Site, authorization: str) -> None:
    with web(site) as served:
        answer = served.get("/graphql?query={plans{id}}", Authorization=authorization)
    assert answer.status_code == 401
    assert "data" not in answer.text


def test_a_strange_host_header_is_refused(site: Site) -> None:
    with web(site) as served:
        answer = served.get("/api/v1/health", Host="evil.example")
    assert answer.status_code == 400


def test_it_never_listens_beyond_loopback(site: Site) -> None:
    command = [PMPC, "web", "--host", "0.0.0.0"]
    done = subprocess.run(command, env=site.environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "cannot listen on 0.0.0.0" in done.stderr
