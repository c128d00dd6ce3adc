"""The topics of the rules, by how their codes begin: each is a page of the documentation."""

from __future__ import annotations

from attrs import frozen


@frozen
class Topic:
    """A page of rules.

    :param codes: how the codes of its rules begin.
    :param name: of the page, in an address.
    """

    codes: str
    name: str
    title: str


TOPICS = (
    Topic("XI0", "values", "Values and texts"),
    Topic("XI1", "manifest", "Manifest"),
    Topic("XI2", "provider", "Provider"),
    Topic("XI3", "forms", "Forms"),
    Topic("XI4", "models", "Models"),
    Topic("XI5", "files", "Files, dependencies, review"),
    Topic("XI6", "python", "Python"),
    Topic("XI7", "package", "Package"),
    Topic("XI8", "against", "Against another version"),
    Topic("XI9", "suppressions", "Suppressions"),
)


def topic_of(code: str) -> Topic:
    """Return the topic of a rule."""
    return next(topic for topic in TOPICS if code.startswith(topic.codes))
