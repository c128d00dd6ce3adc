"""A plugin as files: a folder or a package, what it holds, and Dify's layout."""
