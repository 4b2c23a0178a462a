"""The benchmark of the stores runs and names its figures as the budgets do. How fast anything is is not judged here."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from . import budgets, reserve


def test_every_figure_of_the_budgets_is_measured() -> None:
    with tempfile.TemporaryDirectory(prefix="reserve-") as folder:  # a short path, as the server's socket needs one
        found = reserve.measure(Path(folder), blocks=2, calls=5, keys=1_000)

    assert {budget.figure for budget in budgets.RESERVE} <= set(found)
    assert all(math.isfinite(figure.median) and figure.median > 0 for figure in found.values())
