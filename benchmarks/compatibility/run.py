"""Does it work with scikit-learn's other calls, and with other tools?

Each check (``check.py``) makes a call as a user would, and compares its result with a
slow and obvious way to it; a refusal must say what the table says. docs/compatibility.md
says more.

    python -m benchmarks.compatibility.run [--only AREA ...] [--smoke]

writes ``results/compatibility.csv``, one row per call, fills the tables of the page, and
prints what is not as stated. ``--smoke`` and ``--only`` write nothing.
"""

import sys
import traceback
import warnings

import pandas as pd
from tqdm import tqdm

from benchmarks.compatibility import tables
from benchmarks.compatibility.areas import AREAS
from benchmarks.compatibility.tables import NAME
from benchmarks.shared.command_line import exit_if, parser_with_smoke
from benchmarks.shared.results import installed_versions, write_rows

# Categories that say nothing to a user of the call.
_OF_TOOLS = (
    DeprecationWarning,
    PendingDeprecationWarning,
    FutureWarning,
    ResourceWarning,
)


def judged(check):
    """Return what is wrong with a check, empty if it is as stated."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if not check.area.startswith("scikit-learn"):
            for category in _OF_TOOLS:
                warnings.simplefilter("ignore", category)
        try:
            check.run()
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def main():
    """Judge all checks; write the rows."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--only", nargs="+", default=[], help="areas that begin so")
    options = parser.parse_args()
    checks = [
        (check, checks.needs)
        for checks in AREAS
        for check in checks
        if not options.only or checks.area.startswith(tuple(options.only))
    ]
    rows = []
    for check, needs in tqdm(checks, disable=None):
        fault = judged(check)
        versions = installed_versions(needs)
        rows.append(
            {
                "area": check.area,
                "call": check.call,
                "outcome": check.outcome,
                "note": check.note,
                "fault": fault,
                "tool": " ".join(f"{k} {v}" for k, v in versions.items()),
            }
        )
    rows = pd.DataFrame(rows)
    print(rows["outcome"].value_counts().to_string())
    faults = rows[rows["fault"] != ""]
    failures = [f"{row.area}, {row.call}: {row.fault}" for row in faults.itertuples()]
    if not (options.smoke or options.only):
        write_rows(NAME, rows)
        tables.main()
    exit_if(failures)


if __name__ == "__main__":
    main()
