"""Options several commands share, declared once so that they read alike everywhere."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pmpc_cli.present.output import DocumentFormat, RowFormat

ContextOption = Annotated[
    str | None,
    Parameter(
        name="--context",
        metavar="NAME",
        env_var="PMPC_CONTEXT",
        help="Named cluster to work with; the current one by default.",
    ),
]

RowsOption = Annotated[
    RowFormat | None,
    Parameter(
        name=["--output", "-o"],
        metavar="FORMAT",
        env_var="PMPC_OUTPUT",
        help="Form of the answer; a table on a terminal, JSON when piped.",
    ),
]

DocumentOption = Annotated[
    DocumentFormat,
    Parameter(name=["--output", "-o"], metavar="FORMAT", help="Form of the answer."),
]

FilesOption = Annotated[
    list[str],
    Parameter(
        name=["--filename", "-f"],
        metavar="FILE|DIR|-",
        allow_leading_hyphen=True,
        help="Manifests: a file, a folder, or - for stdin; may be repeated.",
    ),
]

ReleaseOption = Annotated[
    str,
    Parameter(
        name=["--release", "-r"],
        metavar="NAME",
        help="Release the manifests belong to.",
    ),
]

ReleaseArgument = Annotated[
    str,
    Parameter(name=["--release", "-r"], group="Arguments", help="Name of the release."),
]

FilterOption = Annotated[
    str,
    Parameter(
        name="--filter",
        metavar="FILTER",
        help="Only what this matches; the reference on filters tells what can be said.",
    ),
]

SortOption = Annotated[
    str,
    Parameter(
        name="--sort",
        metavar="FIELDS",
        allow_leading_hyphen=True,
        help="Field to sort by, - before it for descending; several with commas.",
    ),
]

LimitOption = Annotated[int | None, Parameter(name="--limit", metavar="N", help="At most so many.")]

AfterOption = Annotated[
    str | None,
    Parameter(
        name="--after",
        metavar="MARKER",
        allow_leading_hyphen=True,
        help="Go on after a page: what it said comes next.",
    ),
]

YesOption = Annotated[
    bool,
    Parameter(name=["--yes", "-y"], help="Do not ask; needed when nobody can be asked."),
]

DryRunOption = Annotated[
    bool,
    Parameter(name="--dry-run", help="Show the plan and change nothing."),
]

ResolveOption = Annotated[
    list[str] | None,
    Parameter(
        name="--resolve",
        metavar="FIELD=ours|theirs|ignore",
        help="Settle conflicts of a field: write ours, keep theirs and own it, or leave it alone. "
        "FIELD is a path such as config.memory, or ADDRESS:PATH for one object; may be repeated.",
    ),
]
