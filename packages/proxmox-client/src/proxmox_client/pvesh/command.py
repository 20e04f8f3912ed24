"""From a command line to a call to an exit code."""

from __future__ import annotations

import argparse
import enum
import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from proxmox_client.client import Client
from proxmox_client.errors import (
    AuthenticationFailed,
    ConnectError,
    PermissionDenied,
    PveError,
    RequestInvalid,
)
from proxmox_client.pvesh.showing import as_json, as_table
from proxmox_client.values.upid import Upid

_METHODS: Final = {
    "get": "GET",
    "ls": "GET",
    "post": "POST",
    "create": "POST",
    "put": "PUT",
    "set": "PUT",
    "delete": "DELETE",
}
_EPILOG: Final = """\
server and credentials, the first that says something counts: --context, the
environment (PMPC_URL, PMPC_TOKEN or PMPC_USER and PMPC_PASSWORD,
PMPC_FINGERPRINT or PMPC_CA_FILE, PMPC_CONTEXT), the file of named clusters
(PMPC_CONFIG), the keyring.

exit codes: 0 done, 1 PVE refused or the task failed, 2 the command line is
wrong, 3 not allowed, 4 no connection or nobody to trust.

examples:
  python -m proxmox_client GET /nodes
  python -m proxmox_client GET /cluster/resources type=vm -o json
  python -m proxmox_client POST /nodes/pve1/qemu/100/status/start --wait
  python -m proxmox_client PUT /access/password userid=me@pve password=@-
"""


class ExitCode(enum.IntEnum):
    """What the shell gets."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_ALLOWED = 3
    NO_CONNECTION = 4
    INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Make one call and show its answer.

    Args:
        arguments: The command line without the program's name; the process's own by default.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    try:
        params = _params(options.params)
        answer = _call(options, params)
        if options.output == "json" or (options.output is None and not sys.stdout.isatty()):
            shown = as_json(answer)
        else:
            shown = as_table(answer)
        if shown:
            print(shown, flush=True)
    except (PveError, ValueError, OSError) as error:
        return _tell(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m proxmox_client",
        description="Call the API of Proxmox VE.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "method",
        metavar="METHOD",
        type=str.lower,
        choices=sorted(_METHODS),
        help="GET, POST, PUT or DELETE, or pvesh's ls, create, set",
    )
    parser.add_argument("path", metavar="PATH", help="such as /nodes/pve1/qemu/100/config")
    parser.add_argument(
        "params",
        metavar="KEY=VALUE",
        nargs="*",
        help="parameters; a key given twice is a list; @FILE reads a value, @- from stdin, "
        "and @@ begins a value with @",
    )
    parser.add_argument("-o", "--output", choices=("json", "table"), help="json in a pipe")
    parser.add_argument("-c", "--context", help="a name in the file of clusters")
    parser.add_argument("-t", "--timeout", type=float, help="seconds without a byte of an answer")
    parser.add_argument(
        "-w", "--wait", action="store_true", help="wait for the task it starts; log to stderr"
    )
    return parser


def _params(given: Sequence[str]) -> dict[str, object]:
    found: dict[str, list[str]] = {}
    for one in given:
        key, separator, value = one.partition("=")
        if not separator or not key:
            raise RequestInvalid(repr(one), "a parameter is KEY=VALUE")
        found.setdefault(key, []).append(_value(value))
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _value(text: str) -> str:
    if not text.startswith("@") or text.startswith("@@"):
        return text.removeprefix("@") if text.startswith("@@") else text
    if text == "@-":
        return sys.stdin.read().removesuffix("\n")
    return Path(text[1:]).expanduser().read_text(encoding="utf-8").removesuffix("\n")


def _call(options: argparse.Namespace, params: Mapping[str, object]) -> Any:
    asked: dict[str, Any] = {"otp": _ask_code} if sys.stdin.isatty() else {}
    if options.timeout is not None:
        asked["timeout"] = options.timeout
    with Client.from_env(os.environ, context=options.context, **asked) as pve:
        method = _METHODS[options.method]
        path = options.path if options.path.startswith("/") else f"/{options.path}"
        answer = pve.request(method, path, params)
        if options.wait and isinstance(answer, str) and answer.startswith("UPID:"):
            pve.task(Upid.parse(answer)).wait(on_log=_show_line).raise_for_result()
        return answer


def _ask_code() -> str:
    return getpass.getpass("code of the second factor: ")


def _show_line(line: str) -> None:
    print(line, file=sys.stderr)


def _tell(error: Exception) -> int:
    """Say what went wrong, and return the exit code for it."""
    if isinstance(error, BrokenPipeError):
        # whoever read has had enough; Python would complain once more when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    words = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.filename is not None:
        words = f"cannot read {error.filename}: {cast('str', error.strerror)}"
    print(f"error: {words}", file=sys.stderr)
    if isinstance(error, ConnectError):
        return ExitCode.NO_CONNECTION
    if isinstance(error, (AuthenticationFailed, PermissionDenied)):
        return ExitCode.NOT_ALLOWED
    if isinstance(error, (RequestInvalid, ValueError, OSError)):
        return ExitCode.USAGE
    return ExitCode.REFUSED
