"""Everything one can do with this repository; `nox -l` lists it, `nox` runs what CI runs.

The sessions of the default run use the interpreter and the environment at hand (`uv run nox`
made it); only `matrix` and `bench` build environments of their own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PACKAGES = sorted(
    str(path.parent.relative_to(ROOT)) for path in ROOT.glob("packages/*/pyproject.toml")
)

nox.needs_version = ">=2026.10"
nox.options.sessions = ["lint", "types", "gen", "docs", "conformance", "tests"]
# A missing interpreter in the matrix is an error: a skipped version is an untested one.
nox.options.error_on_missing_interpreters = True
nox.options.stop_on_first_error = False

# uv must use the interpreters of this machine; fetching one is never a test's business.
os.environ["UV_PYTHON_DOWNLOADS"] = "never"


def _python(session: nox.Session, *args: str) -> None:
    session.run(sys.executable, *args, external=True)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Format and lint with ruff, check layers with import-linter, pins and generated help."""
    _python(session, "-m", "ruff", "format", "--check", ".")
    _python(session, "-m", "ruff", "check", ".")
    session.run("lint-imports", external=True)
    _python(session, "-m", "tools.pins", "--check")


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Check types with mypy --strict and pyright, hand-written and generated code alike."""
    sources = [f"{package}/src" for package in PACKAGES]
    shared = ["tools", "tests", "examples", "noxfile.py"]
    _python(session, "-m", "mypy", "--explicit-package-bases", *sources, *shared)
    # Test folders are no packages and may hold files of the same name: one run for each.
    for package in PACKAGES:
        _python(session, "-m", "mypy", f"{package}/tests")
    _python(session, "-m", "pyright", "--pythonpath", sys.executable)


@nox.session(venv_backend="none")
def gen(session: nox.Session) -> None:
    """Generate the API client from schema/; in the default run only check that it is current."""
    _python(session, "-m", "tools.apigen", *(session.posargs or ["--check"]))


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Run every example in the documentation and check its links."""
    _python(session, "-m", "pytest", "tests/docs", *session.posargs)


@nox.session(venv_backend="none")
def conformance(session: nox.Session) -> None:
    """Judge client and simulator by recorded exchanges; `-- --json PATH` writes the figures."""
    _python(session, "-m", "tests.conformance", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the unit, property, integration and end-to-end tests on the interpreter at hand."""
    _python(session, "-m", "pytest", *_test_arguments(), *session.posargs)


@nox.session(venv_backend="none")
def live(session: nox.Session) -> None:
    """Run what is safe on a real server; docs/guides/live.md names the variables."""
    _python(session, "-m", "pytest", "tests/live", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13"], venv_backend="uv")
def matrix(session: nox.Session) -> None:
    """Run the tests on every supported Python, each in an environment of its own."""
    _sync(session)
    session.run("python", "-m", "pytest", *_test_arguments(), *session.posargs)


@nox.session(venv_backend="uv")
def bench(session: nox.Session) -> None:
    """Measure speed against peers in the same run; `-- --json PATH` writes the figures."""
    _sync(session, "--group", "bench")
    session.run("python", "-m", "tests.bench", *session.posargs)


def _sync(session: nox.Session, *arguments: str) -> None:
    session.run_install(
        "uv",
        "sync",
        "--quiet",
        "--all-packages",
        "--all-extras",
        f"--python={session.virtualenv.location}",
        *arguments,
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
        external=True,
    )


def _test_arguments() -> list[str]:
    """Leave to the other sessions what they run themselves; two workers for two cores."""
    ignored = [
        f"--ignore={ROOT / folder}" for folder in ("tests/docs", "tests/conformance", "tests/live")
    ]
    return ["-n", "2", "--dist", "loadfile", *ignored]
