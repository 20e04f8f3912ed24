"""The command tree: which commands exist and which module holds each.

Commands are registered by import string, so starting `pmpc get` loads the module of `get` only.
Commands of other packages are found through the entry-point group `pmpc.commands`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Final

from cyclopts import App, Group, Parameter
from rich.console import Console

from pmpc_cli.exit_codes import EPILOGUE
from pmpc_cli.present.help import AlignedHelp

PLUGIN_GROUP: Final = "pmpc.commands"

START = Group("Start here", sort_key=1)
LOOK = Group("Look", sort_key=2)
CHANGE = Group("Change", sort_key=3)
SET_UP = Group("Set up", sort_key=4)
OPTIONS = Group("Options", sort_key=9)

COMMANDS: Final[tuple[tuple[str, str, Group], ...]] = (
    ("demo", "pmpc_cli.commands.demo:demo", START),
    ("context", "pmpc_cli.commands.contexts:app", START),
    ("sync", "pmpc_cli.commands.observe:sync", LOOK),
    ("get", "pmpc_cli.commands.observe:get", LOOK),
    ("snapshot", "pmpc_cli.commands.past:snapshot", LOOK),
    ("snapshots", "pmpc_cli.commands.past:snapshots", LOOK),
    ("changes", "pmpc_cli.commands.past:changes", LOOK),
    ("log", "pmpc_cli.commands.past:log", LOOK),
    ("metrics", "pmpc_cli.commands.past:metrics", LOOK),
    ("restore-manifest", "pmpc_cli.commands.past:restore_manifest", LOOK),
    ("status", "pmpc_cli.commands.watching:status", LOOK),
    ("diff", "pmpc_cli.commands.planning:diff", LOOK),
    ("adopt", "pmpc_cli.commands.adopting:adopt", CHANGE),
    ("plan", "pmpc_cli.commands.planning:plan", CHANGE),
    ("plans", "pmpc_cli.commands.planning:plans", CHANGE),
    ("approve", "pmpc_cli.commands.planning:approve", CHANGE),
    ("apply", "pmpc_cli.commands.applying:apply", CHANGE),
    ("history", "pmpc_cli.commands.releases:history", CHANGE),
    ("rollback", "pmpc_cli.commands.releases:rollback", CHANGE),
    ("delete", "pmpc_cli.commands.releases:delete", CHANGE),
    ("suspend", "pmpc_cli.commands.watching:suspend", CHANGE),
    ("resume", "pmpc_cli.commands.watching:resume", CHANGE),
    ("self-heal", "pmpc_cli.commands.watching:self_heal", CHANGE),
    ("controller", "pmpc_cli.commands.watching:controller", CHANGE),
    ("schema", "pmpc_cli.commands.schema:schema", SET_UP),
    ("state", "pmpc_cli.commands.state:app", SET_UP),
    ("web", "pmpc_cli.commands.absent:web", SET_UP),
    ("version", "pmpc_cli.commands.version:version", SET_UP),
)


def build_app(words: Sequence[str] = (), *, console: Console | None = None) -> App:
    """Return the command tree; `words` (the command line) decide which plug-ins are looked up."""
    app = App(
        name="pmpc",
        help="Manage Proxmox VE clusters: see them, plan changes, apply them, undo them.\n\n"
        "pmpc COMMAND --help explains a command.",
        usage="Usage: pmpc [--context NAME] COMMAND [OPTIONS]",
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        help_formatter=AlignedHelp(),
        version_flags=(),
        default_parameter=Parameter(negative=()),
        group_parameters=OPTIONS,
        suppress_keyboard_interrupt=False,
        console=console,
    )
    plugins = _plugins(words)
    app["--help"].group = (OPTIONS,)
    for place, (name, target, group) in enumerate(COMMANDS):
        app.command(plugins.pop(name, target), name=name, group=group, sort_key=place)
    for name, target in plugins.items():
        app.command(target, name=name, group=SET_UP)
    return app


def _plugins(words: Sequence[str]) -> dict[str, str]:
    """Return import strings of installed commands, only if the command line asks for one.

    Looking entry points up reads the metadata of every installed distribution, so built-in
    commands do not wait for it.
    """
    built_in = {name for name, target, _ in COMMANDS if ".absent:" not in target}
    if not words or words[0] in built_in:
        return {}
    return {point.name: point.value for point in entry_points(group=PLUGIN_GROUP)}
