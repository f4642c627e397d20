"""The examples of the page about saving run as they are printed."""

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sklearn_pscore._cli.app import app

PAGE = Path(__file__).parent.parent / "docs" / "saving.md"


# mlflow warns of its own types.
@pytest.mark.filterwarnings("default" if find_spec("mlflow") else "error")
def test_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, *ways = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.S)
    names = {}
    # Two epochs are enough.
    quick = first.replace("random_state=0))", "random_state=0, max_epochs=2))")
    assert quick != first
    exec(compile(quick, str(PAGE), "exec"), names)
    expected = names["model"].predict(names["X"])
    assert len(ways) == 4
    for code in ways:
        if "mlflow" in code and not find_spec("mlflow"):
            continue
        names["scores"] = None
        exec(compile(code, str(PAGE), "exec"), names)
        assert np.allclose(names["scores"], expected, rtol=0, atol=1e-9)
    assert np.nanmin(names["ranks"]) == 1.0
    names["X"].to_csv("table.csv", index=False)
    (command,) = re.findall(r"```bash\n(.*?)\n```", PAGE.read_text(), flags=re.S)
    arguments = command.removeprefix("python -m sklearn_pscore ").split()
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert np.allclose(pd.read_csv("scored.csv")["score"], expected, atol=1e-9)
