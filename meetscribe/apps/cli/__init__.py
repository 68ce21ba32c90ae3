"""The command line: data on stdout, everything else on stderr; exit codes 0, 2, 3 and 130."""
