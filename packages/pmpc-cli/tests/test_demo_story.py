"""The demo's verdict: a claim that does not hold ends the story and fails the command."""

from __future__ import annotations

import pytest

from pmpc_cli.demo.narrator import ClaimFailed, Narrator
from pmpc_cli.demo.scenes.scene import Scene
from pmpc_cli.demo.story import UNDER_UV_RUN, tell_story


def test_a_claim_that_holds_is_said_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator()
    narrator.step("First", "pmpc sync")
    narrator.claim(True, "it is so")
    assert narrator.held == 1
    assert capsys.readouterr().out.splitlines() == [
        "",
        "1. First",
        "   $ pmpc sync",
        "   ok it is so",
    ]


def test_a_claim_that_does_not_hold_says_what_was_found() -> None:
    with pytest.raises(ClaimFailed, match=r"it is so: this does not hold; found 3"):
        Narrator().claim(False, "it is so", 3)


async def test_the_story_fails_with_its_first_false_claim(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def claims_too_much(scene: Scene) -> None:
        guests = scene.stage.cluster.guests
        scene.narrator.claim(len(guests) == 0, "the cluster is empty", sorted(guests))

    async def never_reached(scene: Scene) -> None:
        scene.narrator.step("never reached")

    assert not await tell_story(None, steps=(claims_too_much, never_reached))
    told = capsys.readouterr()
    assert "the demo did not hold: the cluster is empty" in told.err
    assert "[100, 101, 102, 9000]" in told.err
    assert "never reached" not in told.out
    assert "Everything held" not in told.out


@pytest.mark.parametrize(
    ("under_uv", "line"),
    [(False, "pmpc sync && pmpc get vm"), (True, "uv run pmpc sync && uv run pmpc get vm")],
)
async def test_a_story_whose_claims_hold_ends_with_three_commands(
    under_uv: bool,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(UNDER_UV_RUN, raising=False)
    if under_uv:
        monkeypatch.setenv(UNDER_UV_RUN, "1")

    async def looks_around(scene: Scene) -> None:
        version = await scene.stage.session.action_context.connection().version.get()
        scene.narrator.claim(str(version.version).startswith("9."), "the server answers by HTTPS")

    assert await tell_story(None, steps=(looks_around,))
    told = capsys.readouterr().out.splitlines()
    assert told[-4] == "Three commands to try next:"
    assert told[-2].split("#")[0].strip() == line
