"""``python -m deepscan``, and what the command ``deepscan`` begins with.

Workers import the program they were started by. So this imports nothing: the command line would cost each of them a
quarter of a second.
"""


def main() -> None:
    """See :func:`deepscan.cli.app.main`."""
    try:
        from deepscan.cli.app import main as run
    except KeyboardInterrupt:  # there is nothing yet that could say more
        from deepscan.errors import EXIT_INTERRUPTED

        raise SystemExit(EXIT_INTERRUPTED) from None
    run()


if __name__ == "__main__":
    main()
