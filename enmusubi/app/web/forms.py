"""From a form to a checked draft, with each error at its field and in the reader's language."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from starlette.datastructures import FormData, UploadFile

from enmusubi.app.web.languages import N_, Speech

Model = TypeVar("Model", bound=BaseModel)

WHOLE: Final = ""
"""Where an error is that belongs to no field."""

# By pydantic's type of the error, with what it says of the rule.
_SAYS: Final[dict[str, str]] = {
    "missing": N_("is needed"),
    "string_too_long": N_("is too long: at most %(max_length)s characters"),
    "string_too_short": N_("is too short: at least %(min_length)s characters"),
    "too_long": N_("are too many: at most %(max_length)s"),
    "too_short": N_("are too few: at least %(min_length)s"),
    "int_parsing": N_("is not a whole number"),
    "int_type": N_("is not a whole number"),
    "greater_than_equal": N_("is too small: at least %(ge)s"),
    "less_than_equal": N_("is too large: at most %(le)s"),
    "enum": N_("is not one of the choices"),
    "literal_error": N_("is not one of the choices"),
    "bool_parsing": N_("is neither yes nor no"),
    "date_parsing": N_("is not a date such as 2026-04-01"),
    "date_from_datetime_parsing": N_("is not a date such as 2026-04-01"),
    "uuid_parsing": N_("is not an id"),
    "string_pattern_mismatch": N_("is not written as expected"),
    "extra_forbidden": N_("is not a field of this form"),
}


@dataclass(slots=True)
class Filled:
    """A form as it was filled in, to be shown again: texts by field, and what is wrong with them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        """Whether nothing was found."""
        return not self.errors

    def text(self, name: str) -> str:
        """What stands in a field."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def chosen(self, name: str) -> Sequence[str]:
        """What is ticked of a group."""
        value = self.values.get(name) or ()
        return [value] if isinstance(value, str) else [str(one) for one in value]

    def add(self, name: str, said: str) -> None:
        """One more thing that is wrong."""
        self.errors.setdefault(name, []).append(said)


def filled_in(form: FormData, names: Iterable[str]) -> Filled:
    """The form as it was sent."""
    return Filled({name: [one for one in form.getlist(name) if isinstance(one, str)] for name in names}, {})


def read(
    draft: type[Model], form: FormData, speech: Speech, *, lists: Collection[str] = (), flags: Collection[str] = (),
    given: Mapping[str, Any] | None = None, leave_out: Collection[str] = (),
) -> tuple[Model | None, Filled]:  # fmt: skip
    """The draft that the form's fields make, or None, and the form as it was filled in with what is wrong.

    Empty fields are left out. `lists` are fields of one text whose lines, or parts between commas, are the items; a
    field that the draft says is a list is one of ticked boxes otherwise. `flags` are ticked or not. `given` is what the
    form does not say, `leave_out` what is not taken from it though the draft has it.
    """
    values: dict[str, Any] = dict(given or {})
    shown: dict[str, Any] = {}
    for name, info in draft.model_fields.items():
        if name in values or name in leave_out:
            continue
        sent = [one for one in form.getlist(name) if not isinstance(one, UploadFile)]
        if name in flags:
            shown[name] = values[name] = bool(sent)
        elif name in lists:
            shown[name] = "\n".join(sent)
            values[name] = parts(shown[name])
        elif _is_list(info):
            shown[name] = values[name] = sent
        else:
            shown[name] = text = "\n".join(sent).replace("\r\n", "\n")
            if text.strip():
                values[name] = text
    filled = Filled(shown)
    try:
        return draft.model_validate(values), filled
    except ValidationError as error:
        for place, said in said_of(error, speech):
            filled.add(place, said)
        return None, filled


def said_of(error: ValidationError, speech: Speech) -> list[tuple[str, str]]:
    """What is wrong, each with the field it is in; the values stay out of it, as they may be confidential."""
    found = []
    for one in error.errors(include_input=False, include_url=False):
        place = str(one["loc"][0]) if one["loc"] else WHOLE
        context = one.get("ctx") or {}
        if one["type"] == "value_error":
            said = speech.say(str(context.get("error", one["msg"])))
        else:
            message = _SAYS.get(one["type"])
            said = one["msg"] if message is None else speech.say(message, **context)
        item = next((step for step in one["loc"][1:] if isinstance(step, int)), None)
        found.append((place, said if item is None else speech.say(N_("item %(number)s: "), number=item + 1) + said))
    return found


def parts(text: str) -> list[str]:
    """Items of a list that is written as text: a line each, or with commas of either kind between them."""
    lines = text.replace("\r\n", "\n").replace("、", "\n").replace("，", "\n").replace(",", "\n").split("\n")
    return [line.strip() for line in lines if line.strip()]


def _is_list(info: FieldInfo) -> bool:
    kinds = [info.annotation, *get_args(info.annotation)]
    bare = [get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in kinds]
    return any(get_origin(kind) in (list, set) or kind in (list, set) for kind in bare)
