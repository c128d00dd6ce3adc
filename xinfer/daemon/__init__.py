"""What a developer runs: a plugin without Dify, and a stand-in for the server it talks to."""
