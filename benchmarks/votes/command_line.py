"""What ``pscore`` prints on a synthetic arena, for docs/votes.md.

    python -m benchmarks.votes.command_line [--only NAME ...] [--smoke]

runs the commands in a folder of its own, one after the other, and writes what they print
to results/votes_command_line.csv. ``--only`` runs some of them, beside the first, and
leaves the rows of the others. ``--smoke`` trains little, and writes nothing.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.shared import results
from benchmarks.shared.command_line import parser_with_smoke

TABLES = "--votes arena/votes.csv --items arena/items.csv"
COMMANDS = {
    "data": "pscore data arena -o arena",
    "board": f"pscore leaderboard {TABLES} --learnt",
    "compare": f"pscore compare {TABLES}",
    "fit": f"pscore fit {TABLES} --annotator annotator -o model.skops",
    "score": "pscore score model.skops arena/items.csv -o scored.csv",
    "order": f"pscore fit {TABLES} --order-bias -o unbiased.skops",
    "annotators": f"pscore annotators {TABLES} --learnt -o annotators.csv",
    "twice": f"pscore leaderboard {TABLES} --left right",
    "not_there": "pscore leaderboard --votes votes.csv --items arena/items.csv",
}
"""Commands by what docs/votes.md calls what they print, in their order."""

_REFUSED = ("twice", "not_there")
_TRAINED = ("board", "compare", "fit", "order", "annotators")


def printed(folder, name, smoke):
    """Run a command, and return what it prints; of one that is refused, the error."""
    quick = " --quick" if smoke and name in _TRAINED else ""
    done = subprocess.run(
        [sys.executable, "-m", "sklearn_pscore"]
        + shlex.split(COMMANDS[name] + quick)[1:],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    if done.returncode != (2 if name in _REFUSED else 0):
        raise RuntimeError(
            f"{COMMANDS[name]} ended with {done.returncode}: {done.stderr}"
        )
    if name in _REFUSED:
        return done.stderr.splitlines()[-1]
    return done.stdout.rstrip()


def main():
    """Run the commands, and write what they print."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--only", nargs="+", choices=COMMANDS, default=[*COMMANDS])
    arguments = parser.parse_args()
    smoke, only = arguments.smoke, {"data", *arguments.only}
    known = results.read_rows("votes_command_line")
    rows = [] if known.empty else known[~known["name"].isin(only)].to_dict("records")
    with TemporaryDirectory() as folder:
        for name, command in COMMANDS.items():
            if name not in only:
                continue
            if name == "not_there":
                votes = pd.read_csv(Path(folder, "arena", "votes.csv"))
                votes.loc[11, "right"] = "a new system"
                votes.to_csv(Path(folder, "votes.csv"), index=False)
            text = printed(folder, name, smoke)
            print(f"$ {command}\n{text}\n", flush=True)
            rows.append({"name": name, "command": command, "printed": text})
    if not smoke:
        order = {name: place for place, name in enumerate(COMMANDS)}
        rows.sort(key=lambda row: order[row["name"]])
        results.write_rows("votes_command_line", pd.DataFrame(rows))


if __name__ == "__main__":
    main()
