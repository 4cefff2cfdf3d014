"""`python -m td_currents_cli` is `tdcur`."""

from td_currents_cli.cli import main

if __name__ == "__main__":
    main()
