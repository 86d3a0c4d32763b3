"""The last person of an organisation leaves: whoever coordinates what it is asked is told that nobody answers now."""

from typing import Final

from sqlalchemy import BigInteger, Text, column, func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.stepping.telling import tell_nobody
from enmusubi.app.vocabulary import Side

_COLUMNS: Final = (column("in_match", BigInteger), column("in_cluster", BigInteger), column("for_side", Text))


def tell_left_alone(session: Session, organisation_id: int | None) -> None:
    """Tell the coordinators of each answer that the organisation is waited for, if nobody is left to give it.

    Called once an account of it was closed, in the same transaction. As the service: who closes an account need not see
    these matches, nor learn that the organisation has a side in them.
    """
    if organisation_id is None:
        return
    with acting_as_service(session):
        alone = session.execute(select(func.left_alone(organisation_id).table_valued(*_COLUMNS))).all()
        for row in alone:
            tell_nobody(session, row.in_match, row.in_cluster, Side(row.for_side))
