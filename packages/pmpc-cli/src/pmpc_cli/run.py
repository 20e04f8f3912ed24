"""Run one command line through the real application and turn what went wrong into words."""

from __future__ import annotations

import difflib
import io
import os
import sys
from collections.abc import Sequence

from cyclopts import CycloptsError, UnknownCommandError

from pmpc_cli.app import build_app
from pmpc_cli.exit_codes import ExitCode

DEBUG_VARIABLE = "PMPC_DEBUG"
CONTINUED = ("apply", "rollback", "delete")
"""Commands whose second run finishes what an interrupted one began."""
CONTEXT_VARIABLE = "PMPC_CONTEXT"


def run(words: Sequence[str]) -> int:
    """Run one command and return its exit code; a user's mistake never shows a traceback."""
    from pmpc_cli.present.terminal import flush

    _write_any_character()
    code = _carry_out(_with_help_flag(_with_context(words)))
    flush()
    return code


def _carry_out(line: Sequence[str]) -> int:
    from pmpc_cli.present.terminal import out

    try:
        result: object = build_app(line, console=out())(
            list(line), exit_on_error=False, print_error=False, result_action="return_value"
        )
    except KeyboardInterrupt as interrupt:
        _interrupted(line, interrupt)
        return ExitCode.INTERRUPTED
    except CycloptsError as error:
        return _usage(error)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        return _report(error)
    return result if isinstance(result, int) else ExitCode.OK


def _write_any_character() -> None:
    """Keep an arrow from stopping a command where the terminal has no Unicode."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _with_context(words: Sequence[str]) -> Sequence[str]:
    """Take `--context NAME` in front of the command, where kubectl's users write it."""
    if words[:1] == ["--context"] and len(words) > 1:
        os.environ[CONTEXT_VARIABLE] = words[1]
        return words[2:]
    if words and words[0].startswith("--context="):
        os.environ[CONTEXT_VARIABLE] = words[0].partition("=")[2]
        return words[1:]
    return words


def _with_help_flag(words: Sequence[str]) -> tuple[str, ...]:
    """Return `help apply` as `apply --help`, as kubectl and git take it."""
    if words and words[0] == "help":
        return (*words[1:], "--help")
    return tuple(words)


def _interrupted(words: Sequence[str], interrupt: KeyboardInterrupt) -> None:
    from pmpc_cli.present.terminal import QuestionInterrupted, tell

    if isinstance(interrupt, QuestionInterrupted):
        tell("interrupted; nothing was changed")
        return
    tell("interrupted")
    if words and words[0] in CONTINUED:
        from pmpc_cli.stopping import CONTINUE_HINT

        tell(CONTINUE_HINT)


def _usage(error: CycloptsError) -> int:
    from pmpc_cli.failures import Explanation
    from pmpc_cli.present.failure import show_failure

    error.verbose = False
    command = " ".join(("pmpc", *(error.command_chain or ())))
    if isinstance(error, UnknownCommandError):
        message = _unknown_command(error, command)
    else:
        message = str(error)
    show_failure(Explanation(message, f"see `{command} --help`", ExitCode.USAGE))
    return ExitCode.USAGE


def _unknown_command(error: UnknownCommandError, command: str) -> str:
    """Word it ourselves: cyclopts would import every command to find the nearest one."""
    word = (error.unused_tokens or [""])[0]
    known = [name for name in (error.app or ()) if not name.startswith("-")]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{command} has no command {word!r}; {advice}"


def _report(error: Exception) -> int:
    from pmpc_cli.failures import explain
    from pmpc_cli.present.failure import show_failure

    explanation = explain(error)
    show_failure(explanation)
    return explanation.code
