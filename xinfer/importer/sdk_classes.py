"""What classes set that only fill in the SDK's OpenAI-compatible ones.

The modules are read as syntax trees. A line that sets a constant, or hands a call on to the SDK, is
read; any other line is named, so that its author can declare what it did.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from attrs import define, field

from xinfer.importer.switches import Unclear, about_parameters, sendings, values_of
from xinfer.spec import EndUser, Model, ModelType, targets
from xinfer.spec.runtime import Sending
from xinfer.spec.targets import Target

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

TARGETS = {
    "endpoint_url": targets.base_url,
    "api_key": targets.api_key,
    "endpoint_model_name": targets.model,
}
"""The variables of credentials that the SDK's classes read, and what a field of it sets."""


class NotDeclarable(Exception):
    """The plugin's Python is more than the SDK's classes; ``str`` says where."""


@define
class ClassReader:
    """Collects what modules set, and the lines that do something else."""

    declared: tuple[Model, ...]
    base_urls: dict[str, str] = field(factory=dict)
    validated_by: list[str] = field(factory=list)
    sets: dict[str, Target] = field(factory=dict)
    urls_by_value: dict[str, tuple[dict[str, str], str]] = field(factory=dict)
    """By variable: the URL of some of its values, and that of all others."""
    sends: tuple[Sending, ...] = ()
    user: EndUser | None = None
    model_types: list[ModelType] = field(factory=list)
    not_carried: list[str] = field(factory=list)
    _aliases: set[str] = field(factory=lambda: {"credentials"})
    """What the credentials are called."""
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
                statements = methods[name].body
                if _TYPES[served[0]] is ModelType.LLM and name == "_invoke":
                    statements = self._without_switches(statements)
                self._body(statements, methods, followed)
        for name, method in methods.items():
            if name not in followed and name not in ("_invoke", "validate_credentials"):
                self._unless_handed_on(method)

    def _without_switches(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Read what happens to parameters; return the statements about all else."""
        about = about_parameters(statements)
        values = values_of(self.declared)
        names = [model.model for model in self.declared if model.model_type is ModelType.LLM]
        try:
            self.sends += tuple(s for s in sendings(about, values, names) if s not in self.sends)
        except (Unclear, KeyError, TypeError, RecursionError):
            return statements
        return [statement for statement in statements if statement not in about]

    def _unless_handed_on(self, method: ast.FunctionDef) -> None:
        """Leave a method, unless it does no more than what it overrides."""
        calls = [each for each in ast.walk(method) if isinstance(each, ast.Call)]
        calls = [each for each in calls if ast.unparse(each) != "super()"]
        kinds = (ast.Return, ast.Assign, ast.Expr)
        if (
            len(calls) != 1
            or not all(isinstance(each, kinds) for each in method.body)
            or not ast.unparse(calls[0].func).startswith(f"super().{method.name}")
        ):
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
                case ast.Return(value=None):
                    pass
                case ast.Return(value=ast.Name(id=name)) if name in self._aliases:
                    pass
                case ast.Assign(targets=[ast.Subscript() as target], value=value):
                    self._set(statement, target, value)
                case ast.If(test=test, body=[ast.Assign() as only], orelse=[]) if _is_absent(test):
                    self._body([only], methods, followed)
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._is_copy(value):
                    self._aliases.add(name)
                case ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Attribute(attr=called)) as call,
                ) if called in methods and self._is_own(call):
                    self._aliases.add(name)
                    self._call(statement, call, methods, followed)
                case ast.Assign(
                    targets=[ast.Name(id="user")],
                    value=ast.IfExp(
                        body=ast.Subscript(
                            slice=ast.Slice(lower=None, upper=ast.Constant(value=int() as most))
                        )
                    ),
                ):
                    self.user = EndUser(max_length=most)
                case ast.If() if self._decides_the_url(statement) or self._renames(statement):
                    pass
                case ast.If() if _only_follows(statement):
                    pass
                case ast.Assign(targets=[ast.Name()], value=ast.Call(func=called_)) if (
                    ast.unparse(called_) == "self.get_model_schema"
                ):
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

    def _is_copy(self, value: ast.expr) -> bool:
        written = ast.unparse(value)
        ways = ("{}", "{}.copy()", "dict({})", "copy.copy({})", "copy.deepcopy({})", "{{**{}}}")
        return any(written == way.format(name) for way in ways for name in self._aliases)

    def _is_own(self, call: ast.Call) -> bool:
        return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in (
            "self",
            "cls",
        )

    def _renames(self, statement: ast.If) -> bool:
        """Read which field holds the key, where the SDK's own variable is absent."""
        match statement:
            case ast.If(body=[ast.Assign(targets=[ast.Subscript() as target], value=value)]):
                variable, field_name = self._text(target.slice), _credential_read(value)
                if variable in ("api_key", "endpoint_model_name") and field_name:
                    self.sets[field_name] = TARGETS[variable]
                    return not statement.orelse
        return False

    def _decides_the_url(self, statement: ast.If) -> bool:
        """Read a choice between two URLs by the value of a field."""
        match statement:
            case ast.If(
                test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]),
                body=[ast.Assign(targets=[ast.Subscript() as here], value=url)],
                orelse=[ast.Assign(targets=[ast.Subscript() as there], value=otherwise)],
            ):
                variable, value = _credential_read(left), self._text(right)
                urls = self._text(url), self._text(otherwise)
                set_ = {self._text(here.slice), self._text(there.slice)}
                if variable and value and urls[0] and urls[1] and set_ == {"endpoint_url"}:
                    self.urls_by_value[variable] = ({value: urls[0]}, urls[1])
                    self.sets[variable] = targets.base_url
                    return True
        return False

    def _set(self, statement: ast.stmt, target: ast.Subscript, value: ast.expr) -> None:
        """Read one assignment to the credentials."""
        variable = self._text(target.slice)
        if ast.unparse(target.value) not in self._aliases or variable is None:
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


def _only_follows(statement: ast.If) -> bool:
    """Return whether a condition decides only what the features of a declared model stand for."""
    for each in (*statement.body, *statement.orelse):
        match each:
            case ast.If() if _only_follows(each):
                pass
            case ast.Assign(
                targets=[
                    ast.Subscript(
                        value=ast.Name(id="credentials"),
                        slice=ast.Constant(value=str() as variable),
                    )
                ],
                value=ast.Constant(),
            ) if variable in _FOLLOWING - {"mode"}:
                pass
            case _:
                return False
    return True


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
    """Return whether a test asks if the user entered no URL."""
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
