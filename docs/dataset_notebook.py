"""Create and run `dataset.ipynb` against a running deployment that has releases of October 2020.

    python -m docs.dataset_notebook http://localhost:8000

`tests/exports/dataset/test_notebook.py` runs the same cells. This file has the cells, the notebook also their output.
"""

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

# The library has annotations for some of its functions only.
FORMAT: Any = nbformat
PATH = Path(__file__).with_name("dataset.ipynb")
CELLS = (
    (
        "markdown",
        "# The open dataset, from a notebook\n\n"
        "Fetch, ask, plan for the noise, and join another source by state. Needs pandas and a deployment: set "
        "`CROWDTRACE_URL`, or run one with `make run`. The output here comes from a small made-up deployment whose "
        "epsilon is 4; the default is 1.",
    ),
    (
        "code",
        "import json\nimport os\nfrom pathlib import Path\nfrom urllib.request import Request, urlopen\n\n"
        "import pandas as pd\n\n"
        'URL = os.environ.get("CROWDTRACE_URL", "http://localhost:8000") + "/api/v1"\n\n\n'
        "def get(path):\n"
        "    with urlopen(URL + path) as answer:\n"
        "        return json.load(answer)\n\n\n"
        "def query(sql):\n"
        '    body = json.dumps({"sql": sql, "dialect": "athena"}).encode()\n'
        '    request = Request(URL + "/queries", body, {"Content-Type": "application/json"})\n'
        "    with urlopen(request) as answer:\n"
        "        found = json.load(answer)\n"
        '    assert not found["truncated"]\n'
        '    return pd.DataFrame(found["rows"], columns=[column["name"] for column in found["columns"]])',
    ),
    ("markdown", "## What it is, and what it promises"),
    (
        "code",
        'about = get("/datasets/covid-19")\n'
        'print(about["title"])\nprint(about["guarantee"]["sentence"])\nprint(about["coverage"]["text"])\n'
        'for problem in about["known_problems"]:\n    print("-", problem["text"])',
    ),
    ("markdown", "## Daily counts\n\nThe published query, as it is."),
    (
        "code",
        'daily = query(Path("../exports/queries/daily_counts.sql").read_text())\n'
        'daily["symptoms_share"] = daily["symptoms_count"] / daily["total_count"]\ndaily',
    ),
    (
        "markdown",
        "## How sure are these numbers?\n\nRows are a convenience: none is negative, so a rare answer comes out too "
        "large. Signals are unbiased and carry their standard error; the interval of 2.1 errors holds the true count "
        "in about 95 of 100 draws. A difference smaller than that says nothing.",
    ),
    (
        "code",
        "def signals(query):\n"
        '    return pd.DataFrame(get("/datasets/covid-19/signals?" + query)["results"])\n\n\n'
        'sure = signals("geo_type=nation&signal=checkins,symptoms,diagnosed")\n'
        'sure["low"], sure["high"] = (sure["value"] + sign * 2.12 * sure["stderr"] for sign in (-1, 1))\n'
        'sure["is_noise"] = 2.12 * sure["stderr"] > sure["value"]\n'
        'sure[["time_value", "signal", "value", "stderr", "low", "high", "is_noise"]].round(1)',
    ),
    (
        "markdown",
        "## Join another source by state\n\n"
        "Signals have the columns of Delphi's COVIDcast (`geo_value`, `time_value`, `signal`, `value`, `stderr`), as "
        "has `data/covidcast_shaped.csv`. **Its numbers are made up**: it stands for the file that you would fetch.",
    ),
    (
        "code",
        'symptoms = signals("geo_type=state&signal=symptoms")\n'
        'cases = pd.read_csv("data/covidcast_shaped.csv")\n'
        'cases = cases[["geo_value", "time_value", "value"]].rename(columns={"value": "cases"})\n'
        'joined = symptoms.merge(cases, on=["geo_value", "time_value"], validate="one_to_one")\n'
        'joined["state"] = joined["geo_value"].str.upper()\n'
        'joined["symptoms_percent"] = 100 * joined["value"] / joined["sample_size"]\n'
        'joined["margin_percent"] = 212 * joined["stderr"] / joined["sample_size"]\n'
        'columns = ["time_value", "state", "sample_size", "symptoms_percent", "margin_percent", "cases"]\n'
        "joined[columns].round(1)",
    ),
    (
        "markdown",
        "## Cite, and go back\n\nA query with `as_of` always returns the same rows, even after later releases.",
    ),
    (
        "code",
        'print(about["citation"]["text"])\n'
        'for release in get("/datasets/covid-19/releases")["results"][:2]:\n'
        '    print(release["day"], release["rows"], "rows, epsilon", round(release["epsilon"], 3))',
    ),
)


def made() -> Any:
    """Return the notebook without outputs."""
    notebook = FORMAT.v4.new_notebook()
    for number, (kind, source) in enumerate(CELLS):
        cell = FORMAT.v4.new_markdown_cell(source) if kind == "markdown" else FORMAT.v4.new_code_cell(source)
        cell["id"] = f"cell-{number}"
        notebook.cells.append(cell)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return notebook


def executed(url: str) -> Any:
    """Return the notebook after running it against a deployment. Raise an error for a cell that fails."""
    notebook = made()
    os.environ["CROWDTRACE_URL"] = url
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(PATH.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.pop("language_info", None)
    return notebook


if __name__ == "__main__":
    FORMAT.write(executed(sys.argv[1]), PATH)
