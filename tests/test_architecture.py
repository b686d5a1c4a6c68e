"""The architecture, as a test: who may import whom, and what nobody may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import resnet_edge
from resnet_edge.core import registry

PACKAGE = Path(resnet_edge.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
FRAMEWORKS = {
    "ai_edge_litert", "h5py", "iree", "jax", "keras", "litert_quantizer", "mediapipe", "onnx", "onnxruntime",
    "openvino", "playwright", "tensorflow", "tensorflow_model_optimization", "tf2onnx", "tf_keras",
    "tflite_micro",
}  # fmt: skip
HEAVY = FRAMEWORKS | {"numpy", "scipy", "PIL"}

# From the top: a room may import those below it.
ROOMS = (
    "cli", "api",
    "verification", "inspection", "bundle", "compression", "training", "conversion",
    "golden", "benchmarking", "diagnosis", "calibrate", "evaluation",
    "compatibility", "schemes", "formats", "backends", "graph", "models", "data", "zoo",
    "workers", "report", "core",
)  # fmt: skip
APART = {"backends", "formats", "schemes"}  # what users choose from: none knows another


def name(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0]


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def statements(tree: ast.AST, inside_functions: bool) -> Iterator[ast.AST]:
    """Every node that runs: without TYPE_CHECKING blocks, and without function bodies if so asked."""
    for node in ast.iter_child_nodes(tree):
        if is_type_checking(node):
            continue
        if not inside_functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield node
        yield from statements(node, inside_functions)


def imports(file: Path, inside_functions: bool = True) -> Iterator[tuple[str, int]]:
    for node in statements(parsed(file), inside_functions):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            if node.module == "resnet_edge":
                yield from ((f"resnet_edge.{alias.name}", node.lineno) for alias in node.names)


def test_imports_are_absolute() -> None:
    """So that the tests below see them, and a search finds them."""
    found = [
        f"{name(file)}:{node.lineno}"
        for file in FILES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert found == []


def test_every_folder_has_its_place() -> None:
    folders = {room(file) for file in FILES if len(file.relative_to(PACKAGE).parts) > 1}
    assert folders == set(ROOMS)


@pytest.mark.parametrize("file", [f for f in FILES if room(f) in ROOMS], ids=name)
def test_dependencies_point_one_way(file: Path) -> None:
    own = room(file)
    allowed = set(ROOMS[ROOMS.index(own) :]) - (APART - {own} if own in APART else set())
    for module, line in imports(file):
        parts = module.split(".")
        if parts[0] == "resnet_edge" and len(parts) > 1 and parts[1] in ROOMS:
            assert parts[1] in allowed, f"{name(file)}:{line} imports {module}"


def file_of(module: str) -> Path | None:
    """The file of a module of the package, and of its name in `from module import name`."""
    place = PACKAGE.parent / module.replace(".", "/")
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            return file
    return None


def targets(file: Path, inside_functions: bool) -> Iterator[Path]:
    """The files of the package that it imports, with the packages that they stand in."""
    for node in statements(parsed(file), inside_functions):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for module in modules:
            parts = module.split(".")
            for end in range(1, len(parts) + 1):
                if parts[0] == "resnet_edge" and (found := file_of(".".join(parts[:end]))):
                    yield found


def loaded_by_the_parent() -> dict[Path, str]:
    """Every file that a command loads in the process of the user, and through which: what `cli` imports, at
    once or within a function, and what is imported when those are."""
    found = {file: "" for file in FILES if room(file) in {"cli", "api", "entry.py", "__init__.py"}}
    waiting = list(found)
    while waiting:
        file = waiting.pop()
        for other in targets(file, inside_functions=room(file) == "cli"):
            if other not in found:
                found[other] = name(file)
                waiting.append(other)
    return found


@pytest.mark.parametrize(("file", "through"), loaded_by_the_parent().items(), ids=lambda f: str(f)[-40:])
def test_what_the_parent_loads_imports_nothing_heavy(file: Path, through: str) -> None:
    heavy = [f"{m} (line {n})" for m, n in imports(file, inside_functions=False) if m.split(".")[0] in HEAVY]
    assert heavy == [], f"{name(file)} is loaded by {through}"


@pytest.mark.parametrize("file", [f for f in FILES if room(f) == "core"], ids=name)
def test_core_knows_no_framework_even_inside_functions(file: Path) -> None:
    assert [m for m, _ in imports(file) if m.split(".")[0] in FRAMEWORKS] == []


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_file_has_a_name_that_says_nothing(file: Path) -> None:
    assert file.stem.strip("_") not in {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_every_public_module_has_a_docstring(file: Path) -> None:
    if file.name != "__main__.py":
        assert ast.get_docstring(parsed(file)), f"{name(file)} says nothing about itself"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_nothing_prints_but_the_command_line_and_the_download_notice(file: Path) -> None:
    calls = [
        node.lineno
        for node in statements(parsed(file), inside_functions=True)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    if room(file) == "cli":
        return
    assert len(calls) <= (1 if name(file) == "data/image_set.py" else 0), f"{name(file)} prints in {calls}"


def test_text_reaches_the_terminal_in_one_place() -> None:
    """`cli.terminal.say` makes it printable; what rich writes goes through `cli._grid` and `_table`."""
    found = {name(file) for file in FILES if "click.echo" in file.read_text("utf-8")}
    assert found == {"cli/terminal.py"}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_broad_except_gives_its_reason_on_its_line(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    for node in ast.walk(parsed(file)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {""}
        if names & {"", "Exception", "BaseException"} and not always_raises(node):
            assert "#" in lines[node.lineno - 1], (
                f"{name(file)}:{node.lineno} catches everything and tells no reason"
            )


def always_raises(handler: ast.ExceptHandler) -> bool:
    """Cleaning up and raising again swallows nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    for file in FILES:
        yield from ((file, node) for node in parsed(file).body if isinstance(node, ast.ClassDef))


def test_no_public_class_name_is_there_twice() -> None:
    found: dict[str, list[str]] = {}
    for file, node in classes():
        if not node.name.startswith("_"):
            found.setdefault(node.name, []).append(name(file))
    assert {key: files for key, files in found.items() if len(files) > 1} == {}


def test_a_dataclass_of_more_than_four_fields_takes_them_by_name() -> None:
    found = []
    for file, node in classes():
        decorators = [text for d in node.decorator_list if "dataclass" in (text := ast.unparse(d))]
        fields = [
            f
            for f in node.body
            if isinstance(f, ast.AnnAssign) and "ClassVar" not in ast.unparse(f.annotation)
        ]
        if decorators and len(fields) > 4 and "kw_only=True" not in decorators[0]:
            found.append(f"{name(file)}: {node.name}")
    assert found == []


def literals(file: Path) -> Iterator[tuple[str, int]]:
    """Every text that the code of a file uses as a value, and its line: no docstring."""
    tree = parsed(file)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value, node.lineno


def test_the_report_is_read_in_one_module() -> None:
    """Who needs its name takes it from there, and its content as well."""
    assert {name(file) for file in FILES if "report.json" in dict(literals(file))} == {
        "core/results/stored_report.py"
    }


CHOICES = {"backend": set(registry.names("backends")), "scheme": set(registry.names("schemes"))}
OF_MORE = {"int8", "keras", "mediapipe", "opencv"}
"""Names that mean other things as well, a dtype and libraries: these count where they stand against a scheme
or a backend."""
NAMED_ELSEWHERE = {
    "api/convert.py": "defaults of options",
    "api/prune.py": "defaults of options",
    "api/verify.py": "defaults of options",
    "compression/step_latency.py": "defaults of options",
    "bundle/package.py": "PROFILES, one of which is called like a backend",
    "bundle/samples/kotlin.py": "profiles, one of which is called like a backend",
    "bundle/samples/swift.py": "profiles, one of which is called like a backend",
    "bundle/targets/android_tasks.py": "a profile names the schemes that it takes and where it is proved",
    "bundle/targets/litert.py": "a profile names the schemes that it takes and where it is proved",
    "bundle/targets/mcu.py": "a profile names the schemes that it takes and where it is proved",
    "bundle/targets/onnx.py": "a profile names the schemes that it takes and where it is proved",
    "bundle/delegates/_onnx.py": "the distribution of that name",
    "core/packages.py": "modules, distributions and extras",
    "core/runtime_floor.py": "kinds of runtimes, which --runtimes names",
    "evaluation/kernels.py": "kernels, which are called like the backend that they are of",
    "formats/_onnx/ort_format.py": "the distribution of that name",
    "formats/onnx.py": "the module of that name",
}


def choices(file: Path) -> Iterator[tuple[str, int]]:
    """The names of backends and schemes that code uses as values."""
    for kind in CHOICES.values():
        yield from ((text, line) for text, line in literals(file) if text in kind - OF_MORE)
    for node in ast.walk(parsed(file)):
        if not isinstance(node, ast.Compare | ast.keyword | ast.AnnAssign | ast.Assign):
            continue
        for child in ast.walk(node) if stands_against_one(node) else ():
            if isinstance(child, ast.Constant) and child.value in OF_MORE:
                yield str(child.value), child.lineno


def stands_against_one(node: ast.AST) -> bool:
    """Whether a comparison, an argument or an assignment is of what is called a scheme or a backend."""
    if isinstance(node, ast.Compare):
        named: list[ast.AST] = [node.left, *node.comparators]
    elif isinstance(node, ast.keyword):
        return node.arg in CHOICES
    else:
        named = [node.target] if isinstance(node, ast.AnnAssign) else [*getattr(node, "targets", ())]
    last = {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in named}
    return any(word.lower().rstrip("s").endswith(kind) for word in last for kind in CHOICES)


@pytest.mark.parametrize("file", [f for f in FILES if room(f) not in {"backends", "schemes"}], ids=name)
def test_what_is_known_of_one_backend_or_scheme_stands_in_its_file(file: Path) -> None:
    """Others ask it: `registry.constant`, `schemes.scheme_of`. What may name one has a reason."""
    found = sorted(set(choices(file)))
    assert bool(found) == (name(file) in NAMED_ELSEWHERE), f"{name(file)}: {found}"


def renames(file: Path) -> Iterator[int]:
    """The lines on which a file or folder gets another name. `replace` of one argument is that of a path."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of, verb = ast.unparse(node.func.value), node.func.attr
            module = of in {"os", "shutil"} and verb in {"replace", "rename", "renames", "move"}
            if module or (verb in {"replace", "rename"} and len(node.args) == 1 and not node.keywords):
                yield node.lineno


def test_files_get_their_final_names_in_one_module() -> None:
    assert {name(file): [*renames(file)] for file in FILES if [*renames(file)]}.keys() == {
        "core/files/atomic.py"
    }


BY_HAND = {
    "core/machine.py": "the name and the flags of a processor, and the limits of control groups",
    "benchmarking/ceilings.py": "the sizes of caches",
    "core/files/pipes.py": "how a shell names what is no file; nothing is read",
}
"""What psutil does not tell."""


def test_facts_of_the_machine_are_those_of_psutil() -> None:
    found = {name(file) for file in FILES if any(t.startswith(("/proc", "/sys")) for t, _ in literals(file))}
    assert found == BY_HAND.keys()
