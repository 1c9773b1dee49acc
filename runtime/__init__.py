"""The engine around the rule language: configuration, events, sessions, files, and the command line."""
