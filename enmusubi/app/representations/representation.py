"""What every representation is built on, and pages of a list."""

from typing import Generic, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict

PUBLIC_ID = AliasChoices("public_id", "id")


class Representation(BaseModel):
    """Built from our own rows only."""

    model_config = ConfigDict(from_attributes=True, hide_input_in_errors=True)


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next` is the cursor of the following one, null on the last."""

    items: list[Item]
    next: str | None
