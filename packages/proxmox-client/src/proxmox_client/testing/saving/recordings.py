"""Recorded exchanges as what a cluster last said, by path."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.saving.live import scrubbed
from proxmox_client.testing.saving.wirevalues import fields
from proxmox_client.testing.wireform import parse_form

if TYPE_CHECKING:
    from proxmox_client.testing.saving.building import Answers


def answers_of(paths: Iterable[str | Path]) -> Answers:
    """Return the last successful answer to each read in recordings, without secrets.

    A recording has one JSON document per line with `method`, `path`, `status` and `body`, in the
    order of the requests, as in this project's `tests/data/recordings`.

    Raises:
        ValueError: A line is no exchange.
        OSError: A file cannot be read.
    """
    answers: dict[str, Any] = {}
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                exchange = json.loads(line)
                _learn(answers, exchange)
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}:{number}: no recorded exchange ({error})") from None
    return answers


def _learn(answers: dict[str, Any], exchange: dict[str, Any]) -> None:
    method, status = exchange["method"], int(exchange["status"])
    where, _, query = str(exchange["path"]).partition("?")
    if exchange.get("base", "/api2/json") != "/api2/json":
        return
    if method == "DELETE" and status == 200:
        for known in [known for known in answers if known.startswith(f"{where}/")]:
            del answers[known]
    asked = parse_form(query) | fields(exchange.get("params"))
    # Other parameters choose: a snapshot, a time, a kind.
    if method != "GET" or asked.keys() - {"current", "full"}:
        return
    if status == 200:
        # What was read last stands last.
        answers.pop(where, None)
        answers[where] = scrubbed(fields(exchange["body"]).get("data"))
    elif "does not exist" in str(exchange.get("reason")):
        answers.pop(where, None)
