"""Import arrows point one way, importing is cheap, and public names are documented."""

import ast
import inspect
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

# The modules and sub-packages of neurosim, by level. A lower level never imports a higher one; within a level
# imports are free as long as they make no circle. `neurosim/__init__.py` is the facade above them all.
LEVELS = {
    0: "errors checks aliases calls units machine maths random lazy files growing progress reprs",
    1: "bodies distributions spikes settings",
    2: "contracts neurons receptors releases sources connectivity",
    3: "network describe precision",
    4: "engine",
    5: "event running recording checkpoint streams batch rewiring setting resolving looking changing simulation plot",
    6: "analysis reservoirs encoders datasets readouts bridge backends comparing neurobench export gradients sweep",
    7: "config jobs cli",
}
LEVEL_OF = {unit: level for level, units in LEVELS.items() for unit in units.split()}
PROGRAMS = 7  # modules from this level on use the package's front door, as any script does
# What may reach up, but only inside a function, and whereto; "" is anywhere.
UPWARD_INSIDE_FUNCTIONS = {"plot": "", "spikes": "export", "looking": "export"}
CORE = "neurosim"
PLUG_INS = ("learning_rules", "hardware_models")
PACKAGES = (CORE, *PLUG_INS)
NOT_SHIPPED = ("tests", "examples", "benchmarks")
FOREIGN = ("_replace", "_asdict", "_fields",  # public names of named tuples
           "_Intrinsic", "_defn", "_rebuild", "_reduce")  # of Numba, which has no public way to what is compiled
ONE_CLASS = ("spikes",)  # folders that hold one class in several files
MOST_LINES = 450  # of a file, which holds one idea
LOADED_LATER = ("numba", "scipy", "h5py", "matplotlib", "sklearn", "tqdm", "torch")

ROOT = Path(__file__).resolve().parent.parent
FACADE = ROOT / CORE / "__init__.py"

Import = namedtuple("Import", "target line in_function")

needs_facade = pytest.mark.skipif(not FACADE.exists(), reason="neurosim/__init__.py does not exist yet")


# ---------------------------------------------------------------------------------------------------------------------
# Reading the source
# ---------------------------------------------------------------------------------------------------------------------

def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def where(path, line):
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(tree, module, is_package=False):
    """Yield every import of a module as the full dotted name of what is imported."""
    package = module if is_package else module.rpartition(".")[0]

    def visit(node, in_function):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, child.lineno, in_function)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    above = package.split(".")[: len(package.split(".")) - child.level + 1]
                    base = ".".join([*above, *filter(None, [child.module])])
                for alias in child.names:
                    yield Import(f"{base}.{alias.name}", child.lineno, in_function)
            else:
                deeper = in_function or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from visit(child, deeper)

    yield from visit(tree, False)


def all_imports(package):
    """Yield (path, module, import) for every import in a package."""
    for path in sources(package):
        module = module_name(path)
        for found in imports(parse(path), module, is_package=path.name == "__init__.py"):
            yield path, module, found


def unit_of(dotted):
    """The second part of a dotted name in neurosim: neurosim.engine.layout belongs to engine."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else ""


# ---------------------------------------------------------------------------------------------------------------------
# Arrows
# ---------------------------------------------------------------------------------------------------------------------

def reaches_up(source, target, found):
    """Whether an import may lead to any level: a name that users look for there, imported when it is used."""
    return found.in_function and UPWARD_INSIDE_FUNCTIONS.get(source) in ("", target)


def fault(module, found):
    """Return what is wrong with an import inside neurosim, or None."""
    top = found.target.split(".")[0]
    if top in PLUG_INS:
        return f"the core never imports the plug-in {top}"
    if top != CORE or module == CORE:
        return None
    source, target = unit_of(module), unit_of(found.target)
    if target == "__version__" or (target == "" and LEVEL_OF.get(source, 0) >= PROGRAMS):
        return None
    if target not in LEVEL_OF:
        return f"{found.target} is no module of the table; import from the module that defines the name"
    if LEVEL_OF.get(source, 0) >= LEVEL_OF[target] or reaches_up(source, target, found):
        return None
    return f"{source} (level {LEVEL_OF.get(source)}) may not import {target} (level {LEVEL_OF[target]})"


def test_every_module_is_in_the_table():
    units = {unit_of(module_name(path)) for path in sources(CORE)} - {""}
    unknown = sorted(units - set(LEVEL_OF))
    assert not unknown, f"add {', '.join(unknown)} to LEVELS at the top of {Path(__file__).name}"


def test_no_module_imports_a_higher_level():
    faults = [
        f"{where(path, found.line)}: {sentence}"
        for path, module, found in all_imports(CORE)
        if (sentence := fault(module, found))
    ]
    assert not faults, "\n".join(faults)


def circle(graph):
    """Return one circle of a directed graph {node: set of nodes} as a list, or None."""
    done = set()

    def follow(node, trail):
        if node in trail:
            return [*trail[trail.index(node):], node]
        if node in done:
            return None
        for successor in sorted(graph.get(node, ())):
            if found := follow(successor, [*trail, node]):
                return found
        done.add(node)
        return None

    return next((found for node in sorted(graph) if (found := follow(node, []))), None)


def test_modules_import_each_other_in_no_circle():
    graph = {}
    for _, module, found in all_imports(CORE):
        source, target = unit_of(module), unit_of(found.target)
        if not found.target.startswith(CORE + ".") or not source or target not in LEVEL_OF or source == target:
            continue
        if reaches_up(source, target, found):
            continue
        graph.setdefault(source, set()).add(target)
    found = circle(graph)
    assert found is None, f"modules import each other in a circle: {' -> '.join(found)}"


@pytest.mark.parametrize("package", PLUG_INS)
def test_a_plug_in_never_imports_the_other(package):
    (other,) = set(PLUG_INS) - {package}
    faults = [
        f"{where(path, found.line)}: {package} may not import {other}"
        for path, _, found in all_imports(package)
        if found.target.split(".")[0] == other
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_nothing_that_is_not_shipped(package):
    faults = [
        f"{where(path, found.line)}: imports {found.target}, which no wheel holds"
        for path, _, found in all_imports(package)
        if found.target.split(".")[0] in NOT_SHIPPED
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_with_modules_is_a_package(package):
    folders = sorted({path.parent for path in sources(package)})
    missing = [folder.relative_to(ROOT).as_posix() for folder in folders if not (folder / "__init__.py").exists()]
    assert not missing, f"wheels would leave out {', '.join(missing)}: add an __init__.py"


@pytest.mark.parametrize(
    ("module", "line", "allowed"),
    [
        ("neurosim.engine.planner", "from neurosim.network import Network", True),
        ("neurosim.engine.planner", "from . import loader", True),
        ("neurosim.engine.planner", "from ..network import Network", True),
        ("neurosim.checks", "from neurosim.errors import ParameterError", True),
        ("neurosim.random", "import random", True),
        ("neurosim.cli", "from neurosim import __version__", True),
        ("neurosim.plot", "def f():\n    from neurosim.sweep import x", True),
        ("neurosim.spikes.elsewhere", "def f():\n    from neurosim.export import nwb", True),
        ("neurosim.spikes.elsewhere", "from neurosim.export import nwb", False),
        ("neurosim.spikes.elsewhere", "def f():\n    from neurosim.sweep import x", False),
        ("neurosim", "from neurosim.cli import main", True),
        ("neurosim.network", "from neurosim.engine.planner import lay_out", False),
        ("neurosim.network", "from neurosim import engine", False),
        ("neurosim.network", "from . import engine", False),
        ("neurosim.network", "import neurosim.engine.planner as layout", False),
        ("neurosim.network", "def f():\n    from neurosim.engine import x", False),
        ("neurosim.network", "if TYPE_CHECKING:\n    from neurosim.engine import x", False),
        ("neurosim.plot", "from neurosim.sweep import x", False),
        ("neurosim.export", "from neurosim import Network", False),
        ("neurosim.export", "import neurosim", False),
        ("neurosim.errors", "def f():\n    import learning_rules.stdp", False),
        ("neurosim", "import hardware_models", False),
    ],
)
def test_the_rules_themselves(module, line, allowed):
    (found,) = imports(ast.parse(line), module, is_package=module == CORE)
    assert (fault(module, found) is None) == allowed


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) is None


# ---------------------------------------------------------------------------------------------------------------------
# Privates
# ---------------------------------------------------------------------------------------------------------------------

def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def own_names(tree):
    """Names that a module defines or assigns somewhere, as functions, classes, variables or attributes."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # as of setattr and __dict__
            found.add(node.value)
    return found


def privates_of_others(tree):
    """Yield (line, name) of the private names that a module takes from another one."""
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            base = node.value
            itself = isinstance(base, ast.Name) and base.id in ("self", "cls", "super") or (
                isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id in ("super", "type"))
            if not itself:  # what a base class keeps for its own is its heirs' too
                yield node.lineno, node.attr


def own_of_folder(folder):
    return set().union(*(own_names(parse(path)) for path in folder.glob("*.py")))


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_reads_the_privates_of_another_module(package):
    faults = [
        f"{where(path, line)}: {name} is private to another module; let that module offer what is needed"
        for path in sources(package)
        for line, name in privates_of_others(parse(path))
        if name not in FOREIGN and not (path.parent.name in ONE_CLASS and name in own_of_folder(path.parent))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("text", "allowed"), [
    ("def f(sim):\n    return sim._run", False),
    ("from neurosim.network import _signature", False),
    ("class A:\n    def __init__(self):\n        self._x = 1\n    def f(self, other):\n        return other._x", True),
    ("class A(B):\n    def f(self):\n        return self._x + super()._y", True),
    ("def f(a):\n    return a.__class__", True),
])
def test_the_rule_about_privates_itself(text, allowed):
    assert (not list(privates_of_others(ast.parse(text)))) == allowed


# ---------------------------------------------------------------------------------------------------------------------
# Cost of importing, public names, manners
# ---------------------------------------------------------------------------------------------------------------------

@needs_facade
def test_importing_neurosim_loads_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); import neurosim; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    heavy = sorted(set(LOADED_LATER) & set(done.stdout.split()))
    assert not heavy, f"import neurosim loads {', '.join(heavy)}; import these where they are first used"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_is_long(package):
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
             for path in sources(package)}
    long = sorted(f"{name} ({count})" for name, count in lines.items() if count > MOST_LINES)
    assert not long, f"split what has more than {MOST_LINES} lines by idea: {', '.join(long)}"


def has_docstring(thing):
    """Whether a class or function says something of its own; a dataclass's generated signature does not count."""
    text = (thing.__doc__ or "").strip()
    generated = inspect.isclass(thing) and text.startswith(f"{thing.__name__}(")
    return bool(text) and not generated


@needs_facade
def test_every_public_name_has_a_docstring():
    import neurosim

    silent = []
    for name in neurosim.__all__:
        thing = getattr(neurosim, name)
        if (inspect.isclass(thing) or inspect.ismodule(thing) or callable(thing)) and not has_docstring(thing):
            silent.append(name)
    assert not silent, f"public names without a docstring: {', '.join(silent)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_neither_print_nor_assert(package):
    faults = []
    for path in sources(package):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Assert):
                faults.append(f"{where(path, node.lineno)}: assert; raise an error of neurosim.errors instead")
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "print"
                and path != ROOT / CORE / "cli.py"
            ):
                faults.append(f"{where(path, node.lineno)}: print; return the text or warn instead")
    assert not faults, "\n".join(faults)
