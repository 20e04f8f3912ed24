"""Ask the simulator what a running PVE was asked, as the same callers and at the same pace."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Generator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

import attrs
import orjson

from proxmox_client.testing import SimResponse, SimulatedCluster, nodelife
from proxmox_client.testing.frontdoor import converse
from proxmox_client.testing.ha.state import ha
from proxmox_client.testing.request import HostUnreachable
from proxmox_client.values import Upid
from tests.conformance.json_values import as_list, as_object, data_of
from tests.conformance.replay_servers import small_machine
from tests.conformance.replay_timeline import started_task

PAUSE = 0.02
LONGEST_TASK = 400.0
_UPID = re.compile(r"UPID:\w+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:[^:\s\"]+:[^:\s\"]*:[^:\s\"]+:")
_TOKEN = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# Values that differ from server to server and come back in later requests.
CARRIED = frozenset(("upid", "digest", "value", "ticket", "CSRFPreventionToken"))


@attrs.frozen
class Answer:
    """What the simulator said, in the recordings' terms."""

    status: int
    reason: str
    body: Any


class Session:
    """Replays exchanges of one server, one after the other.

    Keeps what the recorded callers kept: tickets, token secrets, UPIDs and digests.
    """

    def __init__(self, cluster: SimulatedCluster, hints: Mapping[str, Any]) -> None:
        self.cluster = cluster
        self.sleep: Callable[[float], None] = cluster.clock.sleep
        self._hints = hints
        self._ours: dict[str, str] = {}
        self._secrets = {"root@pam!test": cluster.create_token("root@pam", "test")}
        token = cluster.access.users["root@pam"].tokens["test"]
        for server in cluster.servers():
            server.access.users["root@pam"].tokens["test"] = token
        self._tickets: dict[str, tuple[str, str]] = {}
        self._minted: dict[tuple[str, str], tuple[str, str]] = {}
        self._last_user = "root@pam"

    def is_orphan(self, record: Mapping[str, Any]) -> bool:
        """Whether a request asks about a recorded task that the simulator never started."""
        found = _UPID.search(unquote(str(record["path"])))
        if found is None or found[0] in self._ours:
            return False
        # A task that the recorded server did not know either is none of these.
        return record["status"] == 200 and "unable to open file" not in str(record["body"])

    def play(self, area: str, record: Mapping[str, Any]) -> Answer:
        """Ask one recorded request; waits for the task if the recorded caller saw its end."""
        hint = self._hint(area, record)
        self._prepare(hint)
        if "start" in hint:
            self._start(record, *hint["start"])
        answer = self._ask(record, hint)
        if _saw_the_end(record) and not _is_the_end(answer.body):
            self._wait_for(record)
            answer = self._ask(record, hint)
        self._learn(record, answer)
        return answer

    def glance(self, area: str, record: Mapping[str, Any]) -> Answer | None:
        """Ask a recorded request if that takes no time; learn nothing from the answer."""
        steps = self._conversation(record, self._hint(area, record))
        try:
            next(steps)
        except StopIteration as stop:
            return _read(stop.value)
        except HostUnreachable as gone:
            return Answer(0, str(gone), None)
        steps.close()
        return None

    def keep_pace(self, record: Mapping[str, Any]) -> None:
        """Let the time pass that tasks' starts show to have passed: for files without times."""
        self.cluster.clock.advance(PAUSE)
        if (upid := started_task(record)) is not None:
            self.cluster.clock.advance_to(float(upid.starttime))

    def do(self, deed: tuple[Any, ...]) -> None:
        """Do to the machines what was done to them while nobody recorded."""
        cluster, (what, *rest) = self.cluster, deed
        match what:
            case "lose":
                nodelife.lose(cluster, cluster.nodes[rest[0]], rest[1])
            case "back":
                nodelife.bring_back(cluster, cluster.nodes[rest[0]])
            case "gone":
                cluster.guests.pop(int(rest[0]), None)
            case "set" | "set node":
                which, changes = rest
                found = cluster.guests[which] if what == "set" else cluster.nodes[which]
                for name, value in changes.items():
                    setattr(found, name, value)
                cluster.broadcast.reschedule()
            case "rounds":
                ha(cluster).worker_phases.update(rest[0])
            case "vm":
                node, vmid, storage, status = rest
                made = cluster.add_vm(node, vmid, small_machine(vmid, storage), status=status)
                cluster.broadcast.tell(made)
            case "volume":
                storage, volid, size, node = rest
                cluster.add_volume(storage, volid, size, node=node)
            case "unlink":
                volume = cluster.volumes.find(*rest)
                if volume is not None:
                    cluster.volumes.remove(volume)
            case "call":
                cluster.call(*rest)
            case _:
                raise ValueError(f"the rules know no deed {what!r}")

    def _hint(self, area: str, record: Mapping[str, Any]) -> Mapping[str, Any]:
        hint: Mapping[str, Any] = self._hints.get(area, {}).get(str(record["n"]), {})
        return hint

    def _prepare(self, hint: Mapping[str, Any]) -> None:
        clock = self.cluster.clock
        clock.advance(float(hint.get("advance", 0)))
        if "config" in hint:
            vmid, options = hint["config"]
            self.cluster.guests[int(vmid)].config.update(options)
        for vmid in hint.get("gone", ()):
            self.cluster.guests.pop(int(vmid), None)
        if "hold" in hint:
            name, seconds = hint["hold"]
            self.cluster.locks.take(str(name), until=clock.now() + float(seconds))

    def _start(
        self, record: Mapping[str, Any], method: str, path: str, params: Mapping[str, Any]
    ) -> None:
        """Start the task a request asks about, as its start was not recorded."""
        found = _UPID.search(unquote(str(record["path"])))
        if found is not None:
            upid = self.cluster.call(method, path, params, user="root@pam!test")
            self._ours[found[0]] = str(upid)

    def _ask(self, record: Mapping[str, Any], hint: Mapping[str, Any]) -> Answer:
        steps = self._conversation(record, hint)
        while True:
            try:
                self.sleep(next(steps))
            except StopIteration as stop:
                return _read(stop.value)
            except HostUnreachable as gone:
                return Answer(0, str(gone), None)

    def _conversation(
        self, record: Mapping[str, Any], hint: Mapping[str, Any]
    ) -> Generator[float, None, SimResponse]:
        method = str(record["method"])
        params = {
            key: self._translate(value) for key, value in dict(record.get("params") or {}).items()
        }
        headers = self._headers(record, hint)
        path = str(record["path"])
        target = quote(self._translated(path), safe="/:@!?=&%,;*") if path else ""
        body = b""
        if "body" in hint:
            body = str(hint["body"]).encode() * int(hint.get("times", 1))
        elif "file" in hint:
            body, headers["content-type"] = _multipart(params, hint["file"])
        elif "json" in record:
            body, headers["content-type"] = orjson.dumps(record["json"]), "application/json"
        elif method in ("GET", "DELETE") and params:
            target += ("&" if "?" in target else "?") + urlencode(params)
        elif params:
            body = urlencode(params).encode()
        target = str(record.get("base", "/api2/json")) + target
        via = str(record.get("via", ""))
        return converse(self.cluster, method, target, headers, body, via)

    def _headers(self, record: Mapping[str, Any], hint: Mapping[str, Any]) -> dict[str, str]:
        headers = {
            str(name).lower(): str(text) for name, text in record.get("req_headers", {}).items()
        }
        who = str(record.get("auth_id", ""))
        if "headers" in hint:
            headers |= {str(name): str(text) for name, text in hint["headers"].items()}
        if "expired" in hint:
            old = self.cluster.clock.now() - 3 * 3600
            headers["cookie"] = f"PVEAuthCookie={quote(self.cluster.auth.ticket('root@pam', old))}"
        elif "authorization" in hint:
            text = str(hint["authorization"]).replace("{token}", self._secrets["root@pam!test"])
            ticket = self._tickets.get("root@pam", ("", ""))[0]
            headers["authorization"] = text.replace("{ticket}", ticket)
        elif record.get("auth") == "token":
            full = self._secrets.get(who, f"{who}=00000000-0000-0000-0000-000000000000")
            headers["authorization"] = f"PVEAPIToken={full}"
        elif record.get("auth") == "ticket":
            user = who or self._last_user
            ticket, csrf = self._tickets.get(user) or self._mint(user, record)
            headers["cookie"] = f"PVEAuthCookie={quote(ticket)}"
            if who:
                headers["csrfpreventiontoken"] = csrf
        return headers

    def _mint(self, user: str, record: Mapping[str, Any]) -> tuple[str, str]:
        """Make the ticket of a log-in that was not recorded, at the server that was asked."""
        via = str(record.get("via", ""))
        server = self.cluster.server(via) if via else self.cluster
        if (via, user) not in self._minted or record.get("note") == "new ticket":
            now = self.cluster.clock.now()
            self._minted[via, user] = server.auth.ticket(user, now), server.auth.csrf(user, now)
        return self._minted[via, user]

    def _wait_for(self, record: Mapping[str, Any]) -> None:
        found = _UPID.search(self._translate(str(record["path"])))
        upid = None if found is None else Upid.parse(found[0])
        if upid is None:
            return
        task = self.cluster.server(upid.node).tasks.find(upid.node, str(upid))
        if task is None:
            return
        deadline = self.cluster.clock.now() + LONGEST_TASK
        while task.running and self.cluster.clock.now() < deadline:
            self.cluster.clock.advance(0.25)

    def _translate(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value in self._ours:
            return self._ours[value]
        return _UPID.sub(lambda found: self._ours.get(found[0], found[0]), value)

    def _translated(self, path: str) -> str:
        """Translate a path, its UPIDs even where they are percent-encoded."""
        if "UPID%3A" not in path:
            return str(self._translate(path))
        return quote(self._translate(unquote(path)), safe="/?=&")

    def _learn(self, record: Mapping[str, Any], answer: Answer) -> None:
        theirs = record.get("body")
        self._pair(theirs, answer.body, "")
        found = as_object(data_of(answer.body))
        if found is None:
            return
        if "ticket" in found and "CSRFPreventionToken" in found:
            self._tickets[found["username"]] = (found["ticket"], found["CSRFPreventionToken"])
            self._last_user = found["username"]
        if "full-tokenid" in found:
            self._secrets[found["full-tokenid"]] = f"{found['full-tokenid']}={found['value']}"

    def _pair(self, theirs: object, mine: object, key: str) -> None:
        wanted, found = as_object(theirs), as_object(mine)
        if wanted is not None and found is not None:
            for name in wanted.keys() & found.keys():
                self._pair(wanted[name], found[name], name)
        elif isinstance(theirs, str) and isinstance(mine, str) and theirs != mine:
            both_tasks = _UPID.fullmatch(theirs) and _UPID.fullmatch(mine)
            both_tokens = _TOKEN.fullmatch(theirs) and _TOKEN.fullmatch(mine)
            if key in CARRIED or both_tasks or both_tokens:
                self._ours[theirs] = mine


def _read(response: SimResponse) -> Answer:
    kind = dict(response.headers).get("Content-Type", "")
    if kind.startswith("application/json"):
        return Answer(response.status, response.reason, orjson.loads(response.body))
    return Answer(response.status, response.reason, response.body.decode())


def _saw_the_end(record: Mapping[str, Any]) -> bool:
    return "/tasks/UPID" in str(record["path"]) and _is_the_end(record.get("body"))


def _is_the_end(body: object) -> bool:
    """Whether a status says stopped, or a log ends as logs of finished tasks do."""
    data = data_of(body)
    status = as_object(data)
    if status is not None:
        return bool(status.get("status") == "stopped")
    return any(str(line.get("t", "")).startswith("TASK ") for line in as_list(data) or ())


def _multipart(params: Mapping[str, Any], file: Mapping[str, Any]) -> tuple[bytes, str]:
    """Write a form with a file; ``first`` puts the file before the fields."""
    mark = "recorded"
    fields = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in params.items()
    ]
    data = base64.b64decode(file["base64"]) if "base64" in file else b"\0" * int(file["size"])
    part = (
        f'--{mark}\r\nContent-Disposition: form-data; name="{file.get("field", "filename")}";'
        f' filename="{file["name"]}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    ).encode() + data
    parts = [part + b"\r\n", *fields] if file.get("first") else [*fields, part + b"\r\n"]
    body = b"".join(parts) + f"--{mark}--\r\n".encode()
    return body, f"multipart/form-data; boundary={mark}"
