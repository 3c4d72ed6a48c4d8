"""Parts of the harness tests/support/engines. Python 3.11, standard library only."""
