"""People sign in: passwords, sessions, API tokens, invitations, an identity provider, and limits on trying."""
