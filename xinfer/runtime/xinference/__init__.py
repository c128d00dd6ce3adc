"""Xinference's own: what it tells of its models, and what it means by some of its words."""

from xinfer.runtime.xinference.client import XinferenceClient

__all__ = ["XinferenceClient"]
