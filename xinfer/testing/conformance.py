"""What Dify expects of every provider, as tests that an author inherits.

.. code-block:: python

    from provider_spec import project
    from xinfer.testing import Conformance


    class TestAcme(Conformance):
        project = project

The plugin runs as Dify runs it; a fake server plays its service. A provider whose server is not
set by a credentials field says how to reach it, by a :meth:`Conformance.credentials` of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import attrs
import hypothesis
import pytest
from hypothesis import strategies as st

from xinfer.build.preparation import plugin, prepare, write
from xinfer.daemon.invocation import CALLS, Invocation
from xinfer.daemon.session import CallError
from xinfer.plugin.archive import package_files
from xinfer.rules import Severity, check
from xinfer.spec import FormError, ModelType, Project, api_key
from xinfer.spec.credentials import fields
from xinfer.spec.form import MODEL_TYPE
from xinfer.spec.project import complete
from xinfer.testing.provider import ProviderUnderTest, credentials_for
from xinfer.testing.pytest_plugin import KEY
from xinfer.testing.server import faults
from xinfer.testing.server.answer import refusal
from xinfer.testing.server.faults import Fault
from xinfer.testing.strategies import Broken, broken_credentials, raw_credentials
from xinfer.yaml import to_data

_UNREACHABLE = "http://127.0.0.1:9"
"""Nothing listens there (RFC 863 reserves the port)."""

_ERRORS: Mapping[str, tuple[Fault, tuple[str, ...]]] = {
    "401": (
        refusal(401, "Invalid key"),
        ("InvokeAuthorizationError", "CredentialsValidateFailedError"),
    ),
    "429": (refusal(429, "Too many requests"), ("InvokeRateLimitError",)),
    "400": (refusal(400, "Bad parameter"), ("InvokeBadRequestError",)),
    "500": (faults.CRASHED, ("InvokeServerUnavailableError",)),
    "503": (refusal(503, "Model is loading"), ("InvokeServerUnavailableError",)),
    "closed": (faults.Closed(), ("InvokeConnectionError",)),
}
"""What the server does to a call, and the class of Dify's error that follows."""

_REPEATED = ("429", "503", "closed")
"""Faults after which a call is repeated, which takes seconds."""


class Conformance:
    """Tests that hold for every provider; inherit, and name the project.

    :cvar project: what the ``provider_spec.py`` declares.
    :cvar model_types: the types to try; by default all that are declared and can be called.
    :cvar strategies: what users may enter in fields whose converter takes no usual text, by
        variable; see :func:`~xinfer.testing.raw_credentials`.
    """

    project: ClassVar[Project]
    model_types: ClassVar[tuple[ModelType, ...] | None] = None
    strategies: ClassVar[Mapping[str, st.SearchStrategy[str]]] = {}

    def credentials(self, server: str, model_type: ModelType) -> dict[str, str]:
        """Return what a user would enter for a model on a server at this URL; may be overridden."""
        return credentials_for(self.project, server, model_type, key=KEY)

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        """Run a test of ``model_type`` for each type that the provider declares."""
        if "model_type" in metafunc.fixturenames:
            types = cls._model_types()
            metafunc.parametrize("model_type", types, ids=[kind.value for kind in types])

    @classmethod
    def _model_types(cls) -> tuple[ModelType, ...]:
        if cls.model_types is not None:
            return cls.model_types
        return tuple(kind for kind in cls.project.model_types if kind in CALLS)

    def invocation(
        self, provider: ProviderUnderTest, model_type: ModelType, **options: Any
    ) -> Invocation:
        """Make a call of a model, with credentials for the fake server."""
        credentials = self.credentials(provider.server.url, model_type)
        return provider.invocation(model_type, **{"credentials": credentials, **options})

    def test_the_check_finds_nothing_that_breaks(self) -> None:
        """``xinfer check`` finds no error."""
        findings = check(plugin(_spec_of(self.project)))
        assert not [f for f in findings if f.severity is not Severity.ADVICE]

    def test_the_plugin_loads_in_the_sdk(self, provider: ProviderUnderTest) -> None:
        """The started plugin tells its own name."""
        assert provider.plugin.manifest["name"] == self.project.manifest.name

    def test_the_package_holds_the_plugin(self, tmp_path: Path) -> None:
        """The plugin packs, and the package reads back."""
        built = write(prepare(_spec_of(self.project)), tmp_path)
        assert {"manifest.yaml", "main.py"} <= set(package_files(built.package))

    def test_credentials_are_accepted(
        self, provider: ProviderUnderTest, model_type: ModelType
    ) -> None:
        """Validation accepts credentials that work."""
        self.invocation(provider, model_type).validated(provider.plugin)

    def test_wrong_credentials_are_refused(self, provider: ProviderUnderTest) -> None:
        """Validation refuses a server that cannot be reached, in words that tell so."""
        model_type = self._model_types()[0]
        credentials = self.credentials(_UNREACHABLE, model_type)
        if credentials == self.credentials(provider.server.url, model_type):
            return  # users do not enter the server
        call = self.invocation(provider, model_type, credentials=credentials)
        error = _error_of(call, provider, validate_only=True)
        assert error.kind == "CredentialsValidateFailedError"
        assert error.message

    def test_the_schema_is_complete(
        self, provider: ProviderUnderTest, model_type: ModelType
    ) -> None:
        """A customizable model is described to Dify with its type and properties."""
        call = self.invocation(provider, model_type)
        if not call.customizable:
            return  # Dify reads the YAML, which the check has read
        schema = call.validated(provider.plugin).schema(provider.plugin)
        assert schema is not None
        assert schema["model_type"] == model_type.value
        (declared,) = [m for m in self.project.customizable_models if m.model_type is model_type]
        assert set(schema["model_properties"]) <= set(declared.properties)

    def test_a_model_answers(self, provider: ProviderUnderTest, model_type: ModelType) -> None:
        """A model of each type answers in the form that Dify reads."""
        call = self.invocation(provider, model_type)
        pieces = list(call.run(provider.plugin))
        _ANSWERS[model_type](call, pieces)

    def test_streamed_and_whole_answers_agree(self, provider: ProviderUnderTest) -> None:
        """A language model says the same, streamed or not, to as many tokens."""
        if ModelType.LLM not in self._model_types():
            return
        call = self.invocation(provider, ModelType.LLM).validated(provider.plugin)
        streamed = list(call.call(provider.plugin))
        whole = list(attrs.evolve(call, stream=False).call(provider.plugin))
        assert _text(streamed) == _text(whole)

        assert _usage(streamed)["prompt_tokens"] == _usage(whole)["prompt_tokens"]

    @pytest.mark.parametrize("fault", [name for name in _ERRORS if name not in _REPEATED])
    def test_an_error_has_its_class_and_its_cause(
        self, provider: ProviderUnderTest, model_type: ModelType, fault: str
    ) -> None:
        """A failing server raises the error that Dify acts on, with the server's words."""
        self._expect_error(provider, model_type, fault)

    @pytest.mark.parametrize("fault", _REPEATED)
    def test_an_error_that_may_pass_has_its_class(
        self, provider: ProviderUnderTest, fault: str
    ) -> None:
        """So does a server that stays busy or silent, once calls are no longer repeated."""
        for model_type in self._model_types()[:1]:
            self._expect_error(provider, model_type, fault)

    def _expect_error(self, provider: ProviderUnderTest, model_type: ModelType, fault: str) -> None:
        call = self.invocation(provider, model_type).validated(provider.plugin)
        answer, kinds = _ERRORS[fault]
        error = _failing(call, provider, answer)
        assert error.kind in kinds
        assert error.description or error.message

    def test_a_stream_can_be_left(self, provider: ProviderUnderTest) -> None:
        """A caller that stops in the middle of an answer harms no other call."""
        if ModelType.LLM not in self._model_types():
            return
        call = self.invocation(provider, ModelType.LLM).validated(provider.plugin)
        answer = call.call(provider.plugin)
        next(answer)
        del answer
        assert _text(list(call.call(provider.plugin)))

    def test_secrets_are_shown_nowhere(
        self, provider: ProviderUnderTest, model_type: ModelType
    ) -> None:
        """No error, log line or answer holds the key."""
        if not any(api_key in field.sets for field in fields(self.project.credentials)):
            return
        call = self.invocation(provider, model_type).validated(provider.plugin)
        texts = [json.dumps(piece) for piece in call.call(provider.plugin)]
        for fault in ("401", "400", "500"):
            error = _failing(call, provider, _ERRORS[fault][0])
            texts += [error.message, error.description]
        assert not [line for line in (*texts, *provider.log) if KEY in line]

    def test_every_valid_form_is_read(self) -> None:
        """What a user may enter is read, and written again reads the same."""
        credentials = self.project.credentials
        if credentials is None:
            return

        @_EXAMPLES
        @hypothesis.given(raw=raw_credentials(credentials, **self.strategies))
        def holds(raw: dict[str, str]) -> None:
            read = credentials.from_form(raw)
            assert credentials.from_form(read.to_form()) == read

        holds()

    if find_spec("graphon"):

        def test_dify_hands_on_every_valid_form(self, model_type: ModelType) -> None:
            """Dify's own validators accept what a user may enter; what they hand on reads the same.

            Runs where graphon, which holds them, is installed.
            """
            credentials = self.project.credentials
            if credentials is None:
                return

            # Dify's dialog asks these itself.
            by_dify = {f.form.variable for f in fields(credentials) if f.asked_by_dify}

            @_EXAMPLES
            @hypothesis.given(raw=raw_credentials(credentials, **self.strategies))
            def holds(raw: dict[str, str]) -> None:
                sent = {name: value for name, value in raw.items() if name not in by_dify}
                sent[MODEL_TYPE] = model_type.value
                received = _through_dify(self.project, sent)
                assert credentials.from_form(received) == credentials.from_form(sent)

            holds()

    def test_a_wrong_field_is_named(self) -> None:
        """An error about credentials names the field that is wrong."""
        credentials = self.project.credentials
        if credentials is None:
            return

        @_EXAMPLES
        @hypothesis.given(broken=broken_credentials(credentials, **self.strategies))
        def holds(broken: Broken) -> None:
            with pytest.raises(FormError) as caught:
                credentials.from_form(broken.raw)
            assert broken.variable in [problem.variable for problem in caught.value.problems]

        holds()


_EXAMPLES = hypothesis.settings(max_examples=30, deadline=None, derandomize=True, database=None)


_MANY = 20
"""Answers to replace by a fault: a call may be repeated, or ask for the model first."""


def _spec_of(project: Project) -> Path:
    assert project.span is not None, "the project has no place in a file"
    return Path(project.span.file)


def _error_of(
    call: Invocation, provider: ProviderUnderTest, *, validate_only: bool = False
) -> CallError:
    with pytest.raises(CallError) as caught:
        _ = call.validated(provider.plugin) if validate_only else list(call.call(provider.plugin))
    return caught.value


def _failing(call: Invocation, provider: ProviderUnderTest, fault: Fault) -> CallError:
    """Return the error of a call while the server has a fault."""
    provider.server.next_answer(fault, times=_MANY)
    try:
        return _error_of(call, provider)
    finally:
        provider.server.forget_faults()


def _through_dify(project: Project, raw: Mapping[str, str]) -> dict[str, Any]:
    """Return what Dify's API hands to the plugin of a form, by graphon's validator."""
    from graphon.model_runtime.entities.provider_entities import CredentialFormSchema
    from graphon.model_runtime.schema_validators.common_validator import CommonValidator

    provider = complete(project).provider
    form = provider.model_credential_schema or provider.provider_credential_schema
    schemas = [
        CredentialFormSchema.model_validate(to_data(entry))
        for entry in (form.credential_form_schemas if form else ())
    ]
    validator = CommonValidator()
    received: dict[str, Any] = validator._validate_and_filter_credential_form_schemas(  # noqa: SLF001
        schemas, dict(raw)
    )
    return received


type _Pieces = list[dict[str, Any]]


def _text(pieces: _Pieces) -> str:
    return "".join(piece["delta"]["message"]["content"] for piece in pieces)


def _usage(pieces: _Pieces) -> dict[str, Any]:
    usages = [piece["delta"]["usage"] for piece in pieces if piece["delta"]["usage"]]
    assert usages, "the answer says nothing of tokens"
    usage: dict[str, Any] = usages[-1]
    return usage


def _chat(call: Invocation, pieces: _Pieces) -> None:
    assert _text(pieces)
    assert _usage(pieces)["completion_tokens"] > 0
    assert pieces[-1]["delta"]["finish_reason"]


def _vectors(call: Invocation, pieces: _Pieces) -> None:
    vectors = [vector for piece in pieces for vector in piece["embeddings"]]
    assert len(vectors) == len(call.inputs)
    assert len({len(vector) for vector in vectors}) == 1


def _ranking(call: Invocation, pieces: _Pieces) -> None:
    documents = [document for piece in pieces for document in piece["docs"]]
    assert {document["text"] for document in documents} <= set(call.inputs[1:])
    scores = [document["score"] for document in documents]
    assert scores == sorted(scores, reverse=True)


def _transcript(call: Invocation, pieces: _Pieces) -> None:
    assert all(isinstance(piece["result"], str) for piece in pieces)
    assert pieces


def _audio(call: Invocation, pieces: _Pieces) -> None:
    assert bytes.fromhex("".join(piece["result"] for piece in pieces))


def _verdict(call: Invocation, pieces: _Pieces) -> None:
    assert all(isinstance(piece["result"], bool) for piece in pieces)
    assert pieces


_ANSWERS: Mapping[ModelType, Callable[[Invocation, _Pieces], None]] = {
    ModelType.LLM: _chat,
    ModelType.TEXT_EMBEDDING: _vectors,
    ModelType.RERANK: _ranking,
    ModelType.SPEECH2TEXT: _transcript,
    ModelType.TTS: _audio,
    ModelType.MODERATION: _verdict,
}
"""What each type's answer must hold."""
