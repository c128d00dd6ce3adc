"""Which package on the index brings which module, as far as that is widely known."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from attrs import frozen
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from xinfer.plugin.plugin import Plugin

GONE = {"asynchat", "asyncore", "distutils", "imp", "smtpd"}
"""Modules of Python that its version 3.12 no longer has."""
_NO_LONGER = """
    aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes
    sndhdr spwd sunau telnetlib uu xdrlib
"""
"""Modules that 3.12 has, and the Python that runs this may not."""
STANDARD_LIBRARY = (sys.stdlib_module_names | set(_NO_LONGER.split())) - GONE

_WITH_SDK = """
    annotated_types anyio blinker certifi charset_normalizer click dify_plugin flask gevent greenlet
    h11 httpcore httpx idna itsdangerous jinja2 markupsafe multidict packaging propcache pydantic
    pydantic_core pydantic_settings python_dotenv pyyaml regex requests socksio tiktoken
    typing_extensions typing_inspection urllib3 werkzeug yarl zope_event zope_interface
"""
_OF_SDK = frozenset(_WITH_SDK.split())
"""What comes with Dify's SDK, which its users may rely on."""

DISTRIBUTIONS: Mapping[str, frozenset[str]] = {
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

_UNDERSTOOD = _OF_SDK | {name for names in DISTRIBUTIONS.values() for name in names}
_LOCKED = re.compile(r'^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)"', re.MULTILINE)
_LOCK, _PYPROJECT, _REQUIREMENTS = "uv.lock", "pyproject.toml", "requirements.txt"


@frozen
class Environment:
    """What is installed for the plugin.

    :param names: the packages, by normal names.
    :param is_closed: all of them bring no modules but those of :data:`DISTRIBUTIONS`.
    :param is_locked: uv.lock says which ones there are.
    """

    names: frozenset[str]
    is_closed: bool
    is_locked: bool

    def may_provide(self, module: str) -> bool:
        """Return whether one of the packages may bring a module."""
        return any(_provides(name, module) for name in self.names)

    @property
    def roots(self) -> set[str]:
        """The modules that the packages bring as far as that is known, by first names."""
        return {root for root, names in DISTRIBUTIONS.items() if names & self.names}


def environment(plugin: Plugin) -> Environment | None:
    """Read what the daemon installs for a plugin; ``None`` where nothing is required."""
    required = [_name(line) for line in plugin.project.requirements]
    if not required:
        return None
    names = {name for name in required if name}
    locked = {normal(name) for name in _locked(plugin)}
    understood = names <= _UNDERSTOOD and locked <= _UNDERSTOOD | names
    with_sdk = _OF_SDK if "dify_plugin" in names else frozenset()
    return Environment(
        names=frozenset(names | locked | with_sdk),
        is_closed=understood and None not in required,
        is_locked=bool(locked),
    )


def is_named_in_requirements(plugin: Plugin, module: str) -> bool:
    """Return whether requirements.txt names a package for a module, and pyproject.toml wins."""
    sources = plugin.sources or {}
    if _PYPROJECT not in sources or _REQUIREMENTS not in sources:
        return False
    lines = (line.partition("#")[0].strip() for line in sources[_REQUIREMENTS].splitlines())
    return any(_provides(name, module) for line in lines if line and (name := _name(line)))


def _provides(distribution: str, module: str) -> bool:
    """Return whether a package may bring a module, by what both are called."""
    root = module.partition(".")[0]
    if distribution in DISTRIBUTIONS.get(root, ()):
        return True
    short, own = normal(root).replace("_", ""), distribution.replace("_", "")
    return short == own or own.startswith(short) or own.removeprefix("python").startswith(short)


def sdk_version(plugin: Plugin) -> tuple[Version | None, Version | None]:
    """Return which versions of Dify's SDK are allowed: the least, and the first that is not.

    A lock allows one only.
    """
    for name, version in _locked(plugin).items():
        if normal(name) == "dify_plugin" and (exact := _version(version)):
            return exact, exact
    for line in plugin.project.requirements:
        if _name(line) == "dify_plugin":
            bounds = Requirement(line).specifier
            low = [_version(b.version) for b in bounds if b.operator in (">=", ">", "==", "~=")]
            high = [_version(b.version) for b in bounds if b.operator in ("<", "<=", "==", "~=")]
            return next(iter(low), None), next(iter(high), None)
    return None, None


def normal(name: str) -> str:
    """Write a package's name in the one way in which names are compared."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _name(line: str) -> str | None:
    try:
        return normal(Requirement(line).name)
    except InvalidRequirement:
        return None


def _locked(plugin: Plugin) -> Mapping[str, str]:
    return dict(_LOCKED.findall((plugin.sources or {}).get(_LOCK, "")))


def _version(text: str) -> Version | None:
    try:
        return Version(text.removesuffix(".*"))
    except InvalidVersion:
        return None
