"""The plugin against a real Xinference, which these tests install, feed and start themselves."""
