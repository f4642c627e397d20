"""The package as a program: ``python -m sklearn_pscore``, or ``pscore``."""

from sklearn_pscore._interrupt import quiet_interrupt


def main():
    """Run the command line."""
    with quiet_interrupt():
        from sklearn_pscore._cli.app import app

    app(prog_name="pscore")


if __name__ == "__main__":
    main()
