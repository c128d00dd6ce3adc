"""What is right, and near to what each rule of code finds."""

from code_plugin import (
    ASKS,
    CLASS_LLM,
    COMMON,
    EMBEDDING,
    LAZY,
    LLM,
    MAIN,
    PROVIDER,
    RERANK,
    SHALLOW,
    SOURCES,
    TTS,
    VALIDATES,
    above,
    edited,
    led,
    requiring,
    sources_of,
    twice,
    under,
    written,
)
from code_right_results import RIGHT_RESULTS

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
            **above(LLM, "from models.lists import *\nfrom models.lists import dumps\n"),
            "models/lists.py": "from json import *\n",
        },
        {
            **above(LLM, "from models.lists import dumps\n"),
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
        above(LLM, "import sys\nif sys.version_info > (3, 99):\n    import models.later\n"),
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
    "XI610": [
        above(
            LLM,
            "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from json import J\n\n\ndef f(x: J) -> J:\n    y: J = x\n",
        ),
        above(LLM, "def f(x: 'J') -> 'J':\n    y: J = x\n    return y\n"),
        above(LLM, "class A[T]:\n    B = 1\n    C = B\n    def f(self, x: T) -> T: return x\n"),
        above(LLM, "try:\n    unicode\nexcept NameError:\n    unicode = str\n"),
        above(LLM, "x = [y for y in __file__ if (z := y)]\nprint = __name__\nw = z\n"),
        above(LLM, "from json import *\nx = dumps\n"),
    ],
    "XI611": [
        {**SOURCES, "dify_plugin/__init__.py": "class ModelProvider:\n    pass\n"},
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
        led(
            LLM, "mixin = type\n", edited(LLM, "(_CommonAcme, Large", "(mixin('M', (), {}), Large")
        ),
        written(
            LLM,
            "from dify_plugin import OAICompatLargeLanguageModel\n\n\n"
            "class A(OAICompatLargeLanguageModel):\n    pass\n",
        ),
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
        written(
            TTS,
            "from dify_plugin import OAICompatText2SpeechModel as B\n\n\nclass T(B):\n    pass\n",
        ),
        written(TTS, "from acme_dify.models import AcmeSpeech\n"),
        (
            sources_of(LLM, EMBEDDING, RERANK, "models/tts/own.py"),
            {**SOURCES, "models/tts/own.py": "from models.tts.tts import *\n"},
        ),
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
        led(
            RERANK,
            "from functools import cache as traced\n",
            edited(RERANK, "    def _invoke(\n", "    @traced\n    def _invoke(\n"),
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
        led(
            COMMON, "import functools\n", edited(COMMON, "@property", "@functools.cached_property")
        ),
        edited(
            COMMON,
            "    @property\n    def _invoke_error_mapping",
            "    _invoke_error_mapping = {}\n\n    def _mapping",
        ),
        led(
            COMMON,
            "from functools import cache as shared\n",
            edited(COMMON, "@property", "@shared"),
        ),
    ],
    "XI624": [
        led(
            COMMON,
            "ERRORS = {}\n",
            edited(COMMON, "        return {", "        return ERRORS or {"),
        ),
        led(
            COMMON,
            "KEYS = []\n",
            edited(COMMON, "InvokeAuthorizationError: []", "InvokeAuthorizationError: KEYS"),
        ),
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
    "XI628": [
        under(LLM, "\n\ndef f():\n    global made\n    made = 1\n\n\ndef g():\n    return made\n"),
        under(
            LLM,
            "\n\ndef f(x):\n    match x:\n        case {'a': a, **rest}:\n"
            "            return a, rest\n        case [*b]:\n            return b\n",
        ),
        under(
            LLM, "\n\ndef f(x):\n    def g():\n        return later\n    later = x\n    return g\n"
        ),
        under(
            LLM, "\n\nclass A:\n    def f(self):\n        return __class__, later\n\n\nlater = 1\n"
        ),
        under(
            LLM,
            "\n\ndef f(x):\n    try:\n        y = x()\n    except OSError as error:\n"
            "        return error\n    return lambda z, *a, **k: (z, a, k, y)\n",
        ),
    ],
    "XI629": [under(LLM, "\n\ndef fail(messages):\n    raise ValueError(f'no {messages}')\n")],
    **RIGHT_RESULTS,
}
