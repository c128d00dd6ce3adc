"""Hypothesis strategies for everything a provider declares and everything a user may enter."""

from xinfer.testing.strategies.credentials import (
    Broken,
    broken_credentials,
    credentials_classes,
    raw_credentials,
)
from xinfer.testing.strategies.projects import projects
from xinfer.testing.strategies.specs import specs, texts

__all__ = [
    "Broken",
    "broken_credentials",
    "credentials_classes",
    "projects",
    "raw_credentials",
    "specs",
    "texts",
]
