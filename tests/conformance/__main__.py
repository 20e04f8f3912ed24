"""Judge client and simulator by the recorded exchanges: ``python -m tests.conformance``.

Prints how the simulator answers what a running PVE was asked, area by area, writes the figures with
``--json PATH``, and runs the conformance tests. Fails on any difference without a written reason,
and on reasons that no longer hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.conformance import figures, replay

_HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Replay, report and test; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures of every area here")
    parser.add_argument("--show", action="store_true", help="print what each reason covers")
    parser.add_argument("--write", action="store_true", help="put the figures into the page")
    options = parser.parse_args(arguments)
    report = replay.run()
    if options.write:
        figures.write(report)
    _print(report, show=options.show)
    if options.json is not None:
        document = {result.area: result.to_dict() for result in report.areas}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    # A process of its own: pytest rewrites modules as it imports them, and ours are imported here.
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", str(_HERE)], check=False)
    failed = report.stale or any(result.mismatches for result in report.areas)
    return 1 if failed or tests.returncode != 0 else 0


def _print(report: replay.Report, *, show: bool) -> None:
    print(
        f"{'area':28}{'exchanges':>10}{'polls':>7}{'replayed':>10}{'excluded':>10}{'differ':>8}{'share':>8}"
    )
    for result in report.areas:
        excluded = sum(result.excluded.values())
        print(
            f"{result.area:28}{result.exchanges:10}{result.polls:7}{result.replayed:10}"
            f"{excluded:10}{len(result.mismatches):8}{result.share:8.1%}"
        )
        for text in result.mismatches:
            print(f"    {text}")
        if show:
            for reason, number in result.excluded.most_common():
                print(f"    {number:5} {reason}")
    for text in report.stale:
        print(f"no longer needed: {text}")


if __name__ == "__main__":
    sys.exit(main())
