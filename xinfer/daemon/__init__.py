"""Running a plugin without Dify: the process, its protocol and the calls that Dify makes."""
