"""The forms in which needs are posted and seeds registered, and in which both are changed."""
