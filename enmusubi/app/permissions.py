"""The policy: who may see and do what, as one table. docs/security.md shows it, tests hold every route to it.

What is seen of lists and rankings is said by `visibility`, and once more by the row-level security of PostgreSQL;
tests compare both with this table.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from enmusubi.app.caller import Caller
from enmusubi.app.errors import ForbiddenError, NotFoundError, Sentence
from enmusubi.app.vocabulary import Role


class Answer(StrEnum):
    """What an account is told."""

    YES = "yes"
    NO = "no"
    """Refused, with a reason: that the thing is there may be known."""
    HIDDEN = "hidden"
    """Answered as if it were not there."""


class Relation(StrEnum):
    """Whose a thing is, seen from the account that asks."""

    OWN = "own"
    """Of the account's own organisation; of what belongs to people, the account's own."""
    HERE = "here"
    """Of another organisation of the account's cluster, or of none."""
    OPENED = "opened"
    """Of another cluster, which opened it to the account's."""
    ELSEWHERE = "elsewhere"
    """Of another cluster."""


class Right(StrEnum):
    """What can be done."""

    READ_SEED = "read a published seed"
    READ_HIDDEN_SEED = "read a seed on hold, withdrawn or expired"
    READ_SEED_DRAFT = "read a draft of a seed"
    READ_SEED_DETAIL = "read the unpublished part of a seed, and who looked at it"
    READ_SEED_DECLINES = "read why matches of a seed were turned down"
    REGISTER_SEED = "register a seed"
    CHANGE_SEED = "revise, hold, renew, archive or withdraw a seed"
    SUBMIT_SEED = "submit a seed that was rejected, or take up again one on hold"
    REVIEW_SEED = "approve or reject a seed that waits for a second pair of eyes"
    READ_SEED_LIFE = "see which steps a seed can take, and the verdicts of those who reviewed it"
    RANK_NEEDS = "see the needs ranked for a seed, as far as the matches may be seen"
    READ_NEED = "read the public part of a published need"
    READ_HIDDEN_NEED = "read the public part of a need on hold, withdrawn or expired"
    READ_NEED_DRAFT = "read a draft of a need"
    READ_NEED_DETAIL = "read the confidential part of a need, and who looked at it"
    READ_NEED_DECLINES = "read why matches of a need were turned down"
    POST_NEED = "post a need"
    CHECK_NEED = "ask what of a need's text would identify its owner"
    CHANGE_NEED = "revise, hold, renew, archive or withdraw a need"
    SUBMIT_NEED = "submit a need that was rejected, or take up again one on hold"
    REVIEW_NEED = "approve or reject a need that waits for a second pair of eyes"
    READ_NEED_LIFE = "see which steps a need can take, and the verdicts of those who reviewed it"
    RANK_SEEDS = "see the seeds ranked for a need, as far as the matches may be seen"
    MATCH_TEXT = "rank what may be seen for a text that is not stored"
    READ_MATCH = "read a match"
    REVIEW_MATCH = "give a verdict on a match"
    READ_REVIEWS = "read the verdicts on a match"
    PAIR = "pair a need and a seed by hand"
    HANDLE_MATCH = "take a verdict back, introduce, see and make a disclosure"
    ANSWER_MATCH = "express interest in a match, accept or decline an introduction"
    FOLLOW_MATCH = "report a meeting, negotiation, agreement or outcome of a match, or close it"
    READ_DISCLOSED = "read what was disclosed to one's side"
    FOLLOW_NEED = "see what happened to a need, and who is waited for"
    FOLLOW_SEED = "see what happened to a seed, and who is waited for"
    HAND_OVER = "hand a coordinator's matches over to another one"
    READ_ORGANISATION = "read a university or public research institute"
    READ_COMPANY = "read a company that no visible entry names"
    ADD_ORGANISATION = "add an organisation"
    CHANGE_ORGANISATION = "revise or withdraw an organisation"
    READ_ACCOUNT = "see an account of another person"
    ADMINISTER_ACCOUNT = "deactivate or reactivate an account"
    READ_INVITATIONS = "see and withdraw invitations"
    INVITE_SIDE = "invite a person of a company or university"
    INVITE_OVERSEER = "invite a coordinator, cluster administrator or auditor"
    READ_WAITING = "see what waits for a second pair of eyes"
    READ_SETTINGS = "read the settings of a cluster"
    CHANGE_SETTINGS = "change the settings of a cluster"
    IMPORT_ENTRIES = "post a file of entries, of the kind and owners that one may enter"
    READ_IMPORT = "follow and cancel an import"
    ADD_WEBHOOK = "have notices sent to an address"
    MANAGE_WEBHOOKS = "see and change webhooks: the own organisation's, or those of the cluster itself"
    READ_RECORD = "read the record, but for views of one's own entries"
    READ_INDICATORS = "read the indicators of a cluster"
    READ_CHAIN = "read the chain of innovation, as far as its ends may be seen"


Row = Mapping[Role, Mapping[Relation, Answer]]

_LETTERS: Final = {"y": Answer.YES, "n": Answer.NO, "-": Answer.HIDDEN}
_ROLES: Final = (Role.COMPANY, Role.UNIVERSITY, Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR)


def _row(*answers: str) -> Row:
    """One group of letters for each role: y yes, n refused, - hidden, a point where there can be no such thing.

    In each group: of one's own organisation, of the cluster, of another cluster that opened it, of another cluster.
    """
    return {
        role: {relation: _LETTERS[letter] for relation, letter in zip(Relation, letters, strict=True) if letter != "."}
        for role, letters in zip(_ROLES, answers, strict=True)
    }


# fmt: off
POLICY: Final[Mapping[Right, Row]] = {
    #                                company university coordinator administrator auditor
    Right.READ_SEED:            _row(".yy-", "yyy-",    ".yy-",     ".yy-",       ".yy-"),
    Right.READ_HIDDEN_SEED:     _row(".---", "y---",    ".y--",     ".y--",       ".y--"),
    Right.READ_SEED_DRAFT:      _row(".---", "y---",    ".---",     ".---",       ".---"),
    Right.READ_SEED_DETAIL:     _row(".---", "y---",    ".y--",     ".---",       ".---"),
    Right.READ_SEED_DECLINES:   _row(".---", "y---",    ".y--",     ".y--",       ".y--"),
    Right.REGISTER_SEED:        _row("nn.n", "yn.n",    ".y.-",     ".n.n",       ".n.n"),
    Right.CHANGE_SEED:          _row(".nn-", "ynn-",    ".yn-",     ".nn-",       ".nn-"),
    Right.SUBMIT_SEED:          _row(".---", "y---",    ".y--",     ".n--",       ".n--"),
    Right.REVIEW_SEED:          _row(".nn-", "nnn-",    ".yn-",     ".yn-",       ".nn-"),
    Right.READ_SEED_LIFE:       _row(".---", "y---",    ".y--",     ".y--",       ".y--"),
    Right.RANK_NEEDS:           _row(".yy-", "yyy-",    ".yy-",     ".yy-",       ".yy-"),
    Right.READ_NEED:            _row("y---", "yyy-",    ".yy-",     ".yy-",       ".yy-"),
    Right.READ_HIDDEN_NEED:     _row("y---", "y---",    ".y--",     ".y--",       ".y--"),
    Right.READ_NEED_DRAFT:      _row("y---", "y---",    ".---",     ".---",       ".---"),
    Right.READ_NEED_DETAIL:     _row("y---", "y---",    ".y--",     ".---",       ".---"),
    Right.READ_NEED_DECLINES:   _row("y---", "y---",    ".y--",     ".y--",       ".y--"),
    Right.POST_NEED:            _row("yn.n", "nn.n",    ".y.-",     ".n.n",       ".n.n"),
    Right.CHECK_NEED:           _row("yn.n", "nn.n",    ".y.-",     ".n.n",       ".n.n"),
    Right.CHANGE_NEED:          _row("y---", "nnn-",    ".yn-",     ".nn-",       ".nn-"),
    Right.SUBMIT_NEED:          _row("y---", "n---",    ".y--",     ".n--",       ".n--"),
    Right.REVIEW_NEED:          _row("n---", "nnn-",    ".yn-",     ".yn-",       ".nn-"),
    Right.READ_NEED_LIFE:       _row("y---", "y---",    ".y--",     ".y--",       ".y--"),
    Right.RANK_SEEDS:           _row("y---", "yyy-",    ".yy-",     ".yy-",       ".yy-"),
    Right.MATCH_TEXT:           _row(".y..", ".y..",    ".y..",     ".y..",       ".y.."),
    Right.READ_MATCH:           _row("y-.-", "y-.-",    ".y.-",     ".y.-",       ".y.-"),
    Right.REVIEW_MATCH:         _row("n-.-", "n-.-",    ".y.-",     ".n.-",       ".n.-"),
    Right.READ_REVIEWS:         _row("--.-", "--.-",    ".y.-",     ".y.-",       ".y.-"),
    Right.PAIR:                 _row("n---", "nnn-",    ".yn-",     ".nn-",       ".nn-"),
    Right.HANDLE_MATCH:         _row("n-.-", "n-.-",    ".y.-",     ".n.-",       ".n.-"),
    Right.ANSWER_MATCH:         _row("y-.-", "y-.-",    ".n.-",     ".n.-",       ".n.-"),
    Right.FOLLOW_MATCH:         _row("y-.-", "y-.-",    ".y.-",     ".n.-",       ".n.-"),
    Right.READ_DISCLOSED:       _row("y-.-", "y-.-",    ".y.-",     ".n.-",       ".n.-"),
    Right.FOLLOW_NEED:          _row("y---", "ynn-",    ".yn-",     ".yn-",       ".yn-"),
    Right.FOLLOW_SEED:          _row(".nn-", "ynn-",    ".yn-",     ".yn-",       ".yn-"),
    Right.READ_ORGANISATION:    _row("yyy-", "yyy-",    ".yy-",     ".yy-",       ".yy-"),
    Right.READ_COMPANY:         _row("y-.-", ".-.-",    ".y.-",     ".y.-",       ".y.-"),
    Right.ADD_ORGANISATION:     _row(".n..", ".n..",    ".y..",     ".y..",       ".n.."),
    Right.CHANGE_ORGANISATION:  _row("nnn-", "nnn-",    ".yn-",     ".yn-",       ".nn-"),
    Right.READ_ACCOUNT:         _row("y-.-", "y-.-",    ".y.-",     ".y.-",       ".y.-"),
    Right.ADMINISTER_ACCOUNT:   _row("n-.-", "n-.-",    ".n.-",     ".y.-",       ".n.-"),
    Right.HAND_OVER:            _row("n-.-", "n-.-",    ".n.-",     ".y.-",       ".n.-"),
    Right.READ_INVITATIONS:     _row(".n.n", ".n.n",    ".y.-",     ".y.-",       ".n.n"),
    Right.INVITE_SIDE:          _row(".n..", ".n..",    ".y..",     ".y..",       ".n.."),
    Right.INVITE_OVERSEER:      _row(".n..", ".n..",    ".n..",     ".y..",       ".n.."),
    Right.READ_WAITING:         _row(".n..", ".n..",    ".y..",     ".y..",       ".y.."),
    Right.READ_SETTINGS:        _row(".n.-", ".n.-",    ".y.-",     ".y.-",       ".y.-"),
    Right.CHANGE_SETTINGS:      _row(".n.-", ".n.-",    ".n.-",     ".y.-",       ".n.-"),
    Right.IMPORT_ENTRIES:       _row(".y..", ".y..",    ".y..",     ".n..",       ".n.."),
    Right.READ_IMPORT:          _row("y-.-", "y-.-",    "y-.-",     ".-.-",       ".-.-"),
    Right.ADD_WEBHOOK:          _row("y...", "y...",    ".y..",     ".y..",       ".n.."),
    Right.MANAGE_WEBHOOKS:      _row("y-.-", "y-.-",    ".y.-",     ".y.-",       ".-.-"),
    Right.READ_RECORD:          _row(".n..", ".n..",    ".n..",     ".y..",       ".y.."),
    Right.READ_INDICATORS:      _row(".n.-", ".n.-",    ".y.-",     ".y.-",       ".y.-"),
    Right.READ_CHAIN:           _row(".y.-", ".y.-",    ".y.-",     ".y.-",       ".y.-"),
}
# fmt: on

ROUTES: Final[Mapping[str, Right]] = {
    "register_seed": Right.REGISTER_SEED,
    "list_seeds": Right.READ_SEED,
    "read_seed": Right.READ_SEED,
    "revise_seed": Right.CHANGE_SEED,
    "withdraw_seed": Right.CHANGE_SEED,
    "submit_seed": Right.SUBMIT_SEED,
    "hold_seed": Right.CHANGE_SEED,
    "resume_seed": Right.SUBMIT_SEED,
    "renew_seed": Right.CHANGE_SEED,
    "archive_seed": Right.CHANGE_SEED,
    "review_seed": Right.REVIEW_SEED,
    "seed_lifecycle": Right.READ_SEED_LIFE,
    "seed_views": Right.READ_SEED_DETAIL,
    "seed_declines": Right.READ_SEED_DECLINES,
    "seed_ready": Right.CHANGE_SEED,
    "seed_matches": Right.RANK_NEEDS,
    "post_need": Right.POST_NEED,
    "check_need": Right.CHECK_NEED,
    "list_needs": Right.READ_NEED,
    "read_need": Right.READ_NEED,
    "revise_need": Right.CHANGE_NEED,
    "withdraw_need": Right.CHANGE_NEED,
    "submit_need": Right.SUBMIT_NEED,
    "hold_need": Right.CHANGE_NEED,
    "resume_need": Right.SUBMIT_NEED,
    "renew_need": Right.CHANGE_NEED,
    "archive_need": Right.CHANGE_NEED,
    "review_need": Right.REVIEW_NEED,
    "need_lifecycle": Right.READ_NEED_LIFE,
    "need_views": Right.READ_NEED_DETAIL,
    "need_declines": Right.READ_NEED_DECLINES,
    "need_ready": Right.CHANGE_NEED,
    "need_matches": Right.RANK_SEEDS,
    "match_text": Right.MATCH_TEXT,
    "list_matches": Right.READ_MATCH,
    "read_match": Right.READ_MATCH,
    "review_match": Right.REVIEW_MATCH,
    "pair_match": Right.PAIR,
    "reconsider_match": Right.HANDLE_MATCH,
    "introduce_match": Right.HANDLE_MATCH,
    "express_interest": Right.ANSWER_MATCH,
    "accept_match": Right.ANSWER_MATCH,
    "decline_match": Right.ANSWER_MATCH,
    "preview_disclosure": Right.HANDLE_MATCH,
    "disclose_match": Right.HANDLE_MATCH,
    "read_disclosed": Right.READ_DISCLOSED,
    "report_meeting": Right.FOLLOW_MATCH,
    "report_negotiation": Right.FOLLOW_MATCH,
    "report_agreement": Right.FOLLOW_MATCH,
    "report_outcome": Right.FOLLOW_MATCH,
    "list_outcomes": Right.READ_MATCH,
    "close_match": Right.FOLLOW_MATCH,
    "list_steps": Right.READ_MATCH,
    "need_progress": Right.FOLLOW_NEED,
    "seed_progress": Right.FOLLOW_SEED,
    "hand_over": Right.HAND_OVER,
    "add_organisation": Right.ADD_ORGANISATION,
    "list_organisations": Right.READ_ORGANISATION,
    "read_organisation": Right.READ_ORGANISATION,
    "revise_organisation": Right.CHANGE_ORGANISATION,
    "withdraw_organisation": Right.CHANGE_ORGANISATION,
    "list_accounts": Right.READ_ACCOUNT,
    "deactivate_account": Right.ADMINISTER_ACCOUNT,
    "reactivate_account": Right.ADMINISTER_ACCOUNT,
    "list_invitations": Right.READ_INVITATIONS,
    "withdraw_invitation": Right.READ_INVITATIONS,
    "invite": Right.INVITE_SIDE,
    "list_waiting": Right.READ_WAITING,
    "read_cluster_settings": Right.READ_SETTINGS,
    "revise_cluster_settings": Right.CHANGE_SETTINGS,
    "start_import": Right.IMPORT_ENTRIES,
    "list_imports": Right.READ_IMPORT,
    "read_import": Right.READ_IMPORT,
    "cancel_import": Right.READ_IMPORT,
    "make_webhook": Right.ADD_WEBHOOK,
    "list_webhooks": Right.MANAGE_WEBHOOKS,
    "read_webhook": Right.MANAGE_WEBHOOKS,
    "revise_webhook": Right.MANAGE_WEBHOOKS,
    "rotate_webhook_secret": Right.MANAGE_WEBHOOKS,
    "remove_webhook": Right.MANAGE_WEBHOOKS,
    "try_webhook": Right.MANAGE_WEBHOOKS,
    "list_failed_deliveries": Right.MANAGE_WEBHOOKS,
    "replay_deliveries": Right.MANAGE_WEBHOOKS,
    "list_events": Right.READ_RECORD,
    "export_events": Right.READ_RECORD,
    "read_indicators": Right.READ_INDICATORS,
    "export_indicators": Right.READ_INDICATORS,
    "read_chain": Right.READ_CHAIN,
}
"""The right that each route needs, by its name."""

PERSONAL: Final = frozenset(
    {
        *("read_session", "sign_out", "confirm_session", "list_sessions", "end_other_sessions", "end_session"),
        "list_work",
        *("read_account", "revise_account", "change_password", "list_tokens", "make_token", "revoke_token"),
        *("list_notices", "mark_notice_read"),
        "list_clusters",
        *("list_alerts", "read_alert_settings", "revise_alert_settings"),
        *("save_search", "list_searches", "read_search", "revise_search", "remove_search", "search_matches"),
    }
)
"""Routes about the account that asks, and no other."""

OPEN: Final = frozenset(
    {
        *("live", "ready", "sign_in", "begin_oidc", "end_oidc"),
        *("read_invitation", "accept_invitation", "ask_for_reset", "accept_reset"),
        *("stop_alerts", "stop_alerts_by_link"),
    }
)
"""Routes that need no account: the service's health, and the ways to sign in."""


PAGES: Final[Mapping[str, Right]] = {
    # people, and what the office of a cluster does
    "page_people": Right.READ_ACCOUNT,
    "page_invite": Right.INVITE_SIDE,
    "do_invite": Right.INVITE_SIDE,
    "do_withdraw_invitation": Right.READ_INVITATIONS,
    "page_deactivate": Right.ADMINISTER_ACCOUNT,
    "do_deactivate": Right.ADMINISTER_ACCOUNT,
    "page_reactivate": Right.ADMINISTER_ACCOUNT,
    "do_reactivate": Right.ADMINISTER_ACCOUNT,
    "page_settings": Right.READ_SETTINGS,
    "do_revise_settings": Right.CHANGE_SETTINGS,
    "page_organisations": Right.READ_ORGANISATION,
    "page_organisation": Right.READ_ORGANISATION,
    "page_add_organisation": Right.ADD_ORGANISATION,
    "do_add_organisation": Right.ADD_ORGANISATION,
    "do_revise_organisation": Right.CHANGE_ORGANISATION,
    "do_withdraw_organisation": Right.CHANGE_ORGANISATION,
    "page_webhooks": Right.MANAGE_WEBHOOKS,
    "page_webhook": Right.MANAGE_WEBHOOKS,
    "page_make_webhook": Right.ADD_WEBHOOK,
    "do_make_webhook": Right.ADD_WEBHOOK,
    "do_revise_webhook": Right.MANAGE_WEBHOOKS,
    "do_rotate_secret": Right.MANAGE_WEBHOOKS,
    "do_try_webhook": Right.MANAGE_WEBHOOKS,
    "do_replay_deliveries": Right.MANAGE_WEBHOOKS,
    "do_remove_webhook": Right.MANAGE_WEBHOOKS,
    "page_record": Right.READ_RECORD,
    "page_export_record": Right.READ_RECORD,
    "page_new_need": Right.POST_NEED,
    "do_post_need": Right.POST_NEED,
    "do_match_need_text": Right.POST_NEED,
    "page_edit_need": Right.CHANGE_NEED,
    "do_revise_need": Right.CHANGE_NEED,
    "page_new_seed": Right.REGISTER_SEED,
    "do_register_seed": Right.REGISTER_SEED,
    "do_match_seed_text": Right.REGISTER_SEED,
    "page_edit_seed": Right.CHANGE_SEED,
    "do_revise_seed": Right.CHANGE_SEED,
    "page_needs": Right.READ_NEED,
    "page_need": Right.READ_NEED,
    "page_need_views": Right.READ_NEED_DETAIL,
    "page_need_check": Right.READ_NEED_DETAIL,
    "page_withdraw_need": Right.CHANGE_NEED,
    "do_withdraw_need": Right.CHANGE_NEED,
    "do_move_need": Right.CHANGE_NEED,
    "do_review_need": Right.REVIEW_NEED,
    "do_ready_need": Right.CHANGE_NEED,
    "page_seeds": Right.READ_SEED,
    "page_seed": Right.READ_SEED,
    "page_seed_views": Right.READ_SEED_DETAIL,
    "page_withdraw_seed": Right.CHANGE_SEED,
    "do_withdraw_seed": Right.CHANGE_SEED,
    "do_move_seed": Right.CHANGE_SEED,
    "do_review_seed": Right.REVIEW_SEED,
    "do_ready_seed": Right.CHANGE_SEED,
    "page_waiting": Right.READ_WAITING,
    "page_match": Right.READ_MATCH,
    "do_shortlist": Right.REVIEW_MATCH,
    "do_dismiss": Right.REVIEW_MATCH,
    "do_reconsider": Right.HANDLE_MATCH,
    "do_pair": Right.HANDLE_MATCH,
    "do_introduce": Right.HANDLE_MATCH,
    "do_express_interest": Right.ANSWER_MATCH,
    "do_accept": Right.ANSWER_MATCH,
    "do_decline": Right.ANSWER_MATCH,
    "page_disclosure": Right.HANDLE_MATCH,
    "do_disclose": Right.HANDLE_MATCH,
    "do_report_meeting": Right.FOLLOW_MATCH,
    "do_report_negotiation": Right.FOLLOW_MATCH,
    "do_report_agreement": Right.FOLLOW_MATCH,
    "do_report_outcome": Right.FOLLOW_MATCH,
    "do_close": Right.FOLLOW_MATCH,
    "page_hand_over": Right.HAND_OVER,
    "do_hand_over": Right.HAND_OVER,
    "page_queue": Right.READ_REVIEWS,
    "do_review_match": Right.REVIEW_MATCH,
    "do_review_matches": Right.REVIEW_MATCH,
    "do_reconsider_matches": Right.HANDLE_MATCH,
    "do_find_more": Right.REVIEW_MATCH,
    "do_save_view": Right.READ_REVIEWS,
    "do_remove_view": Right.READ_REVIEWS,
    "page_board": Right.READ_INDICATORS,
    "page_board_table": Right.READ_INDICATORS,
    "page_chain": Right.READ_CHAIN,
    "page_chain_table": Right.READ_CHAIN,
    # Everybody sees the map, and on it the entries that they may see.
    "page_map": Right.READ_SEED,
    "page_map_points": Right.READ_SEED,
    "page_map_table": Right.READ_SEED,
    # exports
    "page_export_seeds": Right.READ_SEED,
    "page_export_needs": Right.READ_NEED,
    "page_export_matches": Right.READ_MATCH,
    "page_match_sheet": Right.READ_MATCH,
    "page_board_sheet": Right.READ_INDICATORS,
    # files
    "page_imports": Right.READ_IMPORT,
    "do_post_file": Right.IMPORT_ENTRIES,
    "page_import": Right.READ_IMPORT,
    "page_import_events": Right.READ_IMPORT,
    "page_import_mend": Right.READ_IMPORT,
    "do_map_import": Right.READ_IMPORT,
    "do_confirm_import": Right.READ_IMPORT,
    "do_cancel_import": Right.READ_IMPORT,
}
"""The right that each page, and each form of a page, needs."""

PERSONAL_PAGES: Final = frozenset(
    {
        *("page_first", "page_work", "do_sign_out"),
        # the account
        *("page_account", "do_revise_account", "do_revise_alerts", "page_password", "do_change_password"),
        *("do_end_session", "do_end_other_sessions", "page_confirm", "do_confirm"),
        *("page_make_token", "do_make_token", "do_revoke_token"),
        *("page_searches", "page_save_search", "do_save_search"),
        *("page_search", "do_revise_search", "do_remove_search"),
        *("page_notices", "do_mark_notice_read", "do_mark_shown_read"),
        "page_export_work",
    }
)
"""Pages about the account that looks, and no other."""

OPEN_PAGES: Final = frozenset(
    {
        *("page_sign_in", "do_sign_in", "page_provider", "do_choose_language", "favicon"),
        *("page_invitation", "do_take_invitation", "page_forgotten", "do_ask_for_reset"),
        *("page_new_password", "do_choose_password", "page_stop_alerts", "do_stop_alerts"),
    }
)
"""Pages that need no account: the ways to sign in."""


def relation_to(caller: Caller, cluster_id: int, owner_id: int | None) -> Relation:
    """Whose a thing is, seen from the caller; what another cluster has is taken to be opened if it is seen at all."""
    if owner_id is not None and owner_id == caller.organisation_id:
        return Relation.OWN
    return Relation.HERE if cluster_id == caller.cluster_id else Relation.OPENED


def answer_to(caller: Caller, right: Right, relation: Relation) -> Answer:
    """What the policy answers. Who oversees a cluster needs no organisation: what is own is of the cluster too.

    Where nothing is said of what is opened, it is another cluster's.
    """
    answers = POLICY[right][caller.role]
    otherwise = Relation.HERE if relation is Relation.OWN else Relation.ELSEWHERE
    return answers.get(relation) or answers.get(otherwise) or Answer.HIDDEN


def may(caller: Caller, right: Right, relation: Relation) -> bool:
    """Whether the policy says yes."""
    return answer_to(caller, right, relation) is Answer.YES


def require(caller: Caller, right: Right, relation: Relation) -> None:
    """Raise what the policy answers where it does not say yes: ForbiddenError or NotFoundError."""
    answer = answer_to(caller, right, relation)
    if answer is Answer.HIDDEN:
        raise NotFoundError("no such thing, or it is not open to you")
    if answer is Answer.NO:
        raise ForbiddenError(Sentence("who may %(right)s: %(allowed)s", right=Sentence(right), allowed=_allowed(right)))


_WHOSE: Final = {Relation.OWN: "of its own organisation", Relation.HERE: "of its cluster"}


def _allowed(right: Right) -> tuple[Sentence, ...]:
    """Who may, in words; nobody is named who may not."""
    return tuple(
        Sentence(f"{role.replace('_', ' ')} {_WHOSE[relation]}")
        for role, answers in POLICY[right].items()
        for relation in (Relation.OWN, Relation.HERE)
        if answers.get(relation) is Answer.YES
    )
