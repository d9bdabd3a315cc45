"""The tutorial, run as written."""

import json
import re
import subprocess
import sys
from pathlib import Path

from embedded.home import CHECKOUT
from tests.live import Copy, demonstration

TUTORIAL = CHECKOUT / "docs" / "tutorial.md"


def test_the_tutorial_runs_as_written(copy: Copy, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 7
    (tmp_path / "demo.json").write_text(json.dumps(demonstration(copy.home)))
    (tmp_path / "tutorial.py").write_text("\n".join(blocks))

    run = subprocess.run(
        [sys.executable, "-I", "tutorial.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert run.returncode == 0, run.stderr
