"""Commands inside a machine, with their output, in both colours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from proxmox_client import AgentNotRunning, AmbiguousWrite, CommandError, RequestInvalid, WrongState
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Drop, SomebodyElse, Where
from proxmox_client.testing.guests.agentcommands import MOST_OUTPUT, CommandOutcome
from proxmox_client.values.command import CommandEnded, CommandLost, CommandRunning
from tests.lab.colours import COLOURS, open_client


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve2", 100, {"name": "web", "memory": "128", "agent": "1"}, status="running")
    made.guests[100].agent_answers = True
    made.clock.advance(20)
    return made


@pytest.fixture(params=COLOURS)
async def agent(cluster: SimulatedCluster, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    token = cluster.create_token("root@pam", "test")
    async with open_client(request.param, cluster, token=token) as made:
        yield (await made.guest("web")).agent


async def test_output_comes_back(agent: Any) -> None:
    result = await agent.run(["echo", "-n", "grüße", "€"])
    assert isinstance(result, CommandEnded)
    assert (result.ok, result.exit_code, result.signal) == (True, 0, None)
    assert result.stdout == "-n grüße €\n"
    assert result.stderr == ""
    assert result.raise_for_result() is result
    assert "grüße" not in repr(result)


@pytest.mark.parametrize("given", ["zwölf €\n", "zwölf €\n".encode()])
async def test_input_goes_in_as_it_is(agent: Any, given: str | bytes) -> None:
    result = await agent.run(["/bin/cat"], stdin=given)
    assert result.stdout == "zwölf €\n"


async def test_what_is_no_utf8_is_still_there(agent: Any) -> None:
    ended = CommandEnded(1, 0, None, b"\xff\xfe")
    assert (ended.stdout, ended.stdout_bytes) == ("\xff\xfe", b"\xff\xfe")


async def test_failure_is_a_result(agent: Any, cluster: SimulatedCluster) -> None:
    def fail(arguments: Sequence[str], stdin: str) -> CommandOutcome:
        return CommandOutcome(stderr="one\nno such file\n", exit_code=2, seconds=3.0)

    cluster.agent_commands["ls"] = fail
    result = await agent.run(["ls", "/nosuch"])
    assert (result.ok, result.exit_code, result.stderr) == (False, 2, "one\nno such file\n")
    with pytest.raises(CommandError, match=r"failed: exit 2\n  one\n  no such file") as caught:
        result.raise_for_result()
    assert caught.value.result is result


async def test_killed_by_a_signal(agent: Any, cluster: SimulatedCluster) -> None:
    cluster.agent_commands["crash"] = lambda arguments, stdin: CommandOutcome(signal=11)
    result = await agent.run(["crash"])
    assert (result.ok, result.exit_code, result.signal) == (False, None, 11)
    with pytest.raises(CommandError, match="killed by 11"):
        result.raise_for_result()


async def test_output_that_was_cut_says_so(agent: Any, cluster: SimulatedCluster) -> None:
    much = "x" * (MOST_OUTPUT + 1)
    cluster.agent_commands["yes"] = lambda arguments, stdin: CommandOutcome(much, "short")
    result = await agent.run(["yes"])
    assert (len(result.stdout_bytes), result.stdout_truncated) == (MOST_OUTPUT, True)
    assert not result.stderr_truncated


async def test_command_that_takes_longer_can_be_asked_for_later(
    agent: Any, cluster: SimulatedCluster
) -> None:
    running = await agent.run(["sleep", "100"], timeout=10)
    assert isinstance(running, CommandRunning)
    assert 10 <= running.waited < 12
    with pytest.raises(CommandError, match="still runs after 10 s"):
        running.raise_for_result()
    assert await agent.result(running.pid) is None
    cluster.clock.advance(100)
    assert (await agent.result(running.pid)).ok


async def test_agent_that_is_not_there(agent: Any, cluster: SimulatedCluster) -> None:
    cluster.guests[100].agent_answers = False
    assert not await agent.answers()
    with pytest.raises(AgentNotRunning, match="qemu-guest-agent"):
        await agent.run(["true"])
    before = cluster.clock.now()
    assert not await agent.wait(timeout=30)
    assert 20 < cluster.clock.now() - before <= 36


async def test_agent_that_comes_up(agent: Any, cluster: SimulatedCluster) -> None:
    cluster.guests[100].agent_answers = False

    def come_up(world: SimulatedCluster) -> None:
        world.guests[100].agent_answers = True

    cluster.faults.add(SomebodyElse(come_up, where=Where("POST", "*/agent/ping", skip=2, times=1)))
    assert await agent.wait()
    assert await agent.answers()


async def test_stopped_machine_has_no_agent(agent: Any, cluster: SimulatedCluster) -> None:
    cluster.guests[100].end()
    with pytest.raises(WrongState, match="not running"):
        await agent.run(["true"])


async def test_lost_answer_starts_nothing_twice(agent: Any, cluster: SimulatedCluster) -> None:
    cluster.faults.add(Drop("after", Where("POST", "*/agent/exec")))
    with pytest.raises(AmbiguousWrite):
        await agent.run(["true"])
    assert len(cluster.guests[100].processes.running) == 1


async def test_end_that_was_told_once_and_lost(agent: Any, cluster: SimulatedCluster) -> None:
    cluster.faults.add(Drop("after", Where("GET", "*/agent/exec-status", times=1)))
    result = await agent.run(["true"])
    assert isinstance(result, CommandLost)
    assert "does not exist" in result.why
    with pytest.raises(CommandError, match="is lost"):
        result.raise_for_result()


async def test_agent_that_is_away_for_a_moment(agent: Any, cluster: SimulatedCluster) -> None:
    def away(world: SimulatedCluster) -> None:
        world.guests[100].agent_answers = not world.guests[100].agent_answers

    cluster.faults.add(SomebodyElse(away, where=Where("GET", "*/agent/exec-status", times=2)))
    assert (await agent.run(["true"])).ok


@pytest.mark.parametrize(
    ("command", "stdin", "why"),
    [("ls -l", "", "one by one"), ([], "", "one by one"), (["cat"], "x" * 65537, "65537")],
)
async def test_what_cannot_be_run_is_not_sent(
    agent: Any, cluster: SimulatedCluster, command: Any, stdin: str, why: str
) -> None:
    with pytest.raises(RequestInvalid, match=why):
        await agent.run(command, stdin=stdin)
    assert cluster.guests[100].processes.running == {}
