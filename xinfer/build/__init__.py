"""A project to a plugin on disk: one pure function to files, one writer."""
