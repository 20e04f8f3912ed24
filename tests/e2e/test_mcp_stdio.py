"""`pmpc-mcp` as an assistant meets it: a process, spoken to by an MCP client over stdio."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.e2e.site import Site

PMPC_MCP = str(Path(sys.executable).with_name("pmpc-mcp"))
PMPC = str(Path(sys.executable).with_name("pmpc"))
MANIFEST = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
"""
POOL = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: web}
spec: {comment: web}
"""


@asynccontextmanager
async def assistant(site: Site, *arguments: str) -> AsyncGenerator[Client]:
    parameters = StdioServerParameters(command=PMPC_MCP, args=[*arguments], env=site.environ)
    async with Client(stdio_client(parameters)) as client:
        yield client


def sync(site: Site) -> None:
    subprocess.run([PMPC, "sync"], env=site.environ, check=True, capture_output=True)


async def call(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    found: dict[str, Any] | None = result.structured_content
    assert found is not None
    return found


async def refusal(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return " ".join(getattr(part, "text", "") for part in result.content)


def vms(site: Site) -> set[str]:
    listed = site.cluster.call("GET", "/cluster/resources", {"type": "vm"})
    return {str(row.get("name")) for row in listed}


async def test_the_server_offers_four_tools_and_says_which_only_read(site: Site) -> None:
    async with assistant(site) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"list", "get", "plan", "apply"}
    reading = {
        name for name, tool in tools.items() if tool.annotations and tool.annotations.read_only_hint
    }
    assert reading == {"list", "get", "plan"}
    assert all(tool.description for tool in tools.values())


async def test_list_and_get_answer_from_the_synced_state(site: Site) -> None:
    sync(site)
    async with assistant(site) as client:
        listed = await call(client, "list", kind="qemu")
        assert {item["name"] for item in listed["items"]} == {"debian-13", "db-1"}
        found = await call(client, "get", name="db-1")
    assert found["resource"]["config"]["memory"] in (2048, "2048")
    assert found["resource"]["node"] == "pve2"


async def test_a_read_only_server_plans_but_refuses_to_apply(site: Site) -> None:
    async with assistant(site) as client:
        planned = await call(client, "plan", manifests=MANIFEST)
        assert "web-1" in planned["explanation"]
        text = await refusal(client, "apply", plan_id=planned["plan_id"])
    assert "read-only" in text
    assert planned["plan_id"] in text
    assert "web-1" not in vms(site)


async def test_with_write_access_a_plan_is_applied_once_and_the_next_one_is_empty(
    site: Site,
) -> None:
    async with assistant(site, "--allow-write") as client:
        planned = await call(client, "plan", manifests=MANIFEST)
        report = await call(client, "apply", plan_id=planned["plan_id"])
        assert report["ok"], report
        assert {step["outcome"] for step in report["results"]} == {"done"}
        again = await call(client, "plan", manifests=MANIFEST)
    assert again["plan"]["steps"] == []
    names = [guest.config["name"] for guest in site.cluster.guests.values()]
    assert names.count("web-1") == 1


async def test_a_destructive_plan_is_left_to_a_person_and_deletes_nothing(site: Site) -> None:
    async with assistant(site, "--allow-write") as client:
        planned = await call(client, "plan", manifests=f"{MANIFEST}---\n{POOL}")
        assert (await call(client, "apply", plan_id=planned["plan_id"]))["ok"]
        planned = await call(client, "plan", manifests=POOL, prune=True)
        assert "- VirtualMachine/web-1" in planned["explanation"]
        text = await refusal(client, "apply", plan_id=planned["plan_id"])
    assert f"pmpc apply --plan {planned['plan_id']}" in text
    assert "destructive" in text
    assert "web-1" in vms(site)


async def test_a_plan_applied_before_is_refused_without_sending_a_person_to_apply_it(
    site: Site,
) -> None:
    async with assistant(site, "--allow-write") as client:
        planned = await call(client, "plan", manifests=MANIFEST)
        await call(client, "apply", plan_id=planned["plan_id"])
        text = await refusal(client, "apply", plan_id=planned["plan_id"])
    assert "applied" in text
    assert "need a person" not in text


async def test_a_plan_with_secrets_is_refused_without_sending_a_person_to_apply_it(
    site: Site,
) -> None:
    secret = MANIFEST.replace("cores: 2", "cores: 2, cipassword: Tr0ub4dor-and-3")
    async with assistant(site, "--allow-write") as client:
        planned = await call(client, "plan", manifests=secret)
        text = await refusal(client, "apply", plan_id=planned["plan_id"])
    assert "Tr0ub4dor" not in repr([planned, text])
    assert "apply the manifests" in text
    assert "need a person" not in text
    assert "web-1" not in vms(site)


async def test_mistakes_in_manifests_come_with_position_and_suggestion(site: Site) -> None:
    wrong = MANIFEST.replace("cores", "coers")
    async with assistant(site) as client:
        text = await refusal(client, "plan", manifests=wrong)
    assert ":7:" in text
    assert "cores" in text


async def test_without_a_context_the_tool_says_how_to_make_one(site: Site) -> None:
    site.leave()
    async with assistant(site) as client:
        text = await refusal(client, "list")
    assert "pmpc context add" in text


async def test_no_answer_shows_the_token(site: Site) -> None:
    secret = site.token.rpartition("=")[2]
    sync(site)
    async with assistant(site) as client:
        answers = [await client.call_tool("list", {}), await client.call_tool("get", {"name": "x"})]
    assert secret not in repr(answers)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_command_explains_itself(option: str) -> None:
    done = subprocess.run([PMPC_MCP, option], check=True, capture_output=True, text=True)
    assert ("--allow-write" in done.stdout) == (option == "--help")
