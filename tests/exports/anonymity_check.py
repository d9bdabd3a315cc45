"""Measure anonymity with independent libraries (pycanon, anonymeter), in the second environment's Python.

Reads a job as JSON from standard input, writes the figures as JSON to standard output. Files are Parquet.
"""

import json
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd

ATTACKS = 400


def classes(job: dict[str, Any]) -> dict[str, Any]:
    """Return k, l and t of published rows, by pycanon."""
    from pycanon import anonymity

    rows = pd.read_parquet(job["rows"]).astype(str)
    quasi, sensitive = job["quasi"], job["sensitive"]
    return {
        "k": int(anonymity.k_anonymity(rows, quasi)),
        "l": {name: int(anonymity.l_diversity(rows, quasi, [name])) for name in sensitive},
        "t": {name: float(anonymity.t_closeness(rows, quasi, [name])) for name in sensitive},
    }


def attacks(job: dict[str, Any]) -> dict[str, Any]:
    """Return attack success beyond that on people outside the data, by anonymeter."""
    from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

    np.random.seed(1)
    ori, syn, control = (pd.read_parquet(job[name]).astype(str) for name in ("original", "released", "control"))
    made: dict[str, Any] = {
        "singling_out": SinglingOutEvaluator(ori=ori, syn=syn, control=control, n_attacks=ATTACKS, n_cols=4, seed=1),
        "linkability": LinkabilityEvaluator(
            ori=ori, syn=syn, control=control, n_attacks=ATTACKS, n_neighbors=3, aux_cols=tuple(job["aux"])
        ),
        "inference": InferenceEvaluator(
            ori=ori, syn=syn, control=control, n_attacks=ATTACKS, secret=job["secret"], aux_cols=job["known"]
        ),
    }
    found = {}
    for name, evaluator in made.items():
        evaluator.evaluate(**({"mode": "multivariate"} if name == "singling_out" else {"n_jobs": 1}))
        risk = evaluator.risk(confidence_level=0.999)
        found[name] = {"risk": float(risk.value), "low": float(risk.ci[0]), "high": float(risk.ci[1])}
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    task = json.loads(sys.stdin.read())
    json.dump({"classes": classes, "attacks": attacks}[task["do"]](task), sys.stdout)
