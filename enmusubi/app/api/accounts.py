"""One's own account and its tokens, and the accounts of the cluster."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.credentials import allows, session_only
from enmusubi.app.dependencies import AskedNow, DeskNow
from enmusubi.app.representations import Page
from enmusubi.app.signing_in import people, tokens
from enmusubi.app.signing_in.drafts import AccountDraft, PasswordDraft, TokenDraft
from enmusubi.app.signing_in.shown import AccountOut, PersonDeactivated, PersonOut, TokenMade, TokenOut, TokensOut
from enmusubi.app.vocabulary import Scope

router = APIRouter(tags=["accounts"])


@router.get("/account", openapi_extra=allows(Scope.READ))
def read_account(asked: AskedNow) -> AccountOut:
    """Your own account."""
    return people.own_out(asked.session, asked.caller)


@router.patch("/account", openapi_extra=session_only())
def revise_account(draft: AccountDraft, asked: AskedNow) -> AccountOut:
    """Change your name, the language of what is written to you, or which letters you get."""
    people.revise_own(asked.session, asked.caller, draft)
    return people.own_out(asked.session, asked.caller)


@router.post("/account/password", status_code=204, openapi_extra=session_only())
def change_password(draft: PasswordDraft, asked: AskedNow, desk: DeskNow) -> None:
    """Choose a new password; your other sessions end."""
    people.change_own_password(asked.session, desk, asked.identified, draft)


@router.get("/tokens", openapi_extra=session_only())
def list_tokens(asked: AskedNow) -> TokensOut:
    """Your API tokens that can be used."""
    return TokensOut(items=[TokenOut.model_validate(row) for row in tokens.list_tokens(asked.session, asked.caller)])


@router.post("/tokens", status_code=201, openapi_extra=session_only())
def make_token(draft: TokenDraft, asked: AskedNow, desk: DeskNow) -> TokenMade:
    """A new API token, shown this once; needs a session that was confirmed lately."""
    made, text = tokens.make(asked.session, desk, asked.identified, draft)
    return TokenMade(**dict(TokenOut.model_validate(made)), token=text)


@router.delete("/tokens/{token_id}", status_code=204, openapi_extra=session_only())
def revoke_token(token_id: uuid.UUID, asked: AskedNow) -> None:
    """Revoke one of your API tokens; it stops working at once."""
    tokens.revoke(asked.session, asked.caller, token_id)


@router.get("/accounts", openapi_extra=allows(Scope.ADMINISTER))
def list_accounts(query: Annotated[PageQuery, Query()], asked: AskedNow) -> Page[PersonOut]:
    """The accounts of your organisation; of the cluster for those who oversee it. The newest first."""
    listed = people.list_people(asked.session, asked.caller, query)
    return Page[PersonOut](items=[PersonOut.model_validate(row) for row in listed.rows], next=listed.next)


@router.post("/accounts/{account_id}/deactivate", openapi_extra=allows(Scope.ADMINISTER))
def deactivate_account(account_id: uuid.UUID, asked: AskedNow, desk: DeskNow) -> PersonDeactivated:
    """End an account's sessions and tokens, and let it in no more; for cluster administrators."""
    account = people.deactivate(asked.session, desk, asked.identified, account_id)
    return people.deactivated_out(asked.session, account)


@router.post("/accounts/{account_id}/reactivate", openapi_extra=allows(Scope.ADMINISTER))
def reactivate_account(account_id: uuid.UUID, asked: AskedNow, desk: DeskNow) -> PersonOut:
    """Let a deactivated account sign in again; for cluster administrators."""
    return PersonOut.model_validate(people.reactivate(asked.session, desk, asked.identified, account_id))
