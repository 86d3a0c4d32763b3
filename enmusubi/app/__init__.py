"""The service: database, use cases, HTTP API and command line."""
