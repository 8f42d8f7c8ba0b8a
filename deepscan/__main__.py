"""``python -m deepscan``."""

from deepscan.cli.app import main

if __name__ == "__main__":
    main()
