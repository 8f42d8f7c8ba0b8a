"""``python -m deepscan``, and what the command ``deepscan`` begins with.

Workers import the program they were started by. So this imports nothing: the command line would cost each of them a
quarter of a second.
"""


def main() -> None:
    """See :func:`deepscan.cli.app.main`."""
    from deepscan.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
