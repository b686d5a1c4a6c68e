"""Which versions of each builtin operator runtimes take: where graph/versions/releases.py has its table from.

    python -m benchmarks.operator_versions PYTHON [PYTHON ...]

Each PYTHON is one of an environment with tflite_runtime, ai_edge_litert or tensorflow in it, of whatever
release and Python. It opens, for every operator of the schema and every version up to 16, a file that has
nothing but that operator in its list: a runtime looks at the whole list before all else, and says that it
has no such. Prints one JSON object a runtime: the highest version by operator.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.graph.versions.lists import MOST, builtins, only_lists

# Runs in the environments, of Python 3.7 and newer.
PROGRAM = """
import json, sys
try:
    from tflite_runtime.interpreter import Interpreter
except ImportError:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow
        Interpreter = tensorflow.lite.Interpreter
folder, names, most = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
taken = {}
for name in names:
    for version in range(1, most + 1):
        with open("%s/%s.%d.tflite" % (folder, name, version), "rb") as file:
            content = file.read()
        try:
            Interpreter(model_content=content)
            taken[name] = version
        except (ValueError, RuntimeError):
            pass
print(json.dumps(taken))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in builtins():
            for version in range(1, MOST + 1):
                (Path(folder) / f"{name}.{version}.tflite").write_bytes(only_lists(name, version))
        for python in sys.argv[1:]:
            command = [python, "-c", PROGRAM, folder, ",".join(builtins()), str(MOST)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            print(json.dumps({"python": python, "taken": json.loads(done.stdout.splitlines()[-1])}))


if __name__ == "__main__":
    main()
