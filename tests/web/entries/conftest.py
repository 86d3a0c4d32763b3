"""A pair, the people around it, and strangers, as in the tests of introductions."""

from tests.app.introducing.conftest import client, clock, pair, strangers  # noqa: F401 fixtures
