"""Write the report of THQA, and take a picture of how it begins.

    python -m benchmarks.inspection.report [--out FOLDER]

writes ``report.html`` from the data home that ``SKLEARN_PSCORE_DATA`` names to a folder,
a temporary one if none is given, opens it in Chromium, in light and in dark, draws both
beside one another into ``docs/images/report-thqa.png``, and puts the answers into
docs/report.md.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.shared.doc_tables import IMAGES, fill
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.report import analyse, write_report

_WIDTH, _HEIGHT = 900, 1180
_COLOURS = 96


def screenshot(page, path, scheme):
    """Take a picture of how a page begins."""
    # Chromium takes the scheme of the desktop, of which there is none.
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    subprocess.run(
        [
            shutil.which("chromium"),
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--window-size={_WIDTH},{_HEIGHT}",
            f"--screenshot={path}",
            *dark,
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
    )


def draw(page, folder):
    """Draw light and dark beside one another, in few colours."""
    both = Image.new("RGB", (2 * _WIDTH, _HEIGHT))
    for number, scheme in enumerate(("light", "dark")):
        path = Path(folder, f"{scheme}.png")
        screenshot(page, path, scheme)
        with Image.open(path) as image:
            both.paste(image.convert("RGB"), (number * _WIDTH, 0))
    few = both.quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(IMAGES / "report-thqa.png", optimize=True)


def main():
    """Write the report, the picture and the answers of the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    thqa = fetch_thqa()
    analysis = analyse(thqa.data, thqa.groups, title="THQA: eight talking heads")
    fill("report.md", {"answers": lambda: f"```text\n{analysis}\n```"})
    with tempfile.TemporaryDirectory() as folder:
        page = write_report(
            Path(out or folder, "report.html").resolve(),
            thqa.data,
            thqa.groups,
            analysis=analysis,
            overwrite=True,
        )
        draw(page, folder)
        print(f"{analysis}\n\n{page.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
