"""The jobs of the command line: from recordings to an accuracy."""
