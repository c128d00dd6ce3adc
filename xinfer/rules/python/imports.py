"""Rules of imports: modules and names that are not there, packages that are not installed."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen
from packaging.version import Version

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.distributions import (
    DISTRIBUTIONS,
    GONE,
    STANDARD_LIBRARY,
    Environment,
    environment,
    is_named_in_requirements,
    sdk_version,
)
from xinfer.rules.python.names import bindings
from xinfer.rules.python.sdk_names import NAMES, NEWEST, TOP_LEVEL
from xinfer.rules.python.source import Import, Module
from xinfer.rules.python.spelling import did_you_mean
from xinfer.rules.rule import Fix, Problem, fix_in_files, rule

_OLDEST = Version("0.9.0")
_FOLDERS = {"openai_compatible"}
_CORRECT = "Correct the name, or add the module."
_ENVIRONMENT = "daemon internal/core/local_runtime/setup_python_environment.go"
_LOADER = "sdk core/utils/class_loader.py: import_module_from_source"


@rule(
    "XI603",
    Severity.REFUSED,
    Stage.START,
    source=_LOADER,
    bad=(
        "from models import «common»\n",
        "from «....» import common\n",
        {"models/llm/llm.py": "import «acount»\n", "account.py": "NAME = 'Acme'\n"},
        {
            "models/llm/llm.py": "from «models.comon» import NAME\n",
            "models/common.py": "NAME = 1\n",
        },
        {
            "models/llm/llm.py": "from «lib.text» import cut\n",
            "lib/text.py": "",
            ".difyignore": "lib/\n",
        },
    ),
    good=(
        {"models/llm/llm.py": "from models import common\n", "models/common.py": ""},
        "try:\n    from models import common\nexcept ImportError:\n    common = None\n",
    ),
    fix=_CORRECT,
)
def import_missing(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """An import names what is not there; the SDK cannot start.

    A module has to be in the plugin, from whose root all names begin, and not be left out of the
    package by the ignore file. A relative import does not lead out of the root.
    """
    for module, each in _imports(code):
        if module in code.started and not each.lazy and (why := _missing(code, plugin, each)):
            yield _problem(module, each, why)


@rule(
    "XI604",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="Python: ImportError",
    bad=("def later():\n    import «models.common»\n",),
    good=(
        {
            "models/llm/llm.py": "def later():\n    import models.common\n",
            "models/common.py": "",
        },
    ),
    fix=_CORRECT,
)
def import_missing_later(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """An import in a function names what is not there; the request fails."""
    for module, each in _imports(code):
        later = each.lazy or module not in code.started
        if later and (why := _missing(code, plugin, each)):
            yield _problem(module, each, why)


@rule(
    "XI605",
    Severity.ADVICE,
    Stage.START,
    source=f"{_ENVIRONMENT}: prepareSyncArgs",
    bad=("import «numpy»\n", "import «reqests»\n"),
    good=(
        "import httpx\n",
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n",
    ),
    fix=Fix(
        spec="Add the package to Project(requirements=…).",
        yaml="Add the package to dependencies in pyproject.toml, or to requirements.txt.",
    ),
)
def package_not_required(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """A package is imported that the plugin does not require.

    The plugin does not start without it. It may be installed because another package needs it,
    until that one no longer does. What Dify's SDK requires is always there.
    """
    installed = _environment(code, plugin)
    if installed is None:
        return
    for module, each in _not_installed(code, plugin, installed):
        if _only_in_requirements(each, plugin, installed):
            continue
        if is_named_in_requirements(plugin, each.module or ""):
            yield _at(module, each, _UNUSED.format(each.root), fix=_MOVE)
        elif fix := did_you_mean(each.root, STANDARD_LIBRARY | installed.roots):
            yield _at(module, each, f"nothing provides {each.root}", fix=fix)
        elif installed.is_closed or each.root in DISTRIBUTIONS:
            yield _at(module, each, f"no dependency provides {each.root}")


_UNUSED = "pyproject.toml does not require {}; the daemon does not read requirements.txt beside it"
_MOVE = fix_in_files("Add the package to the dependencies in {}pyproject.toml, and lock again.")


@rule(
    "XI671",
    Severity.REFUSED,
    Stage.START,
    source=f"{_ENVIRONMENT}: detectDependencyFileType",
    bad=(
        {
            "models/llm/llm.py": "import «numpy»\n",
            "requirements.txt": "dify_plugin>=0.9.0\nrequests\nnumpy\n",
        },
    ),
    good=(
        {
            "models/llm/llm.py": "import numpy\n",
            "pyproject.toml": None,
            "requirements.txt": "dify_plugin>=0.9.0\nrequests\nnumpy\n",
        },
    ),
    fix=_MOVE,
)
def required_in_unused_file(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """A package is in requirements.txt only, and the daemon installs what pyproject.toml requires.

    Where both files are, pyproject.toml wins, unless the daemon is set up with a mirror of PyPI.
    """
    installed = _environment(code, plugin)
    if installed is not None:
        for module, each in _not_installed(code, plugin, installed):
            if _only_in_requirements(each, plugin, installed):
                yield _at(module, each, _UNUSED.format(each.root))


@rule(
    "XI609",
    Severity.REFUSED,
    Stage.START,
    source="sdk dify_plugin 0.9.0 to 0.10.2, names of its modules",
    bad=(
        "from dify_plugin.entities.model.message import «UserMessage»\n",
        "from dify_plugin import «LargeLanguageModels»\n",
    ),
    good=("from dify_plugin.entities.model.message import UserPromptMessage\n",),
    fix="Correct the name.",
)
def sdk_name_missing(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """An import names something that Dify's SDK does not have; the plugin cannot start.

    Looked at are the modules that models need, of version 0.9.0 to 0.10.2, unless a lock or a
    requirement names another.
    """
    least, excluded = sdk_version(plugin)
    exact = least is not None and least == excluded and least in (NEWEST, _OLDEST)
    if (excluded is not None and not exact) or (least is not None and least > NEWEST):
        return
    for module, each in _imports(code):
        if module in code.started and not each.lazy and (why := _missing_in_sdk(each)):
            yield _problem(module, each, why)


@frozen
class _Missing:
    """What an import does not find.

    :param fix: what to do, if that is more than the rule says.
    :param in_module: the module is there, and has not the name that is taken from it.
    """

    message: str
    fix: str = ""
    in_module: bool = False


def _environment(code: PluginCode, plugin: Plugin) -> Environment | None:
    return code.memory.ask("environment", lambda: environment(plugin))


def _imports(code: PluginCode) -> Iterator[tuple[Module, Import]]:
    """Yield the imports that must succeed."""
    for module in code.running:
        for each in module.imports:
            if not (each.careful or each.typing_only):
                yield module, each


def _problem(module: Module, each: Import, why: _Missing) -> Problem:
    if why.in_module:
        return module.problem(why.message, each.alias, fix=why.fix)
    return _at(module, each, why.message, fix=why.fix)


def _at(module: Module, each: Import, message: str, *, fix: str | Fix = "") -> Problem:
    return Problem(message, at=module.path, span=module.span_of_import(each), fix=fix)


def _missing(code: PluginCode, plugin: Plugin, each: Import) -> _Missing | None:
    """Return what an import certainly does not find."""
    if each.module is None:
        return _Missing("a relative import leads out of the plugin")
    if not code.has_module(each.root):
        return _missing_root(code, plugin, each)
    if each.root in STANDARD_LIBRARY or _is_only_a_folder(code, each.root):
        return None
    if not code.has_module(each.module):
        return _not_there(code, each.module)
    if each.name in (None, "*") or code.has_module(f"{each.module}.{each.name}"):
        return None
    target = code.module(each.module)
    if target is None:
        whole = f"{each.module}.{each.name}"
        return None if each.module in code.paths else _not_there(code, whole, in_module=True)
    names = bindings(target, target.tree)
    if target.failure or each.name in names or "__getattr__" in names or target.is_dynamic:
        return None
    if target.imports_at(each.node):
        return None  # a module that imports itself
    return _Missing(
        f"{target.path} has no {each.name}", did_you_mean(each.name or "", names), in_module=True
    )


def _missing_root(code: PluginCode, plugin: Plugin, each: Import) -> _Missing | None:
    """Return why the first part of a name is neither in the plugin nor in a dependency."""
    root = each.root
    if root in GONE:
        return _Missing(f"Python 3.12 no longer has the module {root}")
    installed = _environment(code, plugin)
    if root in STANDARD_LIBRARY | DISTRIBUTIONS.keys():
        return None
    if installed is not None and installed.may_provide(each.module or ""):
        return None
    if code.why_left_out(root):
        return _not_there(code, each.module or root)
    fix = did_you_mean(root, (name for name in code.names if "." not in name))
    return _Missing(f"there is no module {root}", fix) if fix else None


def _not_there(code: PluginCode, name: str, *, in_module: bool = False) -> _Missing:
    if reason := code.why_left_out(name):
        message = f"{name} is left out of the package by {reason}"
        return _Missing(message, "Correct that line, or rename the folder.", in_module)
    message = f"there is no {name} in the plugin"
    return _Missing(message, did_you_mean(name, code.names), in_module)


def _is_only_a_folder(code: PluginCode, root: str) -> bool:
    """Return whether a folder without ``__init__.py`` has the name of a package: that one wins."""
    return root in DISTRIBUTIONS and f"{root}/__init__.py" not in code.files


def _missing_in_sdk(each: Import) -> _Missing | None:
    parts = (each.module or "").split(".")
    if parts[0] != "dify_plugin" or each.name == "*":
        return None
    if len(parts) > 1 and parts[1] not in TOP_LEVEL:
        return _Missing(f"dify_plugin has no {parts[1]}")
    names = NAMES.get(each.module or "")
    is_module = f"{each.module}.{each.name}" in NAMES or each.name in _FOLDERS
    if not names or not each.name or is_module or each.name in names | TOP_LEVEL:
        return None
    message = f"{each.module} has no {each.name}"
    return _Missing(message, did_you_mean(each.name, names), in_module=True)


def _not_installed(
    code: PluginCode, plugin: Plugin, installed: Environment
) -> Iterator[tuple[Module, Import]]:
    """Yield the first import of each package that nothing seems to install."""
    seen = {"", "dify_plugin"}  # XI119 speaks of the SDK
    for module, each in _imports(code):
        if each.root in seen or each.root in STANDARD_LIBRARY or code.has_module(each.root):
            continue
        if not installed.may_provide(each.module or "") and not _missing(code, plugin, each):
            seen.add(each.root)
            yield module, each


def _only_in_requirements(each: Import, plugin: Plugin, installed: Environment) -> bool:
    """Return whether it is certain that a package is not installed, and where it is required."""
    certain = installed.is_closed or installed.is_locked
    return certain and is_named_in_requirements(plugin, each.module or "")


RULES = (
    import_missing,
    import_missing_later,
    package_not_required,
    sdk_name_missing,
    required_in_unused_file,
)
