"""Python that only fills in the SDK's OpenAI-compatible classes, as a declared runtime.

The plugin's modules are read as syntax trees. A line that sets a constant, or hands a call on to
the SDK, is carried; any other line is named, so that its author can declare what it did.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from attrs import define, field, frozen

from xinfer.plugin.writer import FileTree
from xinfer.spec import FormField, FormType, ModelType, Provider

_PREFIX = "OAICompat"
_TYPES = {
    "OAICompatLargeLanguageModel": ModelType.LLM,
    "OAICompatEmbeddingModel": ModelType.TEXT_EMBEDDING,
    "OAICompatRerankModel": ModelType.RERANK,
    "OAICompatSpeech2TextModel": ModelType.SPEECH2TEXT,
    "OAICompatText2SpeechModel": ModelType.TTS,
}
_FOLLOWING = frozenset(
    {
        "mode",
        "function_calling_type",
        "stream_function_calling",
        "stream_mode_auth",
        "stream_mode_delimiter",
        "vision_support",
    }
)
"""Settings of the SDK's classes that a declared model's features and properties stand for."""

TARGETS = {"endpoint_url": "base_url", "api_key": "api_key", "endpoint_model_name": "model"}
"""The variables of credentials that the SDK's classes read, and what a field of it sets."""


class NotDeclarable(Exception):
    """The plugin's Python is more than the SDK's classes; ``str`` says where."""


@frozen(kw_only=True)
class DeclaredRuntime:
    """What stands in the place of a plugin's Python.

    :param base_url: where the server is, for users whose credentials do not say.
    :param validated_by: the model that credentials are validated with.
    :param sets: the targets that fields of the form set, by variable.
    :param model_types: those that the plugin's classes serve.
    :param replaced: the files that it replaces.
    :param not_carried: lines of these files that it cannot express, with their places.
    """

    base_url: str | None
    validated_by: tuple[str, ...]
    sets: Mapping[str, str]
    model_types: tuple[ModelType, ...]
    replaced: frozenset[str]
    not_carried: tuple[str, ...]


def declared_runtime(provider: Provider, files: FileTree) -> DeclaredRuntime:
    """Read the runtime off a plugin's modules.

    :raises NotDeclarable: a class is not one of the SDK's OpenAI-compatible ones, or no line
        tells where the server is.
    """
    sources = provider.extra.python if provider.extra else None
    if sources is None:
        raise NotDeclarable("the provider names no Python (extra.python)")
    reader = _Reader()
    reader.provider(sources.provider_source, _parsed(sources.provider_source, files))
    for path in sources.model_sources:
        reader.models(path, _parsed(path, files))
    variables = {each.variable: each.type for form in _forms(provider) for each in form}
    sets: dict[str, str] = {}
    for variable, target in (*reader.sets.items(), *TARGETS.items()):
        is_secret = variables.get(variable) is FormType.SECRET_INPUT
        if variable in variables and target not in sets.values():
            if is_secret is not (target == "api_key"):
                raise NotDeclarable(f"{variable} is no field for {target}")
            sets[variable] = target
    if not reader.base_urls and "base_url" not in sets.values():
        raise NotDeclarable("no line tells the server's URL")
    others = list(reader.base_urls.items())[1:]
    dropped = [f"{where}: another base URL, {url}" for url, where in others]
    prices = ["the prices that users enter"] if "input_price" in variables else []
    replaced = {sources.provider_source, *sources.model_sources, "main.py"}
    return DeclaredRuntime(
        base_url=next(iter(reader.base_urls), None),
        validated_by=tuple(reader.validated_by),
        sets=sets,
        model_types=tuple(dict.fromkeys(reader.model_types)),
        replaced=frozenset(path for path in replaced if path in files),
        not_carried=(*dropped, *prices, *reader.not_carried),
    )


def _forms(provider: Provider) -> Iterator[tuple[FormField, ...]]:
    for schema in (provider.provider_credential_schema, provider.model_credential_schema):
        if schema:
            yield schema.credential_form_schemas


def _parsed(path: str, files: FileTree) -> ast.Module:
    try:
        return ast.parse(files[path])
    except KeyError:
        raise NotDeclarable(f"there is no {path}") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotDeclarable(f"{path} is not Python") from None


@define
class _Reader:
    """Collects what modules set, and the lines that do something else."""

    base_urls: dict[str, str] = field(factory=dict)
    validated_by: list[str] = field(factory=list)
    sets: dict[str, str] = field(factory=dict)
    model_types: list[ModelType] = field(factory=list)
    not_carried: list[str] = field(factory=list)
    _path: str = ""
    _constants: dict[str, ast.expr] = field(factory=dict)

    def provider(self, path: str, tree: ast.Module) -> None:
        """Read which model the provider's credentials are validated with."""
        self._path = path
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="validate_credentials")):
                    models = [k.value for k in node.keywords if k.arg == "model"] or node.args[:1]
                    name = self._text(models[0]) if models else None
                    if name is None:
                        self._leave(node)
                    elif name not in self.validated_by:
                        self.validated_by.append(name)
                case ast.ClassDef():
                    self._others(node, {"validate_provider_credentials"})

    def models(self, path: str, tree: ast.Module) -> None:
        """Read what the classes of a module set."""
        self._path, self._constants = path, {}
        for statement in tree.body:
            match statement:
                case ast.ClassDef():
                    self._class(statement)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._constants[name] = value
                case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                    pass
                case _:
                    self._leave(statement)

    def _class(self, node: ast.ClassDef) -> None:
        bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
        served = [base for base in bases if base in _TYPES]
        others = [base for base in bases if base not in _TYPES]
        if not served or others:
            names = ", ".join(others) or "nothing"
            raise NotDeclarable(f"{self._path}:{node.lineno}: {node.name} derives from {names}")
        self.model_types.append(_TYPES[served[0]])
        for statement in node.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self._constants[statement.targets[0].id] = statement.value
        methods = self._others(node, {"_invoke", "validate_credentials"})
        followed: set[str] = set()
        for name in ("_invoke", "validate_credentials"):
            if name in methods:
                self._body(methods[name].body, methods, followed)
        for name, method in methods.items():
            if name not in followed and name not in ("_invoke", "validate_credentials"):
                self._leave(method)

    def _others(self, node: ast.ClassDef, expected: set[str]) -> dict[str, ast.FunctionDef]:
        """Return the methods of a class; name what else is in it."""
        methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
        for statement in node.body:
            match statement:
                case ast.FunctionDef() | ast.Assign() | ast.AnnAssign() | ast.Pass():
                    pass
                case ast.Expr(value=ast.Constant()):
                    pass
                case _:
                    self._leave(statement)
        if "validate_provider_credentials" in expected:
            for name, method in methods.items():
                if name not in expected:
                    self._leave(method)
        return methods

    def _body(
        self,
        statements: list[ast.stmt],
        methods: Mapping[str, ast.FunctionDef],
        followed: set[str],
    ) -> None:
        for statement in statements:
            match statement:
                case ast.Pass() | ast.Expr(value=ast.Constant()):
                    pass
                case ast.Expr(value=ast.Call() as call) | ast.Return(value=ast.Call() as call):
                    self._call(statement, call, methods, followed)
                case ast.Return(value=None | ast.Name(id="credentials")):
                    pass
                case ast.Assign(targets=[ast.Subscript() as target], value=value):
                    self._set(statement, target, value)
                case ast.If(test=test, body=[ast.Assign() as only], orelse=[]) if _is_absent(test):
                    self._body([only], methods, followed)
                case ast.Assign(targets=[ast.Name(id="credentials")], value=value) if ast.unparse(
                    value
                ) in ("credentials.copy()", "dict(credentials)"):
                    pass
                case _:
                    self._leave(statement)

    def _call(
        self,
        statement: ast.stmt,
        call: ast.Call,
        methods: Mapping[str, ast.FunctionDef],
        followed: set[str],
    ) -> None:
        """Follow a call of the class's own, and pass over what is handed on to the SDK."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if owner == "super()" and name in ("_invoke", "validate_credentials"):
            return
        if owner in ("self", "cls") and name in methods:
            if name not in followed:
                followed.add(name)
                self._body(methods[name].body, methods, followed)
            return
        self._leave(statement)

    def _set(self, statement: ast.stmt, target: ast.Subscript, value: ast.expr) -> None:
        """Read one assignment to the credentials."""
        variable = self._text(target.slice)
        if ast.unparse(target.value) != "credentials" or variable is None:
            self._leave(statement)
        elif variable == "endpoint_url" and (url := self._fallback(value, variable)) is not None:
            self.base_urls.setdefault(url, f"{self._path}:{statement.lineno}")
        elif variable in TARGETS and (field_name := _credential_read(value)):
            self.sets[field_name] = TARGETS[variable]
        elif variable not in _FOLLOWING or self._text(value) is None:
            self._leave(statement)

    def _fallback(self, value: ast.expr, variable: str) -> str | None:
        """Return the text that a value has if the user enters nothing for the variable."""
        match value:
            case ast.Call(func=ast.Name(id="str" | "URL"), args=[inner]):
                return self._fallback(inner, variable)
            case ast.BoolOp(op=ast.Or(), values=[first, last]) if (
                _credential_read(first) == variable
            ):
                return self._text(last)
            case ast.Call(func=ast.Attribute(attr="get"), args=[_, last]) if (
                _credential_read(value) == variable
            ):
                return self._text(last)
            case _:
                return self._text(value)

    def _text(self, value: ast.expr) -> str | None:
        """Return the text that an expression is, by constants of the module and the class."""
        match value:
            case ast.Constant(value=str() as text):
                return text
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                constant = self._constants.get(name)
                return self._text(constant) if isinstance(constant, ast.Constant) else None
            case ast.Attribute(
                value=ast.Attribute(value=ast.Name(id="LLMMode"), attr=name), attr="value"
            ):
                return name.lower()
            case _:
                return None

    def _leave(self, node: ast.stmt | ast.expr) -> None:
        first = ast.unparse(node).splitlines()[0]
        self.not_carried.append(f"{self._path}:{node.lineno}: {first}")


def _credential_read(value: ast.expr) -> str | None:
    """Return the variable that is read from the credentials."""
    match value:
        case ast.Subscript(
            value=ast.Name(id="credentials"), slice=ast.Constant(value=str() as variable)
        ):
            return variable
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="credentials"), attr="get"),
            args=[ast.Constant(value=str() as variable), *_],
        ):
            return variable
        case _:
            return None


def _is_absent(test: ast.expr) -> bool:
    """Tell whether a test asks if the user entered no URL."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _credential_read(inner) == "endpoint_url"
        case ast.Compare(
            left=ast.Constant(value="endpoint_url"),
            ops=[ast.NotIn()],
            comparators=[ast.Name(id="credentials")],
        ):
            return True
        case _:
            return False
