"""What ``pscore`` prints on THQA and on a table made by hand, for docs/command_line.md.

    python -m benchmarks.inspection.command_line [--smoke] [--only NAME ...]

runs the commands of the page in a folder of its own, and puts what they print in their
place; with ``--only`` those of these marks, and what they need. THQA is that of the data
home that ``SKLEARN_PSCORE_DATA`` names. ``--smoke`` trains little, and writes nothing.
"""

import os
import re
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.shared import doc_tables
from benchmarks.shared.command_line import parser_with_smoke

THQA = "--group prompt --preference mos --item method --block portrait"
HAND = "--group scene --preference liking --item team"
COMMANDS = {
    "data": "pscore data thqa -o thqa.csv",
    "compare": f"pscore compare thqa.csv {THQA} -o comparison.csv",
    "curves": f"pscore curves thqa.csv {THQA} -o curves.svg",
    "importance": f"pscore importance thqa.csv {THQA} --together topiq_iaa,topiq_iaa_res50",
    "leaderboard": f"pscore leaderboard thqa.csv {THQA} -o leaderboard.svg",
    "fit": f"pscore fit thqa.csv {THQA} -o model.skops",
    "score": "pscore score model.skops thqa.csv -o scored.csv",
    "report": f"pscore report thqa.csv {THQA} --refits 0 -o report.html",
    "hand_leaderboard": f"pscore leaderboard hand.csv {HAND}",
    "hand_compare": f"pscore compare hand.csv {HAND}",
    "hand_curves": f"pscore curves hand.csv {HAND}",
    "hand_report": f"pscore report hand.csv {HAND} --refits 0 -o hand.html",
    "misspelt": "pscore fit hand.csv --group scenes --preference liking -o m.skops",
    "overwritten": f"pscore fit thqa.csv {THQA} -o model.skops",
    "other_columns": "pscore score model.skops hand.csv -o s.csv",
}
"""Commands by the mark of the page that they fill, in their order."""

PAGE = "command_line.md"
NEEDED = ("data", "fit")
"""Those that write files which others read."""

TOLD = {"hand_leaderboard", "misspelt", "overwritten", "other_columns"}
"""Those of which the page shows what is said beside the result, too."""

_TRAINED = ("compare", "curves", "importance", "fit", "report")


def hand_made():
    """Return a table of 6 systems, 30 scenes and 10 metrics of names of their own.

    A tenth of the opinions is missing and a fifth of `fid`; `size` is always the same.
    """
    rng = np.random.default_rng(0)
    scene, team = np.divmod(np.arange(180), 6)
    names = ["sharp", "noise", "lips", "blink", "smile", "gaze", "fid", "psnr", "wer"]
    frame = pd.DataFrame(rng.normal(size=(180, 9)).round(3), columns=names)
    frame["sharp"] += team / 3
    frame["lips"] += 2
    liking = 2 * frame["sharp"] - frame["noise"] - (frame["lips"] - 2) ** 2
    frame.loc[rng.random(180) < 0.2, "fid"] = np.nan
    frame["size"] = 512
    frame.insert(0, "scene", [f"scene {number}" for number in scene])
    frame.insert(
        1, "team", [f"team {letter}" for letter in np.array([*"ABCDEF"])[team]]
    )
    frame.insert(2, "liking", liking.where(rng.random(180) > 0.1).round(2))
    return frame.assign(notes="by hand")


def printed(folder, name, smoke):
    """Run a command; return it and what it prints, as a block of the page."""
    command = COMMANDS[name]
    quick = " --quick" if smoke and any(part in command for part in _TRAINED) else ""
    done = subprocess.run(
        [sys.executable, "-m", "sklearn_pscore", *shlex.split(command + quick)[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if name in TOLD else subprocess.PIPE,
        text=True,
    )
    is_error = name in list(COMMANDS)[-3:]
    if done.returncode != (2 if is_error else 0):
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr}")
    return f"```console\n$ {command}\n{done.stdout.rstrip()}\n```"


def main():
    """Run the commands, and fill the page."""
    parser = parser_with_smoke(__doc__)
    parser.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    arguments = parser.parse_args()
    names = [name for name in COMMANDS if name in {*arguments.only, *NEEDED}]
    with TemporaryDirectory() as folder:
        hand_made().to_csv(Path(folder, "hand.csv"), index=False)
        for name in names:
            block = printed(folder, name, arguments.smoke)
            print(block, flush=True)
            if not arguments.smoke:
                doc_tables.fill(PAGE, {**_present(), name: partial(str, block)})


def _present():
    """Return what the page has at each mark."""
    text = (doc_tables.DOCS / PAGE).read_text("utf-8")
    marks = r"<!-- table (\w+) -->\n(.*?)\n?<!-- end -->"
    found = re.findall(marks, text, flags=re.DOTALL)
    return {name: partial(str, block) for name, block in found}


if __name__ == "__main__":
    main()
