"""Which package on the index brings which module, as far as that is widely known."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from xinfer.rules.rule import Subject

_WITH_SDK = """
    annotated_types anyio blinker certifi charset_normalizer click dify_plugin flask gevent greenlet
    h11 httpcore httpx idna itsdangerous jinja2 markupsafe multidict packaging propcache pydantic
    pydantic_core pydantic_settings python_dotenv pyyaml regex requests socksio tiktoken
    typing_extensions typing_inspection urllib3 werkzeug yarl zope_event zope_interface
"""
_OF_SDK = frozenset(_WITH_SDK.split())
"""What comes with Dify's SDK, which its users may rely on."""

KNOWN: Mapping[str, frozenset[str]] = {
    root: frozenset(names.split())
    for root, names in {
        "anthropic": "anthropic",
        "attr": "attrs",
        "attrs": "attrs",
        "bs4": "beautifulsoup4 bs4",
        "boto3": "boto3",
        "botocore": "botocore boto3",
        "cohere": "cohere",
        "Crypto": "pycryptodome pycrypto",
        "cv2": "opencv_python opencv_python_headless opencv_contrib_python",
        "dashscope": "dashscope",
        "dateutil": "python_dateutil",
        "dify_plugin": "dify_plugin",
        "dotenv": "python_dotenv",
        "flask": "flask",
        "gevent": "gevent",
        "groq": "groq",
        "grpc": "grpcio",
        "httpx": "httpx",
        "huggingface_hub": "huggingface_hub",
        "jwt": "pyjwt",
        "langchain": "langchain",
        "litellm": "litellm",
        "mistralai": "mistralai",
        "numpy": "numpy",
        "ollama": "ollama",
        "openai": "openai",
        "pandas": "pandas",
        "PIL": "pillow",
        "pydantic": "pydantic",
        "pydub": "pydub",
        "replicate": "replicate",
        "requests": "requests",
        "scipy": "scipy",
        "sklearn": "scikit_learn",
        "tenacity": "tenacity",
        "tiktoken": "tiktoken",
        "tokenizers": "tokenizers",
        "torch": "torch",
        "tqdm": "tqdm",
        "transformers": "transformers",
        "urllib3": "urllib3",
        "voyageai": "voyageai",
        "websocket": "websocket_client",
        "websockets": "websockets",
        "yaml": "pyyaml",
        "yarl": "yarl",
        "zhipuai": "zhipuai",
    }.items()
}
"""The packages that bring a module, by the first part of its name."""

_UNDERSTOOD = _OF_SDK | {name for names in KNOWN.values() for name in names}
_LOCKED = re.compile(r'^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)"', re.MULTILINE)
_LOCK = "uv.lock"


@frozen
class Given:
    """What is in the plugin's environment, by normal names.

    :param closed: all of it is known to bring nothing but the modules of :data:`KNOWN`.
    """

    names: frozenset[str]
    closed: bool


def provided(subject: Subject) -> Given | None:
    """Read what the plugin's environment will hold; ``None`` where it is not said."""
    wanted = [_named(line) for line in subject.project.requirements]
    if not wanted:
        return None
    names = {name for name in wanted if name}
    locked = {normal(name) for name in _locked(subject)}
    closed = None not in wanted and names <= _UNDERSTOOD and locked <= _UNDERSTOOD | names
    return Given(frozenset(names | locked | (_OF_SDK if "dify_plugin" in names else set())), closed)


def provides(distribution: str, module: str) -> bool:
    """Say whether a package may bring a module, by what both are called."""
    root = module.partition(".")[0]
    if distribution in KNOWN.get(root, ()):
        return True
    short, own = normal(root).replace("_", ""), distribution.replace("_", "")
    return short == own or own.startswith(short) or own.removeprefix("python").startswith(short)


def sdk_version(subject: Subject) -> tuple[Version | None, Version | None]:
    """Say which versions of Dify's SDK are allowed: the least, and the first that is not.

    A lock allows one only.
    """
    for name, version in _locked(subject).items():
        if normal(name) == "dify_plugin" and (exact := _version(version)):
            return exact, exact
    for line in subject.project.requirements:
        if _named(line) == "dify_plugin":
            bounds = Requirement(line).specifier
            low = [_version(b.version) for b in bounds if b.operator in (">=", ">", "==", "~=")]
            high = [_version(b.version) for b in bounds if b.operator in ("<", "<=", "==", "~=")]
            return next(iter(low), None), next(iter(high), None)
    return None, None


def normal(name: str) -> str:
    """Write a package's name in the one way in which names are compared."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _named(line: str) -> str | None:
    try:
        return normal(Requirement(line).name)
    except InvalidRequirement:
        return None


def _locked(subject: Subject) -> Mapping[str, str]:
    return dict(_LOCKED.findall((subject.sources or {}).get(_LOCK, "")))


def _version(text: str) -> Version | None:
    try:
        return Version(text.removesuffix(".*"))
    except InvalidVersion:
        return None
