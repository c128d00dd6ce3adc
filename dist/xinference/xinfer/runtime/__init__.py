"""What runs inside a plugin: the client of a model server, and Dify's classes on top of it."""
