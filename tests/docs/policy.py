"""The policy's table as docs/security.md shows it. To print it anew: `python -m tests.docs.policy`."""

import sys

from enmusubi.app.permissions import POLICY, Answer, Row
from enmusubi.app.vocabulary import Role


def _cell(row: Row, role: Role) -> str:
    answers = row[role]
    yes = ", ".join(relation for relation, answer in answers.items() if answer is Answer.YES)
    no = ", ".join(relation for relation, answer in answers.items() if answer is Answer.NO)
    return "; ".join([*([f"**{yes}**"] if yes else []), *([f"refused: {no}"] if no else [])]) or "–"


def table() -> str:
    """A row for each right, a column for each role."""
    heads = ["who may …", *(str(role).replace("_", " ") for role in Role)]
    lines = [heads, ["---"] * len(heads)]
    lines += [[str(right), *(_cell(row, role) for role in Role)] for right, row in POLICY.items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(table())
