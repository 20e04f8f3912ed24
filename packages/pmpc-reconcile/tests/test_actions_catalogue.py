from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from pmpc_reconcile import actions
from pmpc_reconcile.actions import ActionContext, catalogue, from_plain, invoke, to_plain
from pmpc_reconcile.actions.list_resources import ListInput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.actions.spec import AnyActionSpec
from pmpc_reconcile.actions.version import VersionInput
from pmpc_reconcile.errors import ActionUnknown, ClientRequired, InputInvalid
from pmpc_reconcile.risk import Risk
from pmpc_state import State

FOLDER = Path(inspect.getfile(actions)).parent
NOT_ACTIONS = {
    "__init__",
    "carrying",
    "catalogue",
    "looking",
    "paging",
    "perform",
    "plain",
    "session",
    "sources",
    "spec",
    "views",
}


def test_every_module_of_the_folder_is_an_action_in_the_catalogue() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - NOT_ACTIONS
    homes = {spec.run.__module__.rpartition(".")[2] for spec in catalogue().values()}
    assert homes == modules


@pytest.mark.parametrize("spec", catalogue().values(), ids=lambda spec: spec.name)
def test_every_action_is_fully_described(spec: AnyActionSpec) -> None:
    assert spec.summary
    assert not spec.summary.endswith(".")
    for field in attrs.fields(spec.input):
        assert field.metadata.get("help"), f"{spec.input.__name__}.{field.name} lacks a help text"
    assert spec.output.__doc__


def test_reading_actions_are_marked_as_such() -> None:
    writing = {name for name, spec in catalogue().items() if spec.risk is not Risk.READ}
    assert writing == {"approve", "apply", "rollback", "delete"}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ActionContext]:
    with State.open(f"sqlite:///{tmp_path / 'state.db'}") as state:
        yield ActionContext("lab", state)


async def test_an_unknown_action_names_the_known_ones(context: ActionContext) -> None:
    with pytest.raises(ActionUnknown, match="known are sync, list"):
        await invoke("lst", context, None)


async def test_an_input_of_another_class_is_refused(context: ActionContext) -> None:
    with pytest.raises(InputInvalid):
        await invoke("list", context, VersionInput())


async def test_an_action_that_needs_the_cluster_says_so(context: ActionContext) -> None:
    with pytest.raises(ClientRequired):
        await invoke("plan", context, PlanInput(text="x"))


def test_inputs_can_be_made_from_json() -> None:
    made = from_plain(PlanInput, {"paths": ["a", "b"], "resolve": {"config.cores": "ours"}})
    assert made == PlanInput(paths=("a", "b"), resolve={"config.cores": "ours"})
    with pytest.raises(InputInvalid, match="pathz"):
        from_plain(PlanInput, {"pathz": []})
    with pytest.raises(InputInvalid):
        from_plain(ListInput, {"kind": {"a": 1}, "nope": 1})


def test_outputs_can_be_shown_as_json() -> None:
    @attrs.frozen
    class Odd:
        path: Path
        risk: Risk
        names: frozenset[str]
        more: dict[str, tuple[int, ...]]

    plain: Any = to_plain(Odd(Path("a"), Risk.READ, frozenset({"b", "a"}), {"x": (1, 2)}))
    assert json.loads(json.dumps(plain)) == {
        "path": "a",
        "risk": "read",
        "names": ["a", "b"],
        "more": {"x": [1, 2]},
    }
    assert cast("dict[str, Any]", plain)["names"] == ["a", "b"]
