"""Conditions of managed objects, what was said about them, and the loop's news."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import TYPE_CHECKING

from rich.text import Text

from pmpc_cli.present.table import Column
from pmpc_cli.present.terminal import tell
from pmpc_cli.present.values import show_time
from pmpc_reconcile.controllers.news import Healed, Looked, News, Postponed

if TYPE_CHECKING:
    from pmpc_reconcile.actions.control import ControlView
    from pmpc_reconcile.actions.status import ObjectStatus

_SHOWN = {"true": "yes", "false": "no", "unknown": "?"}


def status_columns() -> tuple[Column[ObjectStatus], ...]:
    """Return the columns of objects with their conditions."""
    return (
        Column("RELEASE", lambda item: item.release),
        Column("OBJECT", lambda item: item.address),
        Column("SYNCED", lambda item: _cell(item, "Synced"), style=_good("yes")),
        Column("HEALTHY", lambda item: _cell(item, "Healthy"), style=_good("yes")),
        Column("DRIFTED", lambda item: _cell(item, "Drifted"), style=_good("no")),
        Column("RESTART", lambda item: _cell(item, "RestartRequired"), style=_good("no")),
        Column("SINCE", lambda item: show_time(item.since)),
        Column("MESSAGE", lambda item: item.message),
        Column("SEEN", lambda item: show_time(item.seen), wide=True),
    )


def control_columns() -> tuple[Column[ControlView], ...]:
    """Return the columns of what was said about releases and objects."""
    return (
        Column("RELEASE", lambda item: item.release or "(all)"),
        Column("OBJECT", lambda item: item.address or "(all)"),
        Column("SUSPENDED", lambda item: _flag(item.suspended)),
        Column("SELF-HEAL", lambda item: _flag(item.self_heal)),
        Column("BY", lambda item: item.actor),
        Column("TIME", lambda item: show_time(item.time)),
        Column("REASON", lambda item: item.reason),
    )


def control_line(item: ControlView) -> str:
    """Return what was said about one thing as a sentence."""
    what = item.address or (f"release {item.release}" if item.release else "the whole cluster")
    words = {
        "suspended": item.suspended,
        "drift is undone": item.self_heal,
    }
    told = [
        f"{word}: {'yes' if value else 'no'}" for word, value in words.items() if value is not None
    ]
    return f"{what}: {', '.join(told)}"


def tell_news(news: News) -> None:
    """Print what the loop tells, one line each."""
    line = _line(news)
    if line is not None:
        tell(line)


@singledispatch
def _line(news: object) -> Text | None:
    return None


@_line.register
def _(news: Looked) -> Text | None:
    if not news.drifted and not news.refused:
        return None
    line = Text(f"{news.release}: ", style="bold")
    line.append(f"{len(news.drifted)} of {news.objects} differ", style="not bold")
    left = [address for address in news.drifted if address not in news.healing]
    if left:
        line.append(f"; left alone: {', '.join(left)}", style="not bold yellow")
    if news.refused:
        line.append(f"; see `pmpc status`: {', '.join(news.refused)}", style="not bold red")
    return line


@_line.register
def _(news: Healed) -> Text:
    return Text.assemble((news.address, "bold"), (": as declared again", "green"))


@_line.register
def _(news: Postponed) -> Text | None:
    style = "red" if news.failed else "dim"
    what = news.address or f"release {news.release}"
    told = f": {news.reason}; again in {news.seconds:.0f} s"
    return Text.assemble((what, "bold"), (told, style))


def _cell(item: ObjectStatus, condition: str) -> str:
    return _SHOWN[item.conditions.get(condition, "unknown")]


def _good(word: str) -> Callable[[str], str]:
    return lambda cell: "green" if cell == word else "yellow"


def _flag(value: bool | None) -> str:
    return "" if value is None else ("yes" if value else "no")
