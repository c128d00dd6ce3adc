"""Each rule of a plugin's Python is broken once; what is right beside it has no findings."""

from pathlib import Path

import pytest
from code_plugin import (
    COMMON,
    EMBEDDING,
    LLM,
    MAIN,
    PROVIDER,
    RERANK,
    SOURCES,
    TTS,
    above,
    edited,
    form,
    project,
    sources_of,
    under,
    written,
)

from xinfer.checks import catalogue, check
from xinfer.spec import (
    ConfigurateMethod,
    Model,
    ModelProperties,
    ModelType,
    ParameterRule,
    ParameterType,
    evolve,
)

ROOT = Path(__file__).parent.parent


def findings(made):
    """Find what is wrong with a plugin of these sources, or of this project and these sources."""
    declared, sources = made if isinstance(made, tuple) else (project(), made)
    files = dict.fromkeys(sources, 1)
    return [one for one in check(declared, files, sources) if one.code.startswith("XI6")]


def codes(made):
    return {finding.code for finding in findings(made)}


def requiring(*lines, **changes):
    return evolve(project(**changes), requirements=lines)


def predefined(*names):
    rules = tuple(ParameterRule(name=name, type=ParameterType.INT) for name in names)
    model = Model(
        model="m",
        model_type=ModelType.LLM,
        model_properties=ModelProperties(mode="chat", context_size=4096),
        parameter_rules=rules,
    )
    methods = (ConfigurateMethod.PREDEFINED_MODEL,)
    return evolve(project(configurate_methods=methods), models=(model,))


SHALLOW = "from dify_plugin import OAICompatProvider\n\n\nclass P(OAICompatProvider):\n    pass\n"
LAZY = "\n\ndef later():\n    import helper\n\n    return helper\n"
CLASS_LLM = "class AcmeLargeLanguageModel(_CommonAcme, LargeLanguageModel):\n"
INVOKE_TTS = "return response.iter_content(8192)"
ASKS = "response = self._ask(credentials, model=model, **model_parameters)\n"
GUARDED = "        try:\n            for line in response.iter_lines():\n"
TOKENS = "return sum(len(said.get_text_content()) for said in prompt_messages) // 4"
COUNT = "return [len(text) // 4 for text in texts]"
MAPPING = "InvokeConnectionError: [requests.ConnectionError]"
VALIDATES = "self._ask(credentials, model=model).raise_for_status()"
UNGUARDED = """\
        with requests.post("https://example.com", stream=True) as response:
            for line in response.iter_lines():
                yield line


    def _unused(self, response):
        try:
            for line in response.iter_lines():
"""

MAPPED = """\
        with mapping_errors():
            for line in response.iter_lines():
                yield line
"""

BREAKS = {
    "XI601": lambda: above(COMMON, "def broken(:\n"),
    "XI602": lambda: {**under(LLM, LAZY), "helper.py": "return 1\n"},
    "XI603": lambda: edited(LLM, "models.common", "models.commons"),
    "XI604": lambda: under(LLM, "\n\ndef later():\n    from models.nothing import x\n"),
    "XI605": lambda: (requiring("dify_plugin>=0.9"), above(LLM, "import numpy\n")),
    "XI606": lambda: above(MAIN, "import requests\n"),
    "XI607": lambda: edited(MAIN, "    plugin.run()", "    pass"),
    "XI608": lambda: under(COMMON, '\nLISTED = requests.get("https://example.com").json()\n'),
    "XI609": lambda: above(LLM, "from dify_plugin.entities.model.message import UserMessage\n"),
    "XI611": lambda: written(PROVIDER, "class AcmeProvider:\n    pass\n"),
    "XI612": lambda: written(PROVIDER, SHALLOW),
    "XI613": lambda: edited(PROVIDER, "validate_provider", "validates_provider"),
    "XI614": lambda: edited(LLM, "(_CommonAcme, LargeLanguageModel)", "(LargeLanguageModel)"),
    "XI615": lambda: edited(TTS, "(_CommonAcme, TTSModel)", "(_CommonAcme)"),
    "XI616": lambda: under(LLM, "\nfrom dify_plugin import OAICompatLargeLanguageModel\n"),
    "XI617": lambda: (sources_of(LLM, "models/llm/other.py"), twice()),
    "XI618": lambda: (sources_of(LLM, EMBEDDING, RERANK), SOURCES),
    "XI619": lambda: edited(
        LLM, CLASS_LLM, f"{CLASS_LLM}    def __init__(self):\n        self.x = 1\n\n"
    ),
    "XI621": lambda: edited(LLM, "        stream=True, user=None,\n", "        stream=True,\n"),
    "XI622": lambda: edited(RERANK, "    def _invoke", "    async def _invoke"),
    "XI623": lambda: edited(COMMON, "    @property\n", ""),
    "XI624": lambda: edited(COMMON, "        return {", "        mapped = {"),
    "XI625": lambda: edited(COMMON, MAPPING, "InvokeConnectionError: [Exception]"),
    "XI626": lambda: edited(COMMON, "raise CredentialsValidateFailedError", "raise ValueError"),
    "XI627": lambda: edited(LLM, ASKS, "response = self.invoke(model, credentials)\n"),
    "XI631": lambda: edited(LLM, TOKENS, "pass"),
    "XI632": lambda: edited(LLM, ASKS, "yield from ()\n"),
    "XI633": lambda: edited(EMBEDDING, "return TextEmbedding", "yield TextEmbedding"),
    "XI634": lambda: edited(LLM, TOKENS, "return len(prompt_messages) / 4"),
    "XI635": lambda: edited(RERANK, "text=docs[index], ", ""),
    "XI636": lambda: edited(
        LLM,
        "message=message)\n                yield",
        "message=AssistantPromptMessage())\n                yield",
    ),
    "XI641": lambda: edited(LLM, GUARDED, UNGUARDED),
    "XI642": lambda: edited(
        LLM,
        "    def get_num",
        "    def try_out(self):\n        self._stream(1, 2, 3)\n\n    def get_num",
    ),
    "XI643": lambda: edited(TTS, INVOKE_TTS, "return response.content"),
    "XI644": lambda: edited(RERANK, "[: top_n or None]", "[:top_n]"),
    "XI651": lambda: edited(LLM, ASKS, f"{ASKS}        print(response)\n"),
    "XI652": lambda: under(
        COMMON, "\n\ndef run(task):\n    import asyncio\n\n    asyncio.run(task)\n"
    ),
    "XI653": lambda: above(LLM, "import torch\n"),
    "XI654": lambda: edited(LLM, TOKENS, 'return self._get_num_tokens_by_gpt2("text")'),
    "XI655": lambda: under(LLM, "\n\ndef name(entity):\n    return entity.label.en_US\n"),
    "XI661": lambda: edited(COMMON, '"server_url"', '"server"'),
    "XI662": lambda: edited(COMMON, 'credentials.get("timeout"', 'credentials.get("time"'),
    "XI663": lambda: (
        project(model_credential_schema=form("server_url", "timeout", "uid")),
        SOURCES,
    ),
    "XI664": lambda: (
        predefined("temperature"),
        edited(LLM, ASKS, f"{ASKS}        model_parameters.get('top_k')\n"),
    ),
}


def twice():
    other = SOURCES[LLM].replace("AcmeLargeLanguageModel", "OtherLanguageModel")
    return {**SOURCES, "models/llm/other.py": other}


RIGHT = {
    "XI601": [
        {**SOURCES, "tests/test_it.py": "def broken(:\n", "script.py": "print('x'\n"},
        above(COMMON, "# -*- coding: utf-8 -*-\nPATTERN = '\\d'\n"),
    ],
    "XI602": [{**under(LLM, LAZY), "helper.py": "x = 1\n"}],
    "XI603": [
        above(LLM, "try:\n    from models.fast import x\nexcept ImportError:\n    x = None\n"),
        above(
            LLM, "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from models.x import y\n"
        ),
        {
            **above(LLM, "from models.lists import *\nfrom models.lists import z\n"),
            "models/lists.py": "from json import *\n",
        },
        {
            **above(LLM, "from models.lists import z\n"),
            "models/lists.py": "def __getattr__(name):\n    return name\n",
        },
        {
            **above(
                LLM,
                "from . import messages\nfrom .messages import text\nimport models.llm.messages\n",
            ),
            "models/llm/messages.py": "text = str\n",
        },
        {
            **above(LLM, "from models.llm import Base\n"),
            "models/llm/__init__.py": "Base = object\n",
        },
        above(LLM, "import sys\nif sys.version_info > (3, 13):\n    import models.later\n"),
    ],
    "XI604": [under(LLM, "\n\ndef later():\n    from models.common import requests\n")],
    "XI605": [
        (requiring("dify_plugin>=0.9", "numpy>=2"), above(LLM, "import numpy.linalg\n")),
        (requiring("dify_plugin>=0.9"), above(LLM, "import httpx\nimport yaml\nimport tiktoken\n")),
        (requiring("dify_plugin>=0.9", "google-genai"), above(LLM, "from google import genai\n")),
        (requiring("dify_plugin>=0.9", "some-sdk"), above(LLM, "import something_else\n")),
        (
            requiring("dify_plugin>=0.9", "Pillow", "python-dateutil"),
            above(LLM, "import dateutil\nfrom PIL import Image\n"),
        ),
        (requiring(), above(LLM, "import numpy\n")),
    ],
    "XI606": [
        above(MAIN, "import os, json\nimport dify_plugin\nimport requests\n"),
        above(MAIN, "from gevent import monkey\nmonkey.patch_all()\nimport requests\n"),
        {
            **above(MAIN, "from start import x\n"),
            "start.py": "import dify_plugin\nimport ssl\nx = 1\n",
        },
    ],
    "XI607": [
        written(
            MAIN, "import dify_plugin\n\ndify_plugin.Plugin(dify_plugin.DifyPluginEnv()).run()\n"
        ),
        {
            **written(MAIN, "from start import start\nstart()\n"),
            "start.py": "import dify_plugin\n\n"
            "def start():\n    dify_plugin.Plugin(dify_plugin.DifyPluginEnv()).run()\n",
        },
    ],
    "XI608": [under(COMMON, "\n\nif __name__ == '__main__':\n    requests.get('https://x.y')\n")],
    "XI609": [
        above(LLM, "from dify_plugin.interfaces.model import ModelProvider, provider\n"),
        above(
            LLM, "from dify_plugin.core import runtime\nfrom dify_plugin import entities, File\n"
        ),
        (requiring("dify_plugin>=0.11"), above(LLM, "from dify_plugin import Newer\n")),
        (requiring("dify_plugin<0.5"), above(LLM, "from dify_plugin.older import Older\n")),
        above(
            LLM, "try:\n    from dify_plugin import Newer\nexcept ImportError:\n    Newer = None\n"
        ),
    ],
    "XI611": [
        written(PROVIDER, "import dify_plugin as d\n\n\nclass P(d.OAICompatProvider):\n    pass\n"),
        {
            **written(PROVIDER, "from provider.base import P\n"),
            "provider/base.py": SOURCES[PROVIDER].replace("AcmeProvider", "P"),
        },
        written(PROVIDER, "from acme_dify import make\n\nProvider = make()\n"),
        written(PROVIDER, "from acme_dify import Base\n\n\nclass P(Base):\n    pass\n"),
    ],
    "XI612": [
        above(
            PROVIDER,
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from dify_plugin import OAICompatProvider\n",
        ),
        under(PROVIDER, "\n\ndef other():\n    from dify_plugin import OAICompatProvider\n"),
        written(PROVIDER, SHALLOW + "\n\ndel OAICompatProvider\n"),
    ],
    "XI613": [
        {
            **written(
                PROVIDER,
                "import dify_plugin\nfrom provider import base\n\n\n"
                "class P(base.Checks, dify_plugin.ModelProvider):\n    pass\n",
            ),
            "provider/base.py": "class Checks:\n    validate_provider_credentials = print\n",
        },
    ],
    "XI614": [
        edited(COMMON, "class _CommonAcme:", "from abc import ABC\n\n\nclass _CommonAcme(ABC):"),
        edited(LLM, "models.common import _CommonAcme", "acme_common import _CommonAcme"),
        edited(LLM, "(_CommonAcme, Large", "(mixin(), Large", "models/llm/nothing.py", ""),
        written(
            LLM,
            "from dify_plugin import OAICompatLargeLanguageModel\n\n\n"
            "class A(OAICompatLargeLanguageModel):\n    pass\n",
        ),
    ],
    "XI615": [
        written(
            TTS,
            "from dify_plugin import OAICompatText2SpeechModel as B\n\n\nclass T(B):\n    pass\n",
        ),
        written(TTS, "from acme_dify.models import AcmeSpeech\n"),
    ],
    "XI616": [
        above(LLM, "from dify_plugin import OAICompatLargeLanguageModel\n"),
        under(LLM, "\n\ndef other():\n    from dify_plugin import OAICompatLargeLanguageModel\n"),
        under(LLM, "\n\nclass Better(AcmeLargeLanguageModel):\n    pass\n"),
        under(LLM, "\nfrom dify_plugin import OAICompatEmbeddingModel, RerankModel\n"),
    ],
    "XI617": [
        (
            sources_of("models/llm/other.py", LLM, EMBEDDING, RERANK, TTS),
            {**twice(), LLM: "from models.llm import other\n" + SOURCES[LLM]},
        ),
    ],
    "XI618": [
        (
            sources_of(LLM, EMBEDDING, RERANK, "models/tts/own.py"),
            {**SOURCES, "models/tts/own.py": "from models.tts.tts import *\n"},
        )
    ],
    "XI619": [
        edited(
            LLM,
            CLASS_LLM,
            f"{CLASS_LLM}    def __init__(self, *args, **kwargs):\n"
            "        super().__init__(*args, **kwargs)\n        self.calls = []\n\n",
        ),
        edited(
            LLM,
            CLASS_LLM,
            f"{CLASS_LLM}    def __init__(self, model_schemas):\n"
            "        LargeLanguageModel.__init__(self, model_schemas)\n\n",
        ),
    ],
    "XI621": [
        edited(
            TTS,
            "self, model, tenant_id, credentials, content_text, voice, user=None",
            "self, *, voice, content_text, credentials, tenant_id, model, user, extra=1",
        ),
        edited(
            TTS,
            "self, model, tenant_id, credentials, content_text, voice, user=None",
            "self, content_text, credentials, voice, **others",
        ),
        edited(
            EMBEDDING,
            "self, model, credentials, texts, user=None, input_type=None",
            "self, model, credentials, texts, *rest",
        ),
        edited(
            RERANK, "    def _invoke(\n", "    @traced\n    def _invoke(\n", COMMON, SOURCES[COMMON]
        ),
        edited(PROVIDER, "self, credentials: dict", "self, credentials, /, tries=3"),
        edited(
            PROVIDER,
            "    def validate_provider_credentials(self, ",
            "    @staticmethod\n    def validate_provider_credentials(",
        ),
    ],
    "XI622": [
        edited(
            RERANK,
            "    def _invoke",
            "    async def _other(self):\n        pass\n\n    def _invoke",
        )
    ],
    "XI623": [
        edited(COMMON, "@property", "@functools.cached_property"),
        edited(
            COMMON,
            "    @property\n    def _invoke_error_mapping",
            "    _invoke_error_mapping = {}\n\n    def _mapping",
        ),
        edited(COMMON, "@property", "@shared"),
    ],
    "XI624": [
        edited(COMMON, "        return {", "        return ERRORS or {"),
        edited(COMMON, "InvokeAuthorizationError: []", "InvokeAuthorizationError: KEYS"),
    ],
    "XI625": [edited(COMMON, "[ValueError]", "[ValueError, Exception]")],
    "XI626": [
        edited(COMMON, VALIDATES, "raise ValueError('no key')"),
        edited(COMMON, "raise CredentialsValidateFailedError(str(error)) from error", "raise"),
        edited(
            COMMON,
            "raise CredentialsValidateFailedError(str(error)) from error",
            "raise wrong(error)",
        ),
    ],
    "XI627": [
        edited(COMMON, VALIDATES, "list(self.invoke(model, credentials, []))"),
        edited(LLM, ASKS, "response = OTHER.invoke(model, credentials)\n"),
    ],
    "XI631": [
        edited(LLM, TOKENS, "raise NotImplementedError"),
        edited(LLM, TOKENS, "while True:\n            if model:\n                return 1"),
        edited(
            LLM, TOKENS, "try:\n            return 1\n        except ValueError:\n            raise"
        ),
        edited(
            LLM, TOKENS, "if tools:\n            return 1\n        elif stop:\n            return 2"
        ),
    ],
    "XI632": [
        edited(LLM, GUARDED, "        if not response:\n            return\n" + GUARDED),
        under(LLM, "\n\ndef counted(pieces):\n    yield from pieces\n    return len(pieces)\n"),
    ],
    "XI633": [
        edited(
            EMBEDDING,
            "    def get_num",
            "    def _batches(self, texts):\n        yield texts\n\n    def get_num",
        ),
    ],
    "XI634": [
        edited(LLM, TOKENS, "return int(len(prompt_messages) / 4)"),
        edited(LLM, TOKENS, "return len(prompt_messages) // 4 + round(1.5)"),
        edited(
            LLM,
            TOKENS,
            "count = 0\n        for said in prompt_messages:\n"
            "            count += self.count(said)\n        return count",
        ),
        edited(EMBEDDING, COUNT, "return [0] * len(texts)"),
        edited(
            EMBEDDING,
            COUNT,
            "counts = []\n        for text in texts:\n"
            "            counts.append(len(text))\n        return counts",
        ),
        edited(EMBEDDING, COUNT, "return list(map(len, texts))"),
    ],
    "XI635": [
        edited(RERANK, "text=docs[index], ", '**{"text": docs[index]}, '),
        edited(
            RERANK,
            "from dify_plugin.entities.model.rerank import RerankDocument, RerankResult\n",
            "from dify_plugin.entities.model.rerank import RerankResult\n"
            "from models.documents import RerankDocument\n",
            "models/documents.py",
            "class RerankDocument:\n    pass\n",
        ),
    ],
    "XI636": [
        edited(
            LLM,
            "AssistantPromptMessage(content=response.text)",
            "AssistantPromptMessage(tool_calls=[])\n        message.content = ''",
        ),
        edited(
            LLM,
            "AssistantPromptMessage(content=response.text)",
            "AssistantPromptMessage(**response.json())",
        ),
    ],
    "XI641": [
        edited(
            LLM,
            "return self._stream(model, credentials, response)",
            "return mapped(self._stream(model, credentials, response))",
        ),
        edited(LLM, GUARDED, MAPPED + GUARDED),
    ],
    "XI642": [
        edited(
            LLM,
            "    def get_num",
            "    def try_out(self):\n        next(self._stream(1, 2, 3))\n"
            "        for piece in self._stream(1, 2, 3):\n            break\n\n    def get_num",
        ),
        edited(RERANK, "ranked = [", "self.invoke('m', {}, 'q', [])\n        ranked = ["),
    ],
    "XI643": [
        edited(TTS, INVOKE_TTS, "yield response.content"),
        edited(TTS, INVOKE_TTS, "return iter([response.content])"),
    ],
    "XI644": [
        edited(RERANK, "[: top_n or None]", "[:top_n] if top_n else ranked"),
        edited(RERANK, "ranked = [", "top_n = top_n or len(docs)\n        ranked = ["),
        edited(RERANK, "[: top_n or None]", "[: max(top_n, 1)]"),
        edited(RERANK, "docs=docs)", "docs=docs, **({'top_n': top_n} if top_n else {}))"),
    ],
    "XI651": [
        under(COMMON, "\n\nif __name__ == '__main__':\n    print('tried')\n"),
        above(COMMON, "import sys\nprint('started', file=sys.stderr)\n"),
        above(COMMON, "import logging\nlogging.basicConfig()\nlogging.StreamHandler()\n"),
        above(
            COMMON,
            "from rich.console import Console\nprint = Console(stderr=True).print\nprint('x')\n",
        ),
        {**SOURCES, "tools/show.py": "print('by hand')\n"},
    ],
    "XI652": [
        {**SOURCES, "tests/test_it.py": "import asyncio\nasyncio.run(None)\n"},
        under(
            COMMON, "\n\nif __name__ == '__main__':\n    import asyncio\n    asyncio.run(None)\n"
        ),
    ],
    "XI653": [
        above(LLM, "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n")
    ],
    "XI654": [edited(LLM, TOKENS, "return self._count('text')")],
    "XI655": [
        under(LLM, "\n\ndef name(entity):\n    return entity.label.en_us\n"),
        under(LLM, "\nfrom dify_plugin.entities import I18nObject\nNAME = I18nObject(en_US='x')\n"),
        (
            requiring("dify_plugin>=0.7,<0.9"),
            under(LLM, "\n\ndef n(e):\n    return e.label.en_US\n"),
        ),
        (requiring("dify_plugin==0.5.1"), under(LLM, "\n\ndef n(e):\n    return e.label.en_US\n")),
        (
            requiring("dify_plugin>=0.5"),
            {
                **under(LLM, "\n\ndef n(e):\n    return e.label.en_US\n"),
                "uv.lock": '[[package]]\nname = "dify-plugin"\nversion = "0.7.4"\n',
            },
        ),
        under(LLM, "\n\nclass Text:\n    en_US: str\n\n\ndef n(e):\n    return e.label.en_US\n"),
    ],
    "XI661": [
        edited(
            COMMON,
            'credentials["server_url"]',
            'credentials["server_url"] + (credentials["old"] if "old" in credentials else "")',
        ),
        edited(
            COMMON,
            "        url = ",
            '        credentials["path"] = "/v1"\n'
            '        credentials["path"].strip()\n        url = ',
        ),
        edited(
            COMMON,
            "        url = ",
            "        credentials = load()\n        credentials['x']\n        url = ",
        ),
        under(COMMON, "\n\ndef load():\n    return google.credentials['token']\n"),
    ],
    "XI662": [
        edited(
            COMMON,
            "        url = ",
            "        name = 'x'\n        credentials.get(name)\n        url = ",
        )
    ],
    "XI663": [
        (
            project(model_credential_schema=form("server_url", "timeout", "uid")),
            edited(COMMON, "        url = ", "        Client(**credentials)\n        url = "),
        ),
        (
            project(model_credential_schema=form("server_url", "timeout", "uid")),
            under(COMMON, "\n\nclass Settings:\n    uid: str\n"),
        ),
    ],
    "XI664": [
        (
            predefined("temperature"),
            edited(LLM, ASKS, f"{ASKS}        model_parameters.get('temperature')\n"),
        ),
        (
            predefined("temperature"),
            edited(
                LLM,
                ASKS,
                f"model_parameters['n'] = 1\n        model_parameters['n']\n        {ASKS}",
            ),
        ),
        edited(LLM, ASKS, f"{ASKS}        model_parameters.get('top_k')\n"),
    ],
}


def test_the_plugin_that_is_made_wrong_here_is_right():
    assert findings(SOURCES) == []


def test_every_rule_of_code_is_broken_here_and_has_something_right_beside_it():
    declared = [rule.code for rule in catalogue() if rule.code.startswith("XI6")]
    assert declared == sorted(BREAKS) == sorted(RIGHT)


@pytest.mark.parametrize("code", sorted(BREAKS))
def test_a_broken_rule_is_found_where_it_is_broken(code):
    found = [finding for finding in findings(BREAKS[code]()) if finding.code == code]
    assert found, codes(BREAKS[code]())
    for finding in found:
        assert finding.message
        assert "\n" not in finding.message
        assert finding.place.line > 0


@pytest.mark.parametrize(
    ("code", "index"), [(code, index) for code in RIGHT for index in range(len(RIGHT[code]))]
)
def test_what_is_right_is_not_found(code, index):
    assert code not in codes(RIGHT[code][index])
