"""What people do with notices: read their own, and have them sent to webhooks."""
