"""A breaking example of each rule of code."""

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
    predefined,
    project,
    requiring,
    sources_of,
    twice,
    under,
    written,
)

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
    "XI610": lambda: edited(
        LLM, "stream=True, user=None", "stream: Optional[bool] = True, user=None"
    ),
    "XI611": lambda: written(PROVIDER, "class AcmeProvider:\n    pass\n"),
    "XI612": lambda: written(PROVIDER, SHALLOW),
    "XI613": lambda: edited(PROVIDER, "validate_provider", "validates_provider"),
    "XI614": lambda: edited(LLM, "(_CommonAcme, LargeLanguageModel)", "(LargeLanguageModel)"),
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
    "XI628": lambda: edited(LLM, ASKS, "response = self._ask(credentials, **parameters)\n"),
    "XI629": lambda: under(LLM, "\n\ndef fail():\n    raise ValueError(f'no {messages}')\n"),
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
