"""One field of a credentials class: the input that Dify shows, and the value that code uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import attrs
from attrs import frozen

from xinfer.spec.converters import Converter, Validator
from xinfer.spec.declaration import evolve
from xinfer.spec.errors import NOT_ACCEPTED, Invalid, Problem, message_of, quoted, repeats
from xinfer.spec.form import MODEL_TYPE, FormField, FormType, ShowOn
from xinfer.spec.i18n import I18n
from xinfer.spec.inputs import Specification
from xinfer.spec.secret import Secret
from xinfer.spec.targets import Sets, Target
from xinfer.spec.values import Codec, text_of

_CIPHERTEXT = "SFlCUklE"
"""Base64 of ``HYBRID``: how Dify's ciphertext begins. A text field holds one when an earlier
version of the plugin stored the same variable as a secret."""

_PLACEHOLDER = "[__HIDDEN__]"
"""What Dify's form shows instead of a stored secret, and sends back if nothing was entered."""

_NOTHING = (None, "")
"""What Dify stores of a field that was left empty."""

LONGEST, LONGEST_SECRET = 256 * 1024, 8 * 1024
"""Characters that a field may hold if its form sets no limit: all tenants of a Dify share one
process, and the values of each are read anew for every call."""


class Accepted:
    """A value that is accepted already, on its way through ``__init__``."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


@frozen(kw_only=True)
class CredentialField:
    """One field of a credentials class.

    :param name: the Python attribute.
    :param form: the input as Dify shows it.
    :param conditions: the conditions of each occurrence of the field in the form.
    :param codec: how the field's type is read and written.
    :param optional: whether the annotation admits ``None``.
    :param default: the value if nothing is entered, or ``attrs.NOTHING``.
    :param steps: converters and validators in order; each raises ``ValueError``.
    :param sets: the parts of the requests that the field sets.
    :param was: former variables of the field.
    """

    name: str
    form: FormField
    conditions: tuple[tuple[ShowOn, ...], ...] = ()
    codec: Codec
    optional: bool
    default: Any
    steps: tuple[Converter, ...] = attrs.field(repr=False)
    sets: tuple[Sets, ...] = ()
    was: tuple[str, ...] = ()
    asked_by_dify: bool

    def accept(self, value: Any) -> Any:
        """Convert and validate a value of the field's own type.

        :raises ValueError: the value is refused.
        """
        if type(value) is Accepted:
            return value.value
        if value is None and (self.optional or self.default is None):
            return None
        for step in self.steps:
            value = step(value)
        return value

    def read(self, raw: object) -> Any:
        """Turn what Dify stored into a value; ``attrs.NOTHING`` if nothing was entered.

        :raises ValueError: the value is refused.
        """
        text = text_of(raw)
        if text is None:
            return attrs.NOTHING
        _short_enough(text, self.form.max_length or self._longest)
        if text.startswith(_CIPHERTEXT):
            raise Invalid(
                "holds a value that another version of this plugin encrypted: "
                "enter this field again",
                "保存的是其他版本插件加密的值：请重新填写此字段",
            )
        if text == _PLACEHOLDER and self.form.type is FormType.SECRET_INPUT:
            raise Invalid(
                f"is {_PLACEHOLDER}, which Dify shows instead of a stored value: "
                "enter this field again",
                f"值为 {_PLACEHOLDER}，这是 Dify 用来代替已保存值的占位符：请重新填写此字段",
            )
        try:
            value = self.codec.parse(text)
        except ValueError:
            expected, entry = self.codec.expected, quoted(text)
            raise Invalid(
                f"'{entry}' is not {expected}", f"“{entry}”无效：{expected.chinese}"
            ) from None
        return self.accept(value)

    @property
    def _longest(self) -> int:
        return LONGEST_SECRET if self.form.type is FormType.SECRET_INPUT else LONGEST

    @property
    def forms(self) -> tuple[FormField, ...]:
        """Every occurrence of the field in the form, one for each set of conditions."""
        others = (evolve(self.form, show_on=conditions) for conditions in self.conditions[1:])
        return (self.form, *others)

    @property
    def model_types(self) -> frozenset[str]:
        """The model types that the field is shown for; none if it is shown for all."""
        every = (condition for conditions in self.conditions for condition in conditions)
        return frozenset(c.value for c in every if c.variable == MODEL_TYPE)

    def is_for(self, model_type: str) -> bool:
        """Return whether the field is shown for a model type; an empty one stands for any."""
        return not (self.model_types and model_type) or model_type in self.model_types

    def is_shown(self, raw: Mapping[str, object]) -> bool | None:
        """Return whether Dify's form shows this field; ``None`` if ``raw`` does not tell."""
        occurrences = [_hold(conditions, raw) for conditions in self.conditions]
        if not occurrences or True in occurrences:
            return True
        return None if None in occurrences else False

    def stored(self, raw: Mapping[str, object]) -> object:
        """Return what Dify stored of this field, under its variable or a former one."""
        value = raw.get(self.form.variable)
        if value in _NOTHING and self.was:
            value = next((raw[name] for name in self.was if raw.get(name) not in _NOTHING), None)
        return None if value in _NOTHING else value

    def may_be_shown_with(self, other: CredentialField) -> bool:
        """Return whether the form can show both fields at once."""
        return any(
            _agree(ours, theirs)
            for ours in self.conditions or ((),)
            for theirs in other.conditions or ((),)
        )

    def problem(self, error: ValueError, raw: object) -> Problem:
        """Describe a refusal, without a message that repeats the secret."""
        message = message_of(error)
        secret = str(raw).strip() if self.form.type is FormType.SECRET_INPUT else ""
        if secret != _PLACEHOLDER and repeats(message, secret):
            message = NOT_ACCEPTED
        return Problem((self.title,), message)

    @property
    def title(self) -> tuple[str, I18n]:
        """The variable and the label, as a problem names the field."""
        return self.form.variable, self.form.label


def _hold(conditions: Iterable[ShowOn], raw: Mapping[str, object]) -> bool | None:
    """Return whether all conditions hold; ``None`` if that is not known."""
    results: list[bool | None] = []
    for condition in conditions:
        # An unreadable value tells nothing here; its own field refuses it.
        with suppress(Invalid):
            if condition.variable in raw:
                results.append(text_of(raw[condition.variable]) == condition.value)
                continue
        results.append(None)
    if False in results:
        return False
    return None if None in results else True


def _agree(some: Iterable[ShowOn], others: Iterable[ShowOn]) -> bool:
    """Return whether two sets of conditions can hold at once."""
    values = {condition.variable: condition.value for condition in some}
    return all(values.get(c.variable, c.value) == c.value for c in others)


def steps_of(specification: Specification, codec: Codec) -> Iterable[Converter]:
    """List the steps that accept a value: blank, converter, validators, options, length."""
    form = specification.form

    def not_blank(value: Any) -> Any:
        text = value.strip() if isinstance(value, str) else value
        if text == "" or (isinstance(value, Secret) and not value.reveal().strip()):
            raise Invalid("must not be blank", "不能为空")
        return text

    yield not_blank
    yield from specification.convert
    for validator in specification.validate:
        yield _passing(validator)
    for sets in specification.sets:
        if isinstance(sets, Target):
            yield _passing(sets.check)
    if form.options:
        choices = [option.value for option in form.options]
        english = ", ".join(str(option.label) for option in form.options)
        chinese = "、".join(option.label.chinese for option in form.options)

        def one_of(value: Any) -> None:
            text = codec.write(value)
            if text not in choices:
                entry = quoted(text)
                raise Invalid(
                    f"'{entry}' is not an option: choose {english}",
                    f"“{entry}”不在选项中：请从以下选项中选择：{chinese}",
                )

        yield _passing(one_of)
    if form.max_length > 0:
        yield _passing(lambda value: _short_enough(codec.write(value), form.max_length))


def _short_enough(text: str, most: int) -> None:
    if len(text) > most:
        raise Invalid(f"is longer than {most} characters", f"超过 {most} 个字符")


def _passing(validator: Validator) -> Converter:
    """Make a converter of a validator: it returns its value."""

    def step(value: Any) -> Any:
        validator(value)
        return value

    return step
