"""The command line ``pscore``: its commands, their options, input and output."""
