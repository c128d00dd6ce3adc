"""Dify's versions, as far as its dialogs differ: one record each, and no code.

Source: Dify's ``model-modal``, ``use-model-form-schemas`` and ``base-form`` over their history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

type Part = Literal["type", "name", "credential_name", "fields"]


@frozen(kw_only=True)
class Profile:
    """How one generation of Dify's dialogs behaves.

    :param versions: the releases of Dify it stands for.
    :param graphon: the version of the library that holds Dify's entities in these releases.
    :param order: the parts of the dialog that adds a model, from top to bottom.
    :param type_control: how the model type is chosen.
    :param type_preselected: whether the first model type is chosen when the dialog opens.
    :param prefills: whether a field begins with its default.
    :param credential_name_required: whether the user must name the credential.
    :param resets: whether a change sets the fields that depend on it back to their defaults.
    :param sends_model_name: whether ``__model_name`` reaches the server with the credentials.
    :param fills_placeholder: whether a missing placeholder becomes "Please enter".
    """

    name: str
    versions: str
    graphon: str
    order: tuple[Part, ...]
    type_control: Literal["radio", "select"]
    type_preselected: bool = False
    prefills: bool = True
    credential_name_required: bool = False
    resets: bool = False
    sends_model_name: bool = True
    fills_placeholder: bool = True


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="current",
            versions="1.8.1 and later",
            graphon="0.8.0",
            order=("name", "type", "credential_name", "fields"),
            type_control="select",
        ),
        Profile(
            name="graphon-0.7",
            versions="1.8.1 and later, with graphon 0.7.0 or older",
            graphon="0.7.0",
            order=("name", "type", "credential_name", "fields"),
            type_control="select",
        ),
        Profile(
            name="1.8.0",
            versions="1.8.0",
            graphon="0.2.2",
            order=("credential_name", "type", "name", "fields"),
            type_control="select",
            prefills=False,
            credential_name_required=True,
        ),
        Profile(
            name="legacy",
            versions="1.0 to 1.7",
            graphon="0.1.2",
            order=("type", "name", "fields"),
            type_control="radio",
            type_preselected=True,
            resets=True,
            sends_model_name=False,
            fills_placeholder=False,
        ),
    )
}
"""The profiles by name; the first one is the default."""
