"""Who watches a client, and telling them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from proxmox_client.observing.events import Finished, Observer, RetryPlanned, Sending
from proxmox_client.observing.requestlog import RequestLog, is_on

_LOG: Final = RequestLog()
_log: Final = logging.getLogger("proxmox_client.observing")


class Watch:
    """The watchers of one client; they come and go.

    Args:
        observers: Those who watch from the beginning.
        home: Address of the server that requests call by the empty name.
    """

    def __init__(self, observers: Iterable[Observer] = (), home: str = "") -> None:
        self._observers = tuple(observers)
        self.home = home

    def __repr__(self) -> str:
        return f"Watch({len(self._observers)} observers)"

    def add(self, observer: Observer) -> None:
        """Take up a watcher."""
        self._observers = (*self._observers, observer)

    def remove(self, observer: Observer) -> None:
        """Let a watcher go."""
        self._observers = tuple(one for one in self._observers if one is not observer)

    def wanted(self) -> tuple[Observer, ...]:
        """Return who is to be told at the moment, the log among them if somebody reads it."""
        return (*self._observers, _LOG) if is_on() else self._observers


def tell_before(observers: Iterable[Observer], event: Sending) -> None:
    """Tell watchers of a sending."""
    for observer in observers:
        _tell(observer.before, event)


def tell_after(observers: Iterable[Observer], event: Finished) -> None:
    """Tell watchers of its end."""
    for observer in observers:
        _tell(observer.after, event)


def tell_retry(observers: Iterable[Observer], event: RetryPlanned) -> None:
    """Tell watchers that it will be sent again."""
    for observer in observers:
        _tell(observer.retry, event)


def _tell(to: Callable[[Any], object], event: Sending | Finished | RetryPlanned) -> None:
    """Tell one; what goes wrong there must not cost a request its answer."""
    try:
        to(event)
    except Exception as error:
        _log.warning("%s raised %s", getattr(to, "__qualname__", to), type(error).__name__)
