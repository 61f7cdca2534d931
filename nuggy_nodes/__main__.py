"""`python -m nuggy_nodes` is the `nuggy` command."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
