"""The daemon's side of remote debugging and of serverless mode, for tests."""
