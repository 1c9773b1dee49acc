"""`python -m runtime.cli` is the command `sojourn`."""

from runtime.cli import main

main(prog_name="sojourn")
