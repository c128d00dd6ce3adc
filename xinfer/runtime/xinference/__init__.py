"""What is Xinference's own: its descriptions of models, and fixes for its errors."""

from xinfer.runtime.xinference.client import XinferenceClient

__all__ = ["XinferenceClient"]
