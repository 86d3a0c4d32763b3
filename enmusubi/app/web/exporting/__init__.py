"""Pages that are files: lists as spreadsheets, a match and the board as sheets of paper."""

from enmusubi.app.web.exporting import files

ROUTERS = (files.router,)
