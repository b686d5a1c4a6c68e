"""The architecture, as a test: who may import whom, and what nobody may do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import resnet_edge
from resnet_edge.core import registry

PACKAGE = Path(resnet_edge.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
FRAMEWORKS = {
    "ai_edge_litert", "h5py", "iree", "jax", "keras", "litert_quantizer", "mediapipe", "onnx", "onnxruntime",
    "openvino", "playwright", "ray", "tensorflow", "tensorflow_model_optimization", "tf2onnx", "tf_keras",
    "tflite_micro",
}  # fmt: skip
HEAVY = FRAMEWORKS | {"numpy", "scipy", "PIL"}

# From the top: a room may import those below it.
ROOMS = (
    "cli", "api", "searching",
    "verification", "inspection", "bundle", "compression", "training", "conversion",
    "golden", "benchmarking", "diagnosis", "calibrate", "evaluation",
    "compatibility", "schemes", "formats", "backends", "graph", "models", "data", "zoo",
    "workers", "hosts", "report", "core",
)  # fmt: skip
APART = {"backends", "formats", "schemes"}  # what users choose from: none knows another


def name(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0]


@cache
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


def module_name(file: Path) -> str:
    parts = [*file.relative_to(PACKAGE.parent).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path, inside_functions: bool = True) -> Iterator[tuple[str, int]]:
    """What a file imports, by a statement, by a call or through the package, and on which line."""
    for node in statements(parsed(file), inside_functions):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            if node.module == "resnet_edge":
                yield from ((f"resnet_edge.{alias.name}", node.lineno) for alias in node.names)
            if node.module == "importlib" and any(alias.asname for alias in node.names):
                yield ANY, node.lineno  # whose calls are not known by name any more
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "resnet_edge":
            yield f"resnet_edge.{node.attr}", node.lineno
        elif isinstance(node, ast.Call) and (called := called_for(node, file)):
            yield called, node.lineno
        elif isinstance(node, ast.Constant) and FUNCTION.fullmatch(str(node.value)):
            yield str(node.value).partition(":")[0], node.lineno  # what a task runs


FUNCTION = re.compile(r"resnet_edge(\.\w+)+:\w+")
BY_CALL = {"import_module", "__import__", "find_spec", "run_module"}
ANY = "*"
"""A name that is known only when it runs."""


def called_for(node: ast.Call, file: Path) -> str:
    """The module that a call imports, up to where its name is known; empty for any other call."""
    what = ast.unparse(node.func)
    if not node.args:
        return ""
    said = text_of(node.args[0], file)
    if what == "registry.load":
        return f"resnet_edge.{said}"
    return said if what.split(".")[-1] in BY_CALL else ""


def text_of(node: ast.expr, file: Path) -> str:
    """A text as far as it is known; `__name__` is."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [p.value if isinstance(p, ast.FormattedValue) else p for p in node.values]
        return "".join(text_of(part, file) for part in parts)
    return module_name(file) if ast.unparse(node) == "__name__" else ANY


def test_imports_are_absolute() -> None:
    """So that the tests below see them, and a search finds them."""
    relative = [
        f"{name(file)}:{node.lineno}"
        for file in FILES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_every_folder_has_its_place() -> None:
    folders = {room(file) for file in FILES if len(file.relative_to(PACKAGE).parts) > 1}
    assert folders == set(ROOMS)
    assert {name(file) for file in FILES} - {name(file) for file in FILES if room(file) in folders} == {
        "__init__.py", "__main__.py", "entry.py", "errors.py", "reports.py",
    }  # fmt: skip


OUTSIDE_ROOMS = {
    "cli": {"entry", "__version__"},  # how an interrupt ends the program is the program's
    "api": {"errors", "reports", "__version__"},
}
EVERYWHERE = {"__version__", "__file__"}
"""Of the package itself; all else of it is the API."""
NAMED_WHEN_IT_RUNS = {
    "core/registry.py": "the rooms, whose files are choices: who asks for one names its room, which is held",
    "workers/child.py": "the function that a task names, which is held",
    "workers/bytecode.py": "what workers import, to compile it before one does",
    "models/factory.py": "the module of the user's that makes a model",
    "models/_held.py": "Keras and tf_keras, which are alike in what it takes of them",
}


@pytest.mark.parametrize("file", [f for f in FILES if room(f) in ROOMS], ids=name)
def test_dependencies_point_one_way(file: Path) -> None:
    own = room(file)
    allowed = set(ROOMS[ROOMS.index(own) :]) - (APART - {own} if own in APART else set())
    allowed |= OUTSIDE_ROOMS.get(own, set()) | EVERYWHERE
    unknown = set()
    for module, line in imports(file):
        parts = module.split(".")
        if ANY in parts[0] or (parts[0] == "resnet_edge" and ANY in "".join(parts[1:2])):
            unknown.add(line)
        elif parts[0] == "resnet_edge" and len(parts) > 1:
            assert parts[1] in allowed, f"{name(file)}:{line} imports {module}"
    assert bool(unknown) == (name(file) in NAMED_WHEN_IT_RUNS), f"{name(file)}: {unknown}"


def file_of(module: str) -> Path | None:
    """The file of a module of the package, and of its name in `from module import name`."""
    place = PACKAGE.parent / module.replace(".", "/")
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            return file
    return None


def targets(file: Path, inside_functions: bool) -> Iterator[Path]:
    """The files of the package that it imports, with the packages that they stand in; all of a package where
    which of them is known only when it runs."""
    for node in statements(parsed(file), inside_functions):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) != "registry.load":
            modules = [called_for(node, file)]
        for module in modules:
            parts = module.split(".")
            if parts[0] != "resnet_edge":
                continue
            for end in range(1, len(parts) + 1):
                if target := file_of(".".join(parts[:end])):
                    yield target
            if parts[-1] == ANY and len(parts) > 2:
                yield from (f for f in PACKAGE.joinpath(*parts[1:-1]).glob("[!_]*.py"))


ENTRANCES = {"cli", "api", "entry.py", "__init__.py", "__main__.py", "errors.py", "reports.py"}


def loaded_by_the_parent() -> dict[Path, str]:
    """Every file that a command loads in the process of the user, and through which: what the entrances
    import, at once or within a function, and what is imported when those are."""
    through = {file: "" for file in FILES if room(file) in ENTRANCES}
    waiting = list(through)
    while waiting:
        file = waiting.pop()
        for other in targets(file, inside_functions=room(file) in ENTRANCES):
            if other not in through:
                through[other] = name(file)
                waiting.append(other)
    return through


HEAVY_WHEN_NEEDED = {"api/values.py": {"numpy"}}
"""Arrays of the user's, who has imported numpy to make them."""


@pytest.mark.parametrize(("file", "through"), loaded_by_the_parent().items(), ids=lambda f: str(f)[-40:])
def test_what_the_parent_loads_imports_nothing_heavy(file: Path, through: str) -> None:
    """Within functions neither: who runs them is not known here, and no test would be sure to run them."""
    heavy = {module.split(".")[0] for module, _ in imports(file)} & HEAVY
    assert heavy == HEAVY_WHEN_NEEDED.get(name(file), set()), f"{name(file)} is loaded by {through}"
    at_once = {module.split(".")[0] for module, _ in imports(file, inside_functions=False)} & HEAVY
    assert at_once == set()


@pytest.mark.parametrize("file", [f for f in FILES if room(f) == "core"], ids=name)
def test_core_knows_no_framework_even_inside_functions(file: Path) -> None:
    assert [m for m, _ in imports(file) if m.split(".")[0] in FRAMEWORKS] == []


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_file_has_a_name_that_says_nothing(file: Path) -> None:
    words = {part.strip("_") for part in file.relative_to(PACKAGE).with_suffix("").parts}
    assert not words & {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_every_public_module_has_a_docstring(file: Path) -> None:
    if file.name != "__main__.py":
        assert ast.get_docstring(parsed(file)), f"{name(file)} says nothing about itself"


PRINTS = {
    "data/image_set.py": "a download is never silent",
    "graph/quantization/quantize.py": "what a library prints goes to the log of the worker",
    "bundle/delegates/_vela_environment.py": "a program of its own, for the Makefile",
    "backends/_arm64_environment.py": "a program of its own, for the Makefile",
    "backends/_mediapipe_environment.py": "a program of its own, for the Makefile",
    "backends/_pinned_environment.py": "a program of its own, for the Makefile",
    "backends/_web/packages.py": "a program of its own, for the Makefile",
    "backends/_programs/micro_arena.py": "a program of its own, whose answer it is",
    "backends/_programs/python_runtime.py": "a program of its own: what a runtime complains of",
    "hosts/_programs/python_facts.py": "a program of its own, whose answer it is",
    "backends/_litert/gpu.py": "what a runtime writes to the descriptor, which is read",
    "backends/tflite_micro.py": "what a runtime writes to the descriptor, which is read",
}
ENDS = {
    "workers/cluster/drive.py": "Ray's own threads, which may wait for a cluster that is gone",
    "entry.py": "the second interrupt",
    "backends/_pinned_environment.py": "a program of its own",
    "backends/_programs/mediapipe_tasks.py": "a program of its own",
    "backends/_programs/micro_arena.py": "a program of its own",
    "workers/hosts/serve.py": "a connection that is gone, while a write to it waits",
}


def used(file: Path, *words: str) -> list[int]:
    """The lines on which one of the names is called, or taken of a module."""
    return [
        node.lineno
        for node in statements(parsed(file), inside_functions=True)
        if (isinstance(node, ast.Attribute) and ast.unparse(node) in words)
        or (isinstance(node, ast.Call | ast.Raise) and named_first(node) in words)
        or (isinstance(node, ast.ImportFrom) and {f"{node.module}.{a.name}" for a in node.names} & {*words})
    ]


def named_first(node: ast.Call | ast.Raise) -> str:
    """What is called, or raised."""
    expression = node.func if isinstance(node, ast.Call) else node.exc
    return ast.unparse(expression) if expression else ""


@pytest.mark.parametrize("file", [f for f in FILES if room(f) != "cli"], ids=name)
def test_nothing_prints_or_ends_the_program_but_the_command_line(file: Path) -> None:
    """A function of the API is called in the user's own program."""
    prints = used(file, "print", "sys.stdout", "sys.stderr", "logging.warning", "warnings.warn")
    assert bool(prints) == (name(file) in PRINTS), f"{name(file)} prints in {prints}"
    ends = used(file, "exit", "quit", "sys.exit", "os._exit", "os.abort", "SystemExit")
    assert bool(ends) == (name(file) in ENDS), f"{name(file)} ends the program in {ends}"


def test_text_reaches_the_terminal_in_one_place() -> None:
    """`cli.terminal.say` makes it printable; what rich writes goes through `cli._grid` and `_table`."""
    writers = {name(file) for file in FILES if "click.echo" in file.read_text("utf-8")}
    assert writers == {"cli/terminal.py"}


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


@pytest.mark.parametrize("file", FILES, ids=name)
def test_what_is_suppressed_gives_its_reason_too(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    for node in ast.walk(parsed(file)):
        broad = isinstance(node, ast.Call) and {"Exception", "BaseException"} & {*map(ast.unparse, node.args)}
        if broad and isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "suppress":
            assert any("#" in line for line in lines[node.lineno - 2 : node.lineno]), (
                f"{name(file)}:{node.lineno} suppresses everything and tells no reason"
            )


def always_raises(handler: ast.ExceptHandler) -> bool:
    """Cleaning up and raising again swallows nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    """Of all modules, wherever they stand but in functions and other classes."""
    for file in FILES:
        waiting: list[ast.AST] = [*parsed(file).body]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.ClassDef):
                yield file, node
            elif isinstance(node, ast.If | ast.Try | ast.With):
                waiting += ast.iter_child_nodes(node)


def test_no_public_class_name_is_there_twice() -> None:
    places: dict[str, list[str]] = {}
    for file, node in classes():
        if not node.name.startswith("_"):
            places.setdefault(node.name, []).append(name(file))
    assert {key: files for key, files in places.items() if len(files) > 1} == {}


KINDS = {node.name: node for _, node in classes()}


def by_place(node: ast.ClassDef) -> int:
    """How many fields a dataclass or a named tuple takes by place, those of its bases included."""
    bases = [ast.unparse(base).split(".")[-1] for base in node.bases]
    decorators = [text for d in node.decorator_list if "dataclass" in (text := ast.unparse(d))]
    inherited = sum(by_place(KINDS[base]) for base in bases if base in KINDS and KINDS[base] is not node)
    if "NamedTuple" not in bases and (not decorators or "kw_only=True" in decorators[0]):
        return inherited
    own = [
        f for f in node.body if isinstance(f, ast.AnnAssign) and "ClassVar" not in ast.unparse(f.annotation)
    ]
    return inherited + sum("kw_only=True" not in ast.unparse(f.value) if f.value else True for f in own)


def test_a_dataclass_of_more_than_four_fields_takes_them_by_name() -> None:
    positional = [f"{name(file)}: {node.name}" for file in FILES for node in ast.walk(parsed(file))
             if isinstance(node, ast.ClassDef) and by_place(node) > 4]  # fmt: skip
    assert positional == []


def test_no_class_is_made_by_a_call() -> None:
    """Whose fields no reader, and no test above, would see."""
    makers = {"make_dataclass", "namedtuple", "type"}
    renamed = [
        f"{name(file)}:{node.lineno}"
        for file in FILES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ImportFrom) and node.module in {"dataclasses", "typing"}
        if any(alias.asname for alias in node.names)
    ]
    assert renamed == []
    calls = [
        f"{name(file)}:{node.lineno}"
        for file in FILES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in makers
        and (len(node.args) > 1 or "type" not in ast.unparse(node.func))
    ]
    assert calls == []


def literals(file: Path) -> Iterator[tuple[str, int]]:
    """Every text that the code of a file uses as a value, and its line: no docstring."""
    tree = parsed(file)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value, node.lineno


def test_the_report_is_read_in_one_module() -> None:
    """Who needs its name takes it from there, and its content as well."""
    spelled = {
        name(file) for file in FILES if any(REPORT_AS_PATH.fullmatch(text) for text, _ in literals(file))
    }
    assert spelled == {"core/results/stored_report.py"}
    named = {name(file) for file in FILES if used(file, f"{STORED}.REPORT", "stored_report.REPORT")}
    assert named == KNOWS_ITS_NAME.keys()


STORED = "resnet_edge.core.results.stored_report"
REPORT_AS_PATH = re.compile(r"(\S*/)?report\.json")
KNOWS_ITS_NAME = {
    "report/__init__.py": "it is written there",
    "core/files/overwrite.py": "what `convert` leaves, which it may replace",
    "api/load_report.py": "of a folder, it is the report in it",
    "api/search_point.py": "of a point that is copied, it is written anew",
    "bundle/converted.py": "of a folder, it is the report in it",
}


CHOICES = {"backend": set(registry.names("backends")), "scheme": set(registry.names("schemes"))}
OF_MORE = {"int8", "keras", "mediapipe", "opencv"}
"""Names that mean other things as well, a dtype and libraries: these count where they stand against a scheme
or a backend."""
NAMED_ELSEWHERE = {
    "api/convert.py": "defaults of options",
    "api/search.py": "defaults of options",
    "cli/convert.py": "defaults of options",
    "cli/search.py": "defaults of options",
    "searching/space.py": "defaults of options",
    "cli/host.py": "defaults of options",
    "cli/_channel_options.py": "defaults of options",
    "api/prune.py": "defaults of options",
    "api/host_prepare.py": "defaults of options",
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
    """The names of backends and schemes that code uses as values, alone, with a device, or in a list."""
    for text, line in literals(file):
        words = {word.partition(":")[0] for word in text.split(",")}
        yield from ((word, line) for kind in CHOICES.values() for word in words & (kind - OF_MORE))
    for node in ast.walk(parsed(file)):
        if not isinstance(node, AGAINST) or not stands_against_one(node):
            continue
        for child in ast.walk(node):
            if isinstance(child, ast.Constant) and child.value in OF_MORE:
                yield str(child.value), child.lineno


AGAINST = (
    ast.Compare, ast.keyword, ast.AnnAssign, ast.Assign, ast.Match, ast.Subscript, ast.Call, ast.arg,
    ast.arguments, ast.NamedExpr,
)  # fmt: skip


def stands_against_one(node: ast.AST) -> bool:
    """Whether a comparison, an argument, an assignment or the like is of what is called a scheme or a
    backend."""
    if isinstance(node, ast.keyword):
        return node.arg in CHOICES
    if isinstance(node, ast.arguments):
        names_of = [each.arg for each in (*node.args, *node.kwonlyargs)]
        return any(word.rstrip("s").endswith(kind) for word in names_of for kind in CHOICES)
    named: list[ast.AST] = []
    if isinstance(node, ast.Compare):
        named = [node.left, *node.comparators]
    elif isinstance(node, ast.Match):
        named = [node.subject]
    elif isinstance(node, ast.Subscript):
        named = [node.slice]
    elif isinstance(node, ast.Call):
        named = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        named = [node.target]
    else:
        named = [*getattr(node, "targets", ())]
    last = {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in named}
    return any(word.lower().rstrip("s").endswith(kind) for word in last for kind in CHOICES)


@pytest.mark.parametrize("file", [f for f in FILES if room(f) not in {"backends", "schemes"}], ids=name)
def test_what_is_known_of_one_backend_or_scheme_stands_in_its_file(file: Path) -> None:
    """Others ask it: `registry.constant`, `schemes.scheme_of`. What may name one has a reason."""
    names = sorted(set(choices(file)))
    assert bool(names) == (name(file) in NAMED_ELSEWHERE), f"{name(file)}: {names}"


RENAMES = {"replace", "rename", "renames", "move", "link", "symlink"}


def renames(file: Path) -> Iterator[int]:
    """The lines on which a file or folder gets another name. `replace` of one argument is that of a path."""
    tree = parsed(file)
    modules = {"os", "shutil"} | {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in {"os", "shutil"} and alias.asname
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"os", "shutil"}:
            yield from (node.lineno for alias in node.names if alias.name in RENAMES)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in modules and node.attr in RENAMES:
            yield node.lineno
        if not isinstance(node, ast.Call):
            continue
        what, words = ast.unparse(node.func), [ast.unparse(each).strip("'") for each in node.args]
        if what == "getattr" and words[0] in modules and {*words[1:]} & RENAMES:
            yield node.lineno
        if what.endswith((".replace", ".rename")) and len(words) == 1 and not node.keywords:
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
    readers = {
        name(file) for file in FILES if any(t.startswith(("/proc", "/sys")) for t, _ in literals(file))
    }
    assert readers == BY_HAND.keys()
