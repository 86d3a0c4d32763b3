"""Look at pages: `python -m tests.web.looking ROLE PATH… --out DIR` signs in over the samples and takes screenshots."""

import argparse
import re
from pathlib import Path

from enmusubi.app.vocabulary import Language, Role
from tests.web.sites import a_browser, a_site, a_window


def main() -> None:
    """Each path in both languages; `{need}`, `{seed}`, `{match}` in a path are the first that the lists link to."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("role", type=Role)
    given.add_argument("paths", nargs="+")
    given.add_argument("--out", type=Path, required=True)
    given.add_argument("--width", type=int, default=1280)
    given.add_argument("--dark", action="store_true")
    options = given.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with a_site() as site, a_browser() as browser:
        for language in Language:
            with a_window(browser, site, language, dark=options.dark, width=options.width) as window:
                window.sign_in(options.role, language)
                for path in options.paths:
                    page = window.open(window.filled(path))
                    name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "first"
                    page.screenshot(path=options.out / f"{name}-{language}.png", full_page=True)


if __name__ == "__main__":
    main()
