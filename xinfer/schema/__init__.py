"""What the declared classes are made of, for all that reads or writes them."""

from xinfer.schema.path import dotted, steps_of
from xinfer.schema.source import span_of
from xinfer.schema.walk import walk

__all__ = ["dotted", "span_of", "steps_of", "walk"]
