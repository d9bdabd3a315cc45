"""`make bench` runs every program that can run in its environment."""

import ast
import importlib.util
import re
import subprocess

from embedded.home import CHECKOUT


def test_every_benchmark_is_listed_and_finds_what_it_imports() -> None:
    done = subprocess.run(["make", "-n", "bench"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    found = re.search(r"for name in ([a-z_ ]+); do", done.stdout)
    assert found is not None
    names = found[1].split()
    programs = {path.stem for path in (CHECKOUT / "benchmarks").glob("*.py") if "__main__" in path.read_text()}
    assert set(names) == programs - {"dose_caimira", "fit_mbi"}
    for name in names:
        tree = ast.parse((CHECKOUT / "benchmarks" / f"{name}.py").read_text())
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                assert importlib.util.find_spec(module), f"{name} imports {module}"
