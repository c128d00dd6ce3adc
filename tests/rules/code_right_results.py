"""What is right, and near to what the rules of results, streams, the process and names find."""

from code_plugin import (
    ASKS,
    COMMON,
    COUNT,
    EMBEDDING,
    GUARDED,
    INVOKE_TTS,
    LLM,
    MAPPED,
    RERANK,
    SOURCES,
    TOKENS,
    TTS,
    above,
    edited,
    form,
    predefined,
    project,
    requiring,
    under,
)

RIGHT_RESULTS = {
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
    "XI654": [
        edited(
            LLM,
            TOKENS,
            "try:\n            return self._get_num_tokens_by_gpt2('text')\n"
            "        except Exception:\n            return 1",
        ),
        edited(LLM, TOKENS, "return self._count('text')"),
    ],
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
